//! OTLP over gRPC as a strategy.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod server;

/// OTLP over gRPC, port 4317 by custom.
#[derive(Clone, Copy, Debug, Default)]
pub struct GrpcTransportStrategy;
