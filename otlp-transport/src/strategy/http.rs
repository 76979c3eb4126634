//! OTLP over HTTP as a strategy.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod server;

/// OTLP over HTTP, as protobuf or JSON. Default port 4318.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpTransportStrategy;
