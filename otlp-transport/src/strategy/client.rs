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

/// A client for one destination, of any protocol. Cloning shares its connections.
#[derive(Clone, Debug)]
pub struct Client {
    attempt: BoxAttempt,
    stats: Arc<ClientStats>,
}

impl Client {
    /// A client of a strategy of one's own: what makes the attempts, and where its connections are counted.
    pub fn new(attempt: BoxAttempt, stats: Arc<ClientStats>) -> Self {
        Self { attempt, stats }
    }

    /// Counters of all connections of the client.
    pub fn stats(&self) -> &Arc<ClientStats> {
        &self.stats
    }

    /// The attempt alone, as an exporter's specification takes it.
    pub fn into_attempt(self) -> BoxAttempt {
        self.attempt
    }
}

impl Attempt for Client {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        self.attempt.attempt(batch).await
    }
}
