//! Which pages a browser may let send telemetry here.

use std::time::Duration;

/// Cross-origin requests that a server allows, over HTTP. Fetch Standard §CORS protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CorsConfig {
    /// Origins of pages: `https://app.example.com`, or with `*` for anything: `https://*.example.com`. They may send
    /// credentials. `*` alone is any origin, but none with credentials: a browser takes only the one or the other.
    pub allowed_origins: Vec<String>,
    /// Request headers allowed beside `accept`, `content-type` and `x-requested-with`; `*` is any.
    pub allowed_headers: Vec<String>,
    /// Response headers that a page may see beside the safe ones.
    pub exposed_headers: Vec<String>,
    /// How long a browser may keep the answer to a preflight, in whole seconds; zero lets it decide. Default zero.
    pub max_age: Duration,
}
