//! TLS of exporters and receivers. Files are watched.

use super::files::FilePath;
use super::secret::SecretText;
use otlp_service::{GoDuration, KeyRule};
use otlp_transport::{CertificateConfig, ServerTlsConfig, TlsConfig, TlsParameters, TlsVersion};
use serde::Deserialize;

/// Settings of `tls` of an exporter.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tls {
    /// Connects without TLS, if the endpoint has no scheme. Default false.
    insecure: bool,
    /// Accepts any certificate, of any host. Default false.
    insecure_skip_verify: bool,
    /// PEM file of trusted certificates: of authorities, or of servers themselves. Default: the system's.
    ca_file: Option<FilePath>,
    /// PEM text of trusted certificates.
    ca_pem: Option<String>,
    /// Trusts the system's certificates, too. Default false.
    include_system_ca_certs_pool: bool,
    /// Name to expect in the server's certificate. Default: the endpoint's host.
    server_name_override: Option<String>,
    /// PEM file of the certificate that is shown if the server asks for one. Default none.
    cert_file: Option<FilePath>,
    /// PEM text in place of `cert_file`.
    cert_pem: Option<String>,
    /// PEM file of the certificate's key.
    key_file: Option<FilePath>,
    /// PEM text in place of `key_file`.
    key_pem: Option<SecretText>,
    /// Lowest version. Default 1.2.
    min_version: Option<Version>,
    /// Highest version. Default 1.3.
    max_version: Option<Version>,
    /// The only cipher suites for TLS 1.2, by Go's names. Default all that are safe.
    cipher_suites: Vec<String>,
    /// The only key exchanges: X25519, P256, P384. Default all.
    curve_preferences: Vec<String>,
    /// Interval at which the files are read again; 0 is the default. Default 30 s.
    reload_interval: GoDuration,
}

/// Settings of `tls` of a receiver.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerTls {
    /// PEM file of the certificate chain: the server's certificate first, then the intermediate ones.
    cert_file: Option<FilePath>,
    /// PEM text in place of `cert_file`.
    cert_pem: Option<String>,
    /// PEM file of the certificate's key.
    key_file: Option<FilePath>,
    /// PEM text in place of `key_file`.
    key_pem: Option<SecretText>,
    /// PEM file of trusted certificates: senders must show one that an authority in it issued, or that is itself in it. Default:
    /// none is asked for.
    client_ca_file: Option<FilePath>,
    /// PEM text in place of `client_ca_file`. Not a key of the Collector.
    client_ca_pem: Option<String>,
    /// Lowest version. Default 1.2.
    min_version: Option<Version>,
    /// Highest version. Default 1.3.
    max_version: Option<Version>,
    /// The only cipher suites for TLS 1.2, by Go's names. Default all that are safe.
    cipher_suites: Vec<String>,
    /// The only key exchanges: X25519, P256, P384. Default all.
    curve_preferences: Vec<String>,
    /// Interval at which the files are read again; 0 is the default. Default 30 s.
    reload_interval: GoDuration,
}

/// Versions of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
enum Version {
    #[serde(rename = "1.2")]
    Tls12,
    #[serde(rename = "1.3")]
    Tls13,
}

/// Keys below `tls` that an exporter does not use.
pub(crate) const TLS_RULES: &[KeyRule] =
    &[KeyRule::refused("tls.tpm", TPM), KeyRule::ignored("tls.include_insecure_cipher_suites", ONLY_SAFE)];

/// Keys below `tls` that a receiver does not use.
pub(crate) const SERVER_TLS_RULES: &[KeyRule] = &[
    KeyRule::optional("protocols.*.tls"),
    KeyRule::refused("protocols.*.tls.tpm", TPM),
    KeyRule::ignored("protocols.*.tls.include_insecure_cipher_suites", ONLY_SAFE),
    KeyRule::ignored("protocols.*.tls.client_ca_file_reload", "all files are watched"),
    KeyRule::ignored("protocols.*.tls.ca_file", "clients are verified by `client_ca_file`"),
    KeyRule::ignored(
        "protocols.*.tls.include_system_ca_certs_pool",
        "clients are verified by `client_ca_file`",
    ),
];

/// The same for the server of an exporter, whose section `tls` stands in the exporter.
#[cfg(feature = "prometheus")]
pub(crate) const PAGE_TLS_RULES: &[KeyRule] = &[
    KeyRule::optional("tls"),
    KeyRule::refused("tls.tpm", TPM),
    KeyRule::ignored("tls.include_insecure_cipher_suites", ONLY_SAFE),
    KeyRule::ignored("tls.client_ca_file_reload", "all files are watched"),
    KeyRule::ignored("tls.ca_file", "clients are verified by `client_ca_file`"),
    KeyRule::ignored("tls.include_system_ca_certs_pool", "clients are verified by `client_ca_file`"),
];

const ONLY_SAFE: &str = "only safe cipher suites are supported";
const TPM: &str = "keys in a TPM cannot be used";

// === impl Tls ===

impl Tls {
    /// The transport's settings.
    pub(crate) fn config(self) -> TlsConfig {
        let mut config = TlsConfig::default();
        config.insecure = self.insecure;
        config.insecure_skip_verify = self.insecure_skip_verify;
        config.ca_file = FilePath::path(self.ca_file);
        config.ca_pem = self.ca_pem;
        config.include_system_ca_certs_pool = self.include_system_ca_certs_pool;
        config.server_name_override = self.server_name_override;
        config.certificate = certificate(self.cert_file, self.cert_pem, self.key_file, self.key_pem);
        config.parameters.cipher_suites = self.cipher_suites;
        config.parameters.curve_preferences = self.curve_preferences;
        bound(&mut config.parameters, self.min_version, self.max_version, self.reload_interval);
        config
    }
}

// === impl ServerTls ===

impl ServerTls {
    /// The transport's settings.
    pub(crate) fn config(self) -> ServerTlsConfig {
        let mut config = ServerTlsConfig::default();
        config.certificate = certificate(self.cert_file, self.cert_pem, self.key_file, self.key_pem);
        config.client_ca_file = FilePath::path(self.client_ca_file);
        config.client_ca_pem = self.client_ca_pem;
        config.parameters.cipher_suites = self.cipher_suites;
        config.parameters.curve_preferences = self.curve_preferences;
        bound(&mut config.parameters, self.min_version, self.max_version, self.reload_interval);
        config
    }
}

fn certificate(
    cert_file: Option<FilePath>,
    cert_pem: Option<String>,
    key_file: Option<FilePath>,
    key_pem: Option<SecretText>,
) -> CertificateConfig {
    let mut config = CertificateConfig::default();
    config.cert_file = FilePath::path(cert_file);
    config.cert_pem = cert_pem;
    config.key_file = FilePath::path(key_file);
    config.key_pem = key_pem.map(|SecretText(pem)| pem);
    config
}

fn bound(parameters: &mut TlsParameters, min: Option<Version>, max: Option<Version>, interval: GoDuration) {
    let version = |version| match version {
        Version::Tls12 => TlsVersion::Tls12,
        Version::Tls13 => TlsVersion::Tls13,
    };
    parameters.min_version = min.map(version);
    parameters.max_version = max.map(version);
    parameters.reload_interval = interval.given();
}
