//! Who may send, and how we prove who we are.
//!
//! A server with an [`Authenticate`] answers 401 or UNAUTHENTICATED to every request without valid credentials, whatever
//! path or method it has, health included.
//! A client with [`Credentials`] adds them to each request. Secrets are never logged or shown, are compared in constant
//! time by digests under a random key (which hides their lengths, too), and all of them each time. Nothing empty is a
//! secret: not a token, a key, a user or a password.

mod api_key;
mod basic;
mod bearer;
mod client_certificate;
mod digest;
mod headers;
mod htpasswd;
mod secret;

pub use api_key::{ApiKey, ApiKeyAuth};
pub use basic::{BasicAuth, BasicCredentials, Password, Username};
pub use bearer::{BearerAuth, BearerConfig, BearerCredentials};
pub use client_certificate::{ClientCertificateAuth, NameKind, PeerCertificate};
pub use headers::{HeaderAction, HeaderSource, HeadersSetter, SetHeader};
pub use htpasswd::Htpasswd;
pub use secret::Secret;

use crate::ExportError;
use http::HeaderMap;
use otlp_protocol::Origin;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What a server does when a file of its tokens or passwords is emptied while it runs. A file that cannot be read, or not
/// be used for another reason, changes nothing in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnEmpty {
    /// Those that it held before stay in use, with a warning once a minute. At the start an empty file is an error.
    #[default]
    Keep,
    /// Nobody who would be in the file is let in, also from the start.
    Refuse,
}

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

/// Adds to a client's requests what proves who we are.
pub trait Credentials: fmt::Debug + Send + Sync + 'static {
    /// Adds to, or takes from, the headers of one request. `origin`: where its batch came from, as far as it was kept.
    /// Values are marked as sensitive.
    ///
    /// # Errors
    /// If the request must not be sent without something that is not there.
    fn apply(&self, headers: &mut HeaderMap, origin: Option<&Origin>) -> Result<(), ExportError>;

    /// Whether it carries secrets, which belong on no cleartext connection that leaves the machine.
    fn is_secret(&self) -> bool;
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
fn only<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Result<&'a [u8], Denied> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value.as_bytes()),
        (None, _) => Err(Denied::missing(format!("the header `{name}` is missing"))),
        (Some(_), Some(_)) => Err(Denied::new(format!("the header `{name}` stands there more than once"))),
    }
}

/// A header name and what is wrong with it.
fn header_name(key: &'static str, name: &str) -> Result<http::HeaderName, crate::ConfigError> {
    name.parse().map_err(|_| crate::ConfigError { key, problem: format!("`{name}` is not a header name") })
}

/// A header value that is not shown.
fn sensitive(key: &'static str, bytes: &[u8]) -> Result<http::HeaderValue, crate::ConfigError> {
    let mut value = http::HeaderValue::from_bytes(bytes).map_err(|_| crate::ConfigError {
        key,
        problem: "there are characters in it that a header cannot carry".into(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
