//! Clients of OTLP over HTTP.

use crate::{
    BoxAttempt, Client, ClientConfig, ClientStats, ClientStrategy, ConfigError, HttpClient,
    HttpTransportStrategy, TransportContext,
};
use std::sync::Arc;

impl ClientStrategy for HttpTransportStrategy {
    fn counted_client(
        &self,
        context: &TransportContext,
        config: ClientConfig,
        stats: Arc<ClientStats>,
    ) -> Result<Client, ConfigError> {
        let client = HttpClient::counted(context, &config, stats.clone())?;
        Ok(Client::new(BoxAttempt::new(client), stats))
    }
}
