//! Who may send, and how we prove who we are.
//!
//! A server with an [`Authenticate`] answers 401 or UNAUTHENTICATED to every request without valid credentials, whatever
//! path or method it has, health included.
//! A client with [`Credentials`] adds them to each request. Secrets are never logged or shown, are compared in constant
//! time by digests under a random key (which hides their lengths, too), and all of them each time. Nothing empty is a
//! secret: not a token, a key, a user or a password.

#[cfg(feature = "server")]
mod api_key;
#[cfg(feature = "server")]
mod authenticate;
#[cfg(any(feature = "client", feature = "server"))]
mod basic;
#[cfg_attr(not(feature = "bcrypt"), path = "auth/bcrypt/absent.rs")]
#[cfg(feature = "server")]
mod bcrypt;
#[cfg(any(feature = "client", feature = "server"))]
mod bearer;
#[cfg(feature = "server")]
mod client_certificate;
#[cfg(feature = "client")]
mod credentials;
#[cfg(feature = "server")]
mod digest;
#[cfg(feature = "client")]
mod headers;
#[cfg(feature = "server")]
mod htpasswd;
mod secret;

#[cfg(feature = "server")]
pub use api_key::{ApiKey, ApiKeyAuth};
#[cfg(feature = "server")]
pub use authenticate::{AuthRequest, Authenticate, Denied, Identity, SlowCheck, Verdict};
#[cfg(feature = "server")]
pub use basic::BasicAuth;
#[cfg(feature = "client")]
pub use basic::{BasicCredentials, Password, Username};
#[cfg(feature = "server")]
pub use bearer::BearerAuth;
#[cfg(any(feature = "client", feature = "server"))]
pub use bearer::BearerConfig;
#[cfg(feature = "client")]
pub use bearer::BearerCredentials;
#[cfg(feature = "server")]
pub use client_certificate::{ClientCertificateAuth, NameKind, PeerCertificate};
#[cfg(feature = "client")]
pub use credentials::Credentials;
#[cfg(feature = "client")]
pub use headers::{HeaderAction, HeaderSource, HeadersSetter, SetHeader};
#[cfg(feature = "server")]
pub use htpasswd::Htpasswd;
pub use secret::Secret;

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

/// A header name and what is wrong with it.
fn header_name(key: &'static str, name: &str) -> Result<http::HeaderName, crate::ConfigError> {
    name.parse().map_err(|_| crate::ConfigError::new(key, format!("`{name}` is not a header name")))
}

#[cfg(all(test, feature = "client", feature = "server", feature = "bcrypt"))]
mod tests;
