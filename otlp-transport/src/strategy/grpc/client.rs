//! Clients of OTLP over gRPC.

use crate::{
    BoxAttempt, Client, ClientConfig, ClientStats, ClientStrategy, ConfigError, GrpcClient,
    GrpcTransportStrategy, TransportContext,
};
use std::sync::Arc;

impl ClientStrategy for GrpcTransportStrategy {
    fn counted_client(
        &self,
        context: &TransportContext,
        config: ClientConfig,
        stats: Arc<ClientStats>,
    ) -> Result<Client, ConfigError> {
        let client = GrpcClient::counted(context, &config, stats.clone())?;
        Ok(Client::new(BoxAttempt::new(client), stats))
    }
}
