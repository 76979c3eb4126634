//! CORS: the web pages whose browsers may send telemetry.

use std::time::Duration;

/// Cross-origin requests that a server allows, over HTTP. Fetch Standard §CORS protocol.
///
/// ```
/// use otlp_transport::{CorsConfig, ServerConfig};
///
/// let mut cors = CorsConfig::default();
/// cors.allowed_origins.push("https://*.example.com".into());
/// let mut config = ServerConfig::new("0.0.0.0:4318");
/// config.cors = Some(cors);
/// assert!(config.check().is_ok());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CorsConfig {
    /// Allowed origins of pages: `https://app.example.com`, or with `*` for any text: `https://*.example.com`. Such pages may
    /// send credentials. `*` alone allows any origin without credentials, since browsers refuse both together.
    pub allowed_origins: Vec<String>,
    /// Request headers allowed in addition to `accept`, `content-type` and `x-requested-with`; `*` allows any header.
    pub allowed_headers: Vec<String>,
    /// Response headers that pages may read in addition to the CORS-safelisted ones.
    pub exposed_headers: Vec<String>,
    /// Time for which browsers may cache the answer to a preflight, in whole seconds. Zero, the default: the browser's choice.
    pub max_age: Duration,
}
