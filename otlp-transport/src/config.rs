//! Configuration as plain structs with documented units and defaults. Reading files is the application's business.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod cors;
mod proxy;
#[cfg(feature = "server")]
mod server;
mod tls;

#[cfg(feature = "client")]
pub use client::{ClientConfig, ClientLimits, Compression, Encoding};
#[cfg(feature = "server")]
pub use cors::CorsConfig;
pub use proxy::ProxyConfig;
#[cfg(feature = "server")]
pub(crate) use server::IDENTITY;
#[cfg(feature = "server")]
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
