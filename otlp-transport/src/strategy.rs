//! Ways to speak OTLP, interchangeable at run time. Another one is one more file with an `impl` of one end or of both.

use crate::{
    Attempt, BoxAttempt, ClientConfig, ClientStats, ConfigError, ExportResult, NetFuture, Routes, Server,
    ServerConfig, TransportContext,
};
use otlp_protocol::Batch;
use std::sync::Arc;

/// The server's end of a way to speak OTLP.
pub trait ServerStrategy: Send + Sync + 'static {
    /// `grpc`, `http` or `grpc+http`, as in the metric label `transport`.
    fn name(&self) -> &'static str;

    /// A server that hands what it receives to `routes`.
    fn bind<'a>(
        &'a self,
        context: &'a TransportContext,
        config: ServerConfig,
        routes: Routes,
    ) -> NetFuture<'a, Server>;
}

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

/// A way to speak OTLP over a network, both ends of it: whatever is a [`ServerStrategy`] and a [`ClientStrategy`].
pub trait TransportStrategy: ServerStrategy + ClientStrategy {}

impl<S: ServerStrategy + ClientStrategy> TransportStrategy for S {}

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
