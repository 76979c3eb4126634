//! OTLP over gRPC and HTTP on one port, as a strategy.

use crate::server::Protocol;
use crate::{BindFuture, Routes, ServerConfig, ServerStrategy, TransportContext};

/// OTLP over gRPC and over HTTP on one port: a request whose content type starts with `application/grpc` is gRPC, any other
/// request is HTTP. Clients speak one protocol, so this is a [`ServerStrategy`] alone:
///
/// ```compile_fail,E0277
/// use otlp_transport::{ClientStrategy, MultiplexTransportStrategy};
///
/// let no_client: &dyn ClientStrategy = &MultiplexTransportStrategy;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MultiplexTransportStrategy;

impl ServerStrategy for MultiplexTransportStrategy {
    fn name(&self) -> &'static str {
        "grpc+http"
    }

    fn bind<'a>(
        &'a self,
        context: &'a TransportContext,
        config: ServerConfig,
        routes: Routes,
    ) -> BindFuture<'a> {
        Box::pin(crate::server::bind(context, config, routes, Protocol::Both))
    }
}
