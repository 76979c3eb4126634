//! Servers of OTLP over gRPC.

use crate::server::Protocol;
use crate::{BindFuture, GrpcTransportStrategy, Routes, ServerConfig, ServerStrategy, TransportContext};

impl ServerStrategy for GrpcTransportStrategy {
    fn name(&self) -> &'static str {
        "grpc"
    }

    fn bind<'a>(
        &'a self,
        context: &'a TransportContext,
        config: ServerConfig,
        routes: Routes,
    ) -> BindFuture<'a> {
        Box::pin(crate::server::bind(context, config, routes, Protocol::Grpc))
    }
}
