//! OTLP over gRPC as a strategy.

use crate::client::GrpcClient;
use crate::server::Protocol;
use crate::{
    BoxAttempt, Client, ClientConfig, ClientStrategy, ConfigError, NetFuture, Routes, Server, ServerConfig,
    ServerStrategy, TransportContext,
};

/// OTLP over gRPC, port 4317 by custom.
#[derive(Clone, Copy, Debug, Default)]
pub struct GrpcTransportStrategy;

impl ServerStrategy for GrpcTransportStrategy {
    fn name(&self) -> &'static str {
        "grpc"
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

impl ClientStrategy for GrpcTransportStrategy {
    fn client(&self, context: &TransportContext, config: ClientConfig) -> Result<Client, ConfigError> {
        let client = GrpcClient::new(context, &config)?;
        let stats = client.pool().stats().clone();
        Ok(Client { attempt: BoxAttempt::new(client), stats })
    }
}
