//! Authentication: servers tell senders apart, and clients prove who they are.
//!
//! A server with an [`Authenticate`] answers 401 or UNAUTHENTICATED to every request without valid credentials, for any
//! path and method, the health service included. A client with [`Credentials`] adds credentials to each request. Secrets
//! are never logged. Secrets are compared in constant time, by digests under a random key, which also hides their
//! lengths, and every comparison looks at all secrets. An empty token, key, user or password is never valid.

#[cfg(feature = "server")]
mod api_key;
#[cfg(feature = "server")]
mod authenticate;
#[cfg(any(feature = "client", feature = "server"))]
mod basic;
#[cfg_attr(not(feature = "basic-auth"), path = "auth/bcrypt/absent.rs")]
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

/// Effect of a file of tokens or passwords that is emptied while a server runs. A file that cannot be read or used for
/// another reason leaves the last content in use in both cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnEmpty {
    /// The last content stays in use, with a warning once a minute. At the start an empty file is an error.
    #[default]
    Keep,
    /// All credentials of the file become invalid. At the start an empty file is accepted.
    Refuse,
}

/// Parses a header name.
fn header_name(key: &'static str, name: &str) -> Result<http::HeaderName, crate::ConfigError> {
    name.parse().map_err(|_| crate::ConfigError::new(key, format!("`{name}` is not a valid header name")))
}

#[cfg(test)]
#[cfg(all(feature = "client", feature = "server", feature = "basic-auth"))]
mod tests;
