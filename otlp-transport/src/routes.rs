//! Where a server hands what it receives, by signal.

use crate::BoxExport;
use otlp_protocol::Signal;
use std::borrow::Cow;

/// The signals a server takes, and where they go.
#[derive(Clone, Default)]
pub struct Routes(Vec<Route>);

/// One signal's way in.
#[derive(Clone)]
pub struct Route {
    /// The signal.
    pub signal: Signal,
    /// Its path over HTTP.
    pub http_path: Cow<'static, str>,
    /// Who takes its batches.
    pub export: BoxExport,
}

impl Routes {
    /// No signal: everything is answered with UNIMPLEMENTED or 404.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a signal under its default path.
    #[must_use]
    pub fn with(self, signal: Signal, export: BoxExport) -> Self {
        self.with_path(signal, signal.http_path, export)
    }

    /// Adds a signal under a path of its own over HTTP.
    #[must_use]
    pub fn with_path(
        mut self,
        signal: Signal,
        path: impl Into<Cow<'static, str>>,
        export: BoxExport,
    ) -> Self {
        self.0.push(Route { signal, http_path: path.into(), export });
        self
    }

    /// All routes, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.0.iter()
    }

    /// The route of a gRPC method.
    pub fn by_grpc_path(&self, path: &str) -> Option<&Route> {
        self.0.iter().find(|route| route.signal.grpc_path == path)
    }

    /// The route of an HTTP path.
    pub fn by_http_path(&self, path: &str) -> Option<&Route> {
        self.0.iter().find(|route| route.http_path == path)
    }
}
