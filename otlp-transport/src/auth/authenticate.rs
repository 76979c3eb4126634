//! Who may send: what a server asks of each request.

use super::PeerCertificate;
use http::HeaderMap;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Tells known senders from others.
pub trait Authenticate: fmt::Debug + Send + Sync + 'static {
    /// Judges by a request's headers and its connection's certificate; never by its path, method or body.
    fn authenticate(&self, request: &AuthRequest<'_>) -> Verdict;

    /// What refused senders are told to send: the value of `www-authenticate`. RFC 9110 §11.6.1.
    fn challenge(&self) -> &str;

    /// Whether [`authenticate`](Self::authenticate) may answer [`Verdict::Slow`]. If so, servers let HTTP/2 clients send
    /// 64 KiB of a request ahead instead of 1 MiB. Default true.
    fn may_be_slow(&self) -> bool {
        true
    }
}

/// What of a request says who sent it.
#[derive(Clone, Copy, Debug)]
pub struct AuthRequest<'a> {
    /// Its headers, or gRPC metadata.
    pub headers: &'a HeaderMap,
    /// The certificate that its connection was opened with, if there was one; a client authority vouches for it.
    pub certificate: Option<&'a PeerCertificate>,
}

/// What an [`Authenticate`] says of a request.
pub enum Verdict {
    /// It knows already.
    Known(Result<Identity, Denied>),
    /// The check takes milliseconds of CPU: to be run on a thread where it delays no other request.
    Slow(SlowCheck),
}

/// A check that is to be run on a blocking thread.
pub type SlowCheck = Box<dyn FnOnce() -> Result<Identity, Denied> + Send>;

/// Who a sender proved to be. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity(Arc<str>);

/// Why a sender is not known: what is missing or wrong, never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Denied {
    message: Cow<'static, str>,
    is_missing: bool,
}

// === impl Identity ===

impl Identity {
    /// An identity of that name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// Its name: that of a key, a token or a user, or the subject of a certificate.
    pub fn name(&self) -> &str {
        &self.0
    }
}

// === impl Denied ===

impl Denied {
    /// A denial of wrong credentials, that is told to the sender as it is.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), is_missing: false }
    }

    /// A denial of a sender without credentials, that is told to the sender as it is.
    pub fn missing(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), is_missing: true }
    }

    /// Whether the sender has sent no credentials, rather than wrong ones.
    pub fn is_missing(&self) -> bool {
        self.is_missing
    }
}

// === impl Verdict ===

impl Verdict {
    /// It is known who sent it.
    pub fn known(identity: &Identity) -> Self {
        Self::Known(Ok(identity.clone()))
    }

    /// It is not known who sent it.
    pub fn denied(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Known(Err(Denied::new(message)))
    }

    /// The answer, on this thread, however long it takes.
    ///
    /// # Errors
    /// If the sender is not known.
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

/// The value of a header that stands there once. Two `authorization` headers are two claims.
pub(super) fn only<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Result<&'a [u8], Denied> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value.as_bytes()),
        (None, _) => Err(Denied::missing(format!("the header `{name}` is missing"))),
        (Some(_), Some(_)) => Err(Denied::new(format!("the header `{name}` stands there more than once"))),
    }
}
