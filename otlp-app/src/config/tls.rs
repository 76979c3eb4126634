//! Transport security of exporters.

use super::rules::{KeyRule, ignored, only, refused};
use otlp_transport::TlsConfig;
use serde::Deserialize;
use std::path::PathBuf;

/// Settings of `tls` of an exporter.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tls {
    /// Speak cleartext, if the endpoint has no scheme. Default false.
    insecure: bool,
    /// Trust any certificate. Default false.
    insecure_skip_verify: bool,
    /// PEM file of trust anchors. Default: the system's.
    ca_file: Option<PathBuf>,
    /// PEM text of trust anchors.
    ca_pem: Option<String>,
    /// Trust the system's anchors beside the given ones. Default false.
    include_system_ca_certs_pool: bool,
    /// Name to expect in the server's certificate. Default: the endpoint's host.
    server_name_override: Option<String>,
}

/// Keys below `tls` that an exporter does not use.
pub(crate) const TLS_RULES: &[KeyRule] = &[
    refused("tls.cert_file", CLIENT_CERTIFICATE),
    refused("tls.cert_pem", CLIENT_CERTIFICATE),
    refused("tls.key_file", CLIENT_CERTIFICATE),
    refused("tls.key_pem", CLIENT_CERTIFICATE),
    refused("tls.tpm", CLIENT_CERTIFICATE),
    only("tls.min_version", "1.2", "TLS 1.2 and 1.3 are spoken"),
    only("tls.max_version", "1.3", "TLS 1.2 and 1.3 are spoken"),
    refused("tls.cipher_suites", "others would be used"),
    refused("tls.curve_preferences", "others would be used"),
    ignored("tls.reload_interval", "trust anchors are read once"),
];

const CLIENT_CERTIFICATE: &str = "the destination would not see a client certificate";

impl Tls {
    /// The transport's settings.
    pub(crate) fn config(self) -> TlsConfig {
        let mut config = TlsConfig::default();
        config.insecure = self.insecure;
        config.insecure_skip_verify = self.insecure_skip_verify;
        config.ca_file = self.ca_file;
        config.ca_pem = self.ca_pem;
        config.include_system_ca_certs_pool = self.include_system_ca_certs_pool;
        config.server_name_override = self.server_name_override;
        config
    }
}
