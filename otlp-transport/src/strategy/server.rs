//! The server's end of a way to speak OTLP.

use crate::{ConfigError, Routes, Server, ServerConfig, TransportContext};
use std::pin::Pin;

/// A [`Server`] in its own time: the answer of [`ServerStrategy::bind`].
pub type BindFuture<'a> = Pin<Box<dyn Future<Output = Result<Server, ConfigError>> + Send + 'a>>;

/// The server's end of a way to speak OTLP.
pub trait ServerStrategy: Send + Sync + 'static {
    /// `grpc`, `http` or `grpc+http`, as in the metric label `transport`.
    fn name(&self) -> &'static str;

    /// Listens on the configured endpoint, and hands what comes to `routes` until the server is drained or dropped. To be
    /// awaited within a tokio runtime.
    ///
    /// # Errors
    /// If a setting cannot work, a file of the TLS settings cannot be used, or the endpoint cannot be listened on: the
    /// error then has the system's error as its source.
    fn bind<'a>(
        &'a self,
        context: &'a TransportContext,
        config: ServerConfig,
        routes: Routes,
    ) -> BindFuture<'a>;
}
