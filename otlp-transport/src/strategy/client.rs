//! Clients of a way to speak OTLP.

use crate::{Attempt, BoxAttempt, ClientConfig, ClientStats, ConfigError, ExportResult, TransportContext};
use otlp_protocol::Batch;
use std::sync::Arc;

/// Makes clients of one way to speak OTLP, for programs that choose the protocol at run time. Programs that know their
/// protocol use [`GrpcClient::new`](crate::GrpcClient::new) or [`HttpClient::new`](crate::HttpClient::new).
///
/// ```
/// use otlp_transport::{ClientConfig, ClientStrategy, GrpcTransportStrategy, HttpTransportStrategy, TransportContext};
///
/// let context = TransportContext::tcp(64 << 20);
/// let strategies: [(&dyn ClientStrategy, _); 2] =
///     [(&GrpcTransportStrategy, "http://localhost:4317"), (&HttpTransportStrategy, "http://localhost:4318")];
/// for (strategy, endpoint) in strategies {
///     let client = strategy.client(&context, ClientConfig::new(endpoint))?; // connects when first used
///     println!("{:?}", client.stats());
/// }
/// # Ok::<(), otlp_transport::ConfigError>(())
/// ```
pub trait ClientStrategy: Send + Sync + 'static {
    /// Makes a client for one destination that counts its connections in `stats`, which clients of one destination may share.
    /// The client connects when first used.
    ///
    /// # Errors
    /// If a setting cannot work.
    fn counted_client(
        &self,
        context: &TransportContext,
        config: ClientConfig,
        stats: Arc<ClientStats>,
    ) -> Result<Client, ConfigError>;

    /// Makes a client for one destination with counters of its own. The client connects when first used.
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
