//! OTLP over gRPC as a strategy.

use crate::client::GrpcClient;
use crate::server::Protocol;
use crate::{
    BoxExport, ClientConfig, ConfigError, NetFuture, Routes, Server, ServerConfig, TransportContext,
    TransportStrategy,
};

/// OTLP over gRPC, port 4317 by custom.
#[derive(Clone, Copy, Debug, Default)]
pub struct GrpcTransportStrategy;

impl TransportStrategy for GrpcTransportStrategy {
    fn name(&self) -> &'static str {
        "grpc"
    }

    fn client(&self, context: &TransportContext, config: ClientConfig) -> Result<BoxExport, ConfigError> {
        GrpcClient::new(context, &config).map(BoxExport::new)
    }

    fn bind<'a>(
        &'a self,
        context: &'a TransportContext,
        config: ServerConfig,
        routes: Routes,
    ) -> NetFuture<'a, Server> {
        Box::pin(crate::server::bind(context, config, routes, Protocol::Grpc))
    }
}
