//! Servers of OTLP over HTTP.

use crate::server::Protocol;
use crate::{BindFuture, HttpTransportStrategy, Routes, ServerConfig, ServerStrategy, TransportContext};

impl ServerStrategy for HttpTransportStrategy {
    fn name(&self) -> &'static str {
        "http"
    }

    fn bind<'a>(
        &'a self,
        context: &'a TransportContext,
        config: ServerConfig,
        routes: Routes,
    ) -> BindFuture<'a> {
        Box::pin(crate::server::bind(context, config, routes, Protocol::Http))
    }
}
