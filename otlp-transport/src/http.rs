//! OTLP over HTTP as a strategy.

use crate::client::HttpClient;
use crate::server::Protocol;
use crate::{
    BoxAttempt, Client, ClientConfig, ClientStats, ClientStrategy, ConfigError, NetFuture, Routes, Server,
    ServerConfig, ServerStrategy, TransportContext,
};
use std::sync::Arc;

/// OTLP over HTTP, port 4318 by custom.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpTransportStrategy;

impl ServerStrategy for HttpTransportStrategy {
    fn name(&self) -> &'static str {
        "http"
    }

    fn bind<'a>(
        &'a self,
        context: &'a TransportContext,
        config: ServerConfig,
        routes: Routes,
    ) -> NetFuture<'a, Server> {
        Box::pin(crate::server::bind(context, config, routes, Protocol::Http))
    }
}

impl ClientStrategy for HttpTransportStrategy {
    fn counted_client(
        &self,
        context: &TransportContext,
        config: ClientConfig,
        stats: Arc<ClientStats>,
    ) -> Result<Client, ConfigError> {
        let client = HttpClient::counted(context, &config, stats.clone())?;
        Ok(Client { attempt: BoxAttempt::new(client), stats })
    }
}
