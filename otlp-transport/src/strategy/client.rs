//! The client's end of a way to speak OTLP.

use crate::{Attempt, BoxAttempt, ClientConfig, ClientStats, ConfigError, ExportResult, TransportContext};
use otlp_protocol::Batch;
use std::sync::Arc;

/// The client's end of a way to speak OTLP.
pub trait ClientStrategy: Send + Sync + 'static {
    /// A client for one destination, whose connections are counted in `stats`: clients of one destination may share them.
    /// Connects when first used.
    ///
    /// # Errors
    /// If a setting cannot work.
    fn counted_client(
        &self,
        context: &TransportContext,
        config: ClientConfig,
        stats: Arc<ClientStats>,
    ) -> Result<Client, ConfigError>;

    /// The same with counters of its own.
    ///
    /// # Errors
    /// If a setting cannot work.
    fn client(&self, context: &TransportContext, config: ClientConfig) -> Result<Client, ConfigError> {
        self.counted_client(context, config, Arc::default())
    }
}

/// A client for one destination, whichever way it speaks. Cloning shares its connections.
#[derive(Clone)]
pub struct Client {
    /// Makes the attempts.
    pub attempt: BoxAttempt,
    /// What all its connections have counted.
    pub stats: Arc<ClientStats>,
}

impl Attempt for Client {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        self.attempt.attempt(batch).await
    }
}
