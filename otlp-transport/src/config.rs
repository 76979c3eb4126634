//! Configuration as plain structs with documented units and defaults. Reading files is the application's business.

mod client;
mod cors;
mod proxy;
mod server;
mod tls;

pub use client::{ClientConfig, ClientLimits, Compression, Encoding};
pub use cors::CorsConfig;
pub use proxy::ProxyConfig;
pub(crate) use server::IDENTITY;
pub use server::{InvalidIds, InvalidUtf8, OriginConfig, ServerConfig, ServerLimits};
pub use tls::{CertificateConfig, ServerTlsConfig, TlsConfig, TlsParameters, TlsVersion};

/// A setting that cannot work, found before anything is started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct ConfigError {
    /// The setting, as the struct's field is called.
    pub key: &'static str,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}
