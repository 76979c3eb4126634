//! Authentication of requests by servers.

use super::PeerCertificate;
use http::HeaderMap;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Authenticates requests of a server, by [`ServerConfig::auth`](crate::ServerConfig::auth).
///
/// ```
/// use otlp_transport::{AuthRequest, Authenticate, Denied, Identity, Verdict};
///
/// /// Accepts the tenants that a proxy in front of the server has authenticated.
/// #[derive(Debug)]
/// struct Tenants(Vec<String>);
///
/// impl Authenticate for Tenants {
///     fn authenticate(&self, request: &AuthRequest<'_>) -> Verdict {
///         match request.headers.get("x-tenant").and_then(|tenant| tenant.to_str().ok()) {
///             None => Verdict::Known(Err(Denied::missing("the header `x-tenant` is missing"))),
///             Some(tenant) if self.0.iter().any(|known| known == tenant) => Verdict::known(&Identity::new(tenant)),
///             Some(_) => Verdict::denied("the tenant is not known"),
///         }
///     }
///
///     fn challenge(&self) -> &str {
///         "Tenant"
///     }
/// }
/// ```
pub trait Authenticate: fmt::Debug + Send + Sync + 'static {
    /// Judges a request by its headers and its connection's certificate, never by path, method or body.
    fn authenticate(&self, request: &AuthRequest<'_>) -> Verdict;

    /// Value of `www-authenticate` in refusals: the credentials that senders are asked for. RFC 9110 §11.6.1.
    fn challenge(&self) -> &str;

    /// True if [`authenticate`](Self::authenticate) may return [`Verdict::Slow`]. Servers then grant HTTP/2 clients an
    /// initial window of 64 KiB for each request, in place of 1 MiB. Default true.
    fn may_be_slow(&self) -> bool {
        true
    }
}

/// The parts of a request that authenticate its sender. `Debug` output shows the names of headers, not their values.
#[derive(Clone, Copy)]
pub struct AuthRequest<'a> {
    /// The request's headers, or gRPC metadata.
    pub headers: &'a HeaderMap,
    /// The verified client certificate of the request's connection, if the server asks for certificates.
    pub certificate: Option<&'a PeerCertificate>,
}

/// Outcome of [`Authenticate::authenticate`].
pub enum Verdict {
    /// The outcome is known.
    Known(Result<Identity, Denied>),
    /// The outcome takes milliseconds of CPU to find. Run the check on a blocking thread, where it delays no other
    /// request.
    Slow(SlowCheck),
}

/// A check to be run on a blocking thread.
pub type SlowCheck = Box<dyn FnOnce() -> Result<Identity, Denied> + Send>;

/// Proven identity of a sender. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity(Arc<str>);

/// Reason to refuse a sender: missing or wrong credentials. The text never holds the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Denied {
    message: Cow<'static, str>,
    is_missing: bool,
}

// === impl AuthRequest ===

impl fmt::Debug for AuthRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.keys().collect();
        f.debug_struct("AuthRequest")
            .field("headers", &names)
            .field("certificate", &self.certificate)
            .finish()
    }
}

// === impl Identity ===

impl Identity {
    /// Makes an identity of this name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// Name of the identity: the name of a key, token or user, or the subject of a certificate.
    pub fn name(&self) -> &str {
        &self.0
    }
}

// === impl Denied ===

impl Denied {
    /// Refuses wrong credentials. The sender is told `message`.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), is_missing: false }
    }

    /// Refuses a request without credentials. The sender is told `message`.
    pub fn missing(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), is_missing: true }
    }

    /// True if the request had no credentials; false if the credentials were wrong.
    pub fn is_missing(&self) -> bool {
        self.is_missing
    }
}

// === impl Verdict ===

impl Verdict {
    /// Accepts the request as sent by `identity`.
    pub fn known(identity: &Identity) -> Self {
        Self::Known(Ok(identity.clone()))
    }

    /// Refuses wrong credentials. The sender is told `message`.
    pub fn denied(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Known(Err(Denied::new(message)))
    }

    /// Returns the outcome, running a slow check on the calling thread.
    ///
    /// # Errors
    /// If the credentials are refused.
    pub fn resolve(self) -> Result<Identity, Denied> {
        match self {
            Self::Known(result) => result,
            Self::Slow(check) => check(),
        }
    }
}

impl fmt::Debug for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(result) => f.debug_tuple("Known").field(result).finish(),
            Self::Slow(_) => f.write_str("Slow"),
        }
    }
}

/// Returns the value of a header that occurs exactly once. Two `authorization` headers contradict each other.
pub(super) fn only<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Result<&'a [u8], Denied> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value.as_bytes()),
        (None, _) => Err(Denied::missing(format!("the header `{name}` is missing"))),
        (Some(_), Some(_)) => Err(Denied::new(format!("the header `{name}` occurs more than once"))),
    }
}
