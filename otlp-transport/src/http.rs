//! OTLP over HTTP as a strategy.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod server;

/// OTLP over HTTP, port 4318 by custom.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpTransportStrategy;
