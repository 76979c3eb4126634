//! Transport security: whom to trust, and who to be. Files are watched: see [`TlsParameters::reload_interval`].

use crate::Secret;
#[cfg(feature = "server")]
use crate::{
    ConfigError, TransportContext,
    tls::{Alpn, TlsAcceptor},
};
use std::path::PathBuf;
use std::time::Duration;

/// Transport security of a client.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TlsConfig {
    /// gRPC endpoints without a scheme: speak cleartext. A scheme wins. Default false.
    pub insecure: bool,
    /// Accept any certificate, of any host, of any kind of key. Default false.
    pub insecure_skip_verify: bool,
    /// PEM file of trusted certificates, which replace the system's: of authorities, or of servers themselves.
    pub ca_file: Option<PathBuf>,
    /// The same as PEM text.
    pub ca_pem: Option<String>,
    /// Trust the system's certificates beside the given ones. Default false.
    pub include_system_ca_certs_pool: bool,
    /// Name to expect in the server's certificate instead of the endpoint's host.
    pub server_name_override: Option<String>,
    /// What is shown to servers that ask for a client certificate. Default nothing.
    pub certificate: CertificateConfig,
    /// What connections agree on, and how often files are looked at.
    pub parameters: TlsParameters,
}

/// Transport security of a server.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ServerTlsConfig {
    /// What is shown to clients. Required.
    pub certificate: CertificateConfig,
    /// PEM file of trusted certificates: clients must show one that an authority in it issued, or that is itself in it.
    pub client_ca_file: Option<PathBuf>,
    /// The same as PEM text.
    pub client_ca_pem: Option<String>,
    /// What connections agree on, and how often files are looked at.
    pub parameters: TlsParameters,
}

/// A certificate and its private key, each from a file or as a text.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CertificateConfig {
    /// PEM file of the certificate and those that lead from it to an authority.
    pub cert_file: Option<PathBuf>,
    /// The same as PEM text.
    pub cert_pem: Option<String>,
    /// PEM file of the private key.
    pub key_file: Option<PathBuf>,
    /// The same as PEM text.
    pub key_pem: Option<Secret>,
}

/// What connections agree on.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TlsParameters {
    /// Lowest version. Default 1.2.
    pub min_version: Option<TlsVersion>,
    /// Highest version. Default 1.3.
    pub max_version: Option<TlsVersion>,
    /// Names of the only cipher suites for TLS 1.2, such as `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`. Those of TLS 1.3 are
    /// always there. Empty: all that are safe.
    pub cipher_suites: Vec<String>,
    /// Names of the only key exchanges, in order: X25519, P256, P384. Empty: all, in this order.
    pub curve_preferences: Vec<String>,
    /// How often files are looked at: if one has changed, new connections use what it holds now. Default, and zero: 30 s.
    pub reload_interval: Option<Duration>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2, RFC 5246.
    Tls12,
    /// TLS 1.3, RFC 8446.
    Tls13,
}

#[cfg(feature = "server")]
impl ServerTlsConfig {
    /// Finds what cannot work, as binding would: reads the files.
    ///
    /// # Errors
    /// If a file cannot be read or used, naming its key and path.
    pub fn check(&self, context: &TransportContext) -> Result<(), ConfigError> {
        TlsAcceptor::new(context, self, Alpn::Any).map(drop)
    }
}
