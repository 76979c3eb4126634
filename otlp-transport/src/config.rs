//! Configuration as plain structs with documented units and defaults. Reading files is the application's business.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod cors;
mod error;
#[cfg(feature = "client")]
mod headers;
mod proxy;
#[cfg(feature = "server")]
mod server;
mod tls;

#[cfg(feature = "client")]
pub use client::{ClientConfig, ClientLimits, Compression, Encoding};
#[cfg(feature = "server")]
pub use cors::CorsConfig;
pub use error::ConfigError;
#[cfg(feature = "client")]
pub use headers::{parse_headers, percent_decode};
pub use proxy::ProxyConfig;
#[cfg(feature = "server")]
pub(crate) use server::IDENTITY;
#[cfg(feature = "server")]
pub use server::{InvalidIds, InvalidUtf8, OriginConfig, ServerConfig, ServerLimits};
pub use tls::{CertificateConfig, ServerTlsConfig, TlsConfig, TlsParameters, TlsVersion};
