//! Ways to speak OTLP, interchangeable at run time. Another one is one more file with an `impl TransportStrategy`.

use crate::{
    BoxExport, ClientConfig, ClientStats, ConfigError, Export, ExportResult, NetFuture, Routes, Server,
    ServerConfig, TransportContext,
};
use otlp_protocol::Batch;
use std::sync::Arc;

/// A way to speak OTLP over a network: both ends of it.
pub trait TransportStrategy: Send + Sync + 'static {
    /// `grpc`, `http` or `grpc+http`, as in the metric label `transport`.
    fn name(&self) -> &'static str;

    /// A client for one destination. Connects when first used; each export is one attempt.
    ///
    /// # Errors
    /// If a setting cannot work.
    fn client(&self, context: &TransportContext, config: ClientConfig) -> Result<Client, ConfigError>;

    /// A server that hands what it receives to `routes`.
    fn bind<'a>(
        &'a self,
        context: &'a TransportContext,
        config: ServerConfig,
        routes: Routes,
    ) -> NetFuture<'a, Server>;
}

/// A client for one destination, whichever way it speaks. Cloning shares its connections.
#[derive(Clone)]
pub struct Client {
    /// Makes one attempt for each export.
    pub export: BoxExport,
    /// What all its connections have counted.
    pub stats: Arc<ClientStats>,
}

impl Export for Client {
    fn export(&self, batch: Batch) -> impl Future<Output = ExportResult> + Send {
        self.export.export(batch)
    }
}
