//! The server's end of a way to speak OTLP.

use crate::{NetFuture, Routes, Server, ServerConfig, TransportContext};

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
