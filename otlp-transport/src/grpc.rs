//! OTLP over gRPC as a strategy.

use crate::client::GrpcClient;
use crate::server::Protocol;
use crate::{
    BoxAttempt, Client, ClientConfig, ClientStats, ClientStrategy, ConfigError, NetFuture, Routes, Server,
    ServerConfig, ServerStrategy, TransportContext,
};
use std::sync::Arc;

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
    fn counted_client(
        &self,
        context: &TransportContext,
        config: ClientConfig,
        stats: Arc<ClientStats>,
    ) -> Result<Client, ConfigError> {
        let client = GrpcClient::counted(context, &config, stats.clone())?;
        Ok(Client { attempt: BoxAttempt::new(client), stats })
    }
}
