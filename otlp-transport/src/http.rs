//! OTLP over HTTP as a strategy.

use crate::client::HttpClient;
use crate::server::Protocol;
use crate::{
    BoxAttempt, Client, ClientConfig, ConfigError, NetFuture, Routes, Server, ServerConfig, TransportContext,
    TransportStrategy,
};

/// OTLP over HTTP, port 4318 by custom.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpTransportStrategy;

impl TransportStrategy for HttpTransportStrategy {
    fn name(&self) -> &'static str {
        "http"
    }

    fn client(&self, context: &TransportContext, config: ClientConfig) -> Result<Client, ConfigError> {
        let client = HttpClient::new(context, &config)?;
        let stats = client.stats().clone();
        Ok(Client { attempt: BoxAttempt::new(client), stats })
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
