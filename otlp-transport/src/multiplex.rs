//! OTLP over gRPC and HTTP on one port, as a strategy.

use crate::server::Protocol;
use crate::{
    Client, ClientConfig, ConfigError, GrpcTransportStrategy, NetFuture, Routes, Server, ServerConfig,
    TransportContext, TransportStrategy,
};

/// OTLP over gRPC and over HTTP on one port: a request whose content type is `application/grpc` is gRPC, any other one is
/// HTTP. A client has to choose, and speaks gRPC.
#[derive(Clone, Copy, Debug, Default)]
pub struct MultiplexTransportStrategy;

impl TransportStrategy for MultiplexTransportStrategy {
    fn name(&self) -> &'static str {
        "grpc+http"
    }

    fn client(&self, context: &TransportContext, config: ClientConfig) -> Result<Client, ConfigError> {
        GrpcTransportStrategy.client(context, config)
    }

    fn bind<'a>(
        &'a self,
        context: &'a TransportContext,
        config: ServerConfig,
        routes: Routes,
    ) -> NetFuture<'a, Server> {
        Box::pin(crate::server::bind(context, config, routes, Protocol::Both))
    }
}
