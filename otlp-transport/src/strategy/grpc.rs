//! OTLP over gRPC as a strategy.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod server;

/// OTLP over gRPC. Default port 4317. Servers also answer `grpc.health.v1.Health`.
#[derive(Clone, Copy, Debug, Default)]
pub struct GrpcTransportStrategy;
