//! TLS settings of clients and servers. Files are watched: see [`TlsParameters::reload_interval`].

use crate::Secret;
#[cfg(feature = "server")]
use crate::{
    ConfigError, TransportContext,
    tls::{Alpn, TlsAcceptor},
};
use std::path::PathBuf;
use std::time::Duration;

/// TLS settings of a client. The default trusts the system's certificate authorities.
///
/// ```
/// use otlp_transport::{ClientConfig, TlsVersion};
///
/// let mut config = ClientConfig::new("https://collector.example:4317");
/// config.tls.ca_file = Some("/etc/otlp/ca.pem".into()); // in place of the system's
/// config.tls.certificate.cert_file = Some("/etc/otlp/client.pem".into());
/// config.tls.certificate.key_file = Some("/etc/otlp/client.key".into());
/// config.tls.parameters.min_version = Some(TlsVersion::Tls13);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TlsConfig {
    /// gRPC: endpoints without a scheme are spoken to in cleartext. A scheme takes precedence. Default false.
    pub insecure: bool,
    /// Accepts any certificate of any host, with any kind of key. Default false.
    pub insecure_skip_verify: bool,
    /// PEM file of trusted certificates, of authorities or of servers themselves, in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// Trusted certificates as PEM text, in place of `ca_file`.
    pub ca_pem: Option<String>,
    /// Trusts the system's certificates in addition to `ca_file` or `ca_pem`. Default false.
    pub include_system_ca_certs_pool: bool,
    /// Name expected in the server's certificate in place of the endpoint's host.
    pub server_name_override: Option<String>,
    /// The client certificate, for servers that ask for one. Default none.
    pub certificate: CertificateConfig,
    /// Versions, cipher suites, key exchanges, and the interval at which files are checked for changes.
    pub parameters: TlsParameters,
}

/// TLS settings of a server.
///
/// ```no_run
/// use otlp_transport::{ServerConfig, ServerTlsConfig};
///
/// let mut config = ServerConfig::new("0.0.0.0:4317");
/// let mut tls = ServerTlsConfig::default();
/// tls.certificate.cert_file = Some("/etc/otlp/cert.pem".into()); // watched: a renewed certificate is used at once
/// tls.certificate.key_file = Some("/etc/otlp/key.pem".into());
/// tls.client_ca_file = Some("/etc/otlp/clients.pem".into()); // clients must show a certificate
/// config.tls = Some(tls);
///
/// let (certificate, key) = (std::fs::read_to_string("cert.pem")?, std::fs::read_to_string("key.pem")?);
/// config.tls = Some(ServerTlsConfig::from_pem(certificate, key));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ServerTlsConfig {
    /// The certificate of the server. Required.
    pub certificate: CertificateConfig,
    /// PEM file of trusted certificates: clients must show a certificate that is in the file, or that an authority in the file
    /// issued. Default none: clients need no certificate.
    pub client_ca_file: Option<PathBuf>,
    /// Trusted certificates as PEM text, in place of `client_ca_file`.
    pub client_ca_pem: Option<String>,
    /// Versions, cipher suites, key exchanges, and the interval at which files are checked for changes.
    pub parameters: TlsParameters,
}

/// A certificate and its private key, each as a file or as text.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CertificateConfig {
    /// PEM file of the certificate, followed by the intermediate certificates up to the authority.
    pub cert_file: Option<PathBuf>,
    /// The certificates as PEM text, in place of `cert_file`.
    pub cert_pem: Option<String>,
    /// PEM file of the private key.
    pub key_file: Option<PathBuf>,
    /// The private key as PEM text, in place of `key_file`.
    pub key_pem: Option<Secret>,
}

/// TLS versions, cipher suites and key exchanges, and the interval at which files are checked for changes.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TlsParameters {
    /// Lowest TLS version. Default 1.2.
    pub min_version: Option<TlsVersion>,
    /// Highest TLS version. Default 1.3.
    pub max_version: Option<TlsVersion>,
    /// Names of the cipher suites allowed for TLS 1.2, such as `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`. Those of TLS 1.3 are
    /// always allowed. Empty: all safe suites.
    pub cipher_suites: Vec<String>,
    /// Names of the key exchanges allowed, in order of preference: X25519, P256, P384. Empty: all three, in this order.
    pub curve_preferences: Vec<String>,
    /// Interval at which files are checked for changes; new connections use the new content. Zero, and the default: 30 s.
    pub reload_interval: Option<Duration>,
}

/// Version of TLS.
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
    /// Settings of a server with that certificate chain and that private key, both PEM texts, and defaults of all else:
    /// clients need no certificate.
    pub fn from_pem(certificate: impl Into<String>, key: impl Into<Secret>) -> Self {
        let mut config = Self::default();
        config.certificate.cert_pem = Some(certificate.into());
        config.certificate.key_pem = Some(key.into());
        config
    }

    /// Checks all settings, as binding would; reads the files.
    ///
    /// # Errors
    /// If a file cannot be read or used, naming its key and path.
    pub fn check(&self, context: &TransportContext) -> Result<(), ConfigError> {
        TlsAcceptor::new(context, self, Alpn::Any).map(drop)
    }
}
