//! Ways to speak OTLP, interchangeable at run time. A third one is one more file with an `impl TransportStrategy`.

use crate::{
    BoxExport, ClientConfig, ConfigError, NetFuture, Routes, Server, ServerConfig, TransportContext,
};

/// A way to speak OTLP over a network: both ends of it.
pub trait TransportStrategy: Send + Sync + 'static {
    /// `grpc` or `http`, as in the metric label `transport`.
    fn name(&self) -> &'static str;

    /// A client for one destination. Connects when first used; each export is one attempt.
    ///
    /// # Errors
    /// If a setting cannot work.
    fn client(&self, context: &TransportContext, config: ClientConfig) -> Result<BoxExport, ConfigError>;

    /// A server that hands what it receives to `routes`.
    fn bind<'a>(
        &'a self,
        context: &'a TransportContext,
        config: ServerConfig,
        routes: Routes,
    ) -> NetFuture<'a, Server>;
}
