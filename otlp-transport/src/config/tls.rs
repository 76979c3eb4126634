//! Transport security: whom to trust, and who to be.

use std::path::PathBuf;

/// Transport security of a client.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TlsConfig {
    /// gRPC endpoints without a scheme: speak cleartext. A scheme wins. Default false.
    pub insecure: bool,
    /// Trust any certificate. Default false.
    pub insecure_skip_verify: bool,
    /// PEM file of trust anchors that replace the system's.
    pub ca_file: Option<PathBuf>,
    /// PEM text of trust anchors that replace the system's.
    pub ca_pem: Option<String>,
    /// Trust the system's anchors beside the given ones. Default false.
    pub include_system_ca_certs_pool: bool,
    /// Name to expect in the server's certificate instead of the endpoint's host.
    pub server_name_override: Option<String>,
}
