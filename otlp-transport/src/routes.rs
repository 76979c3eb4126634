//! Where a server hands what it receives, by signal.

use crate::BoxExport;
use otlp_protocol::Signal;
use parking_lot::RwLock;
use std::borrow::Cow;
use std::sync::Arc;

/// The signals a server takes, and where they go. Cloning shares them: a route that is added or removed while servers run
/// counts from the next request on.
///
/// ```
/// use otlp_protocol::{Accepted, Batch, Signal};
/// use otlp_transport::{Attempt, BoxExport, ExportResult, Routes};
///
/// struct Sink;
///
/// impl Attempt for Sink {
///     async fn attempt(&self, _: &Batch) -> ExportResult {
///         Ok(Accepted::FULL)
///     }
/// }
///
/// let routes = Routes::new().with(Signal::LOGS, BoxExport::new(Sink));
/// let traces = routes.add(Signal::TRACES, Signal::TRACES.http_path, BoxExport::new(Sink));
/// assert!(routes.by_http_path("/v1/traces").is_some());
/// drop(traces);
/// assert!(routes.by_http_path("/v1/traces").is_none() && routes.by_http_path("/v1/logs").is_some());
/// ```
#[derive(Clone, Default)]
pub struct Routes(Arc<RwLock<Vec<Arc<Route>>>>);

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

/// Keeps a route in [`Routes`]: dropping it removes the route. Requests under way keep theirs.
#[must_use = "dropping it removes the route"]
pub struct RouteHandle {
    routes: Routes,
    route: Arc<Route>,
}

// === impl Routes ===

impl Routes {
    /// No signal: everything is answered with UNIMPLEMENTED or 404.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a signal under its default path, for good.
    #[must_use]
    pub fn with(self, signal: Signal, export: BoxExport) -> Self {
        self.with_path(signal, signal.http_path, export)
    }

    /// Adds a signal under a path of its own over HTTP, for good.
    #[must_use]
    pub fn with_path(self, signal: Signal, path: impl Into<Cow<'static, str>>, export: BoxExport) -> Self {
        self.push(signal, path.into(), export);
        self
    }

    /// Adds a signal under a path over HTTP, for as long as the handle lives. Of several routes of a signal or a path, the
    /// one that was added first counts.
    pub fn add(&self, signal: Signal, path: impl Into<Cow<'static, str>>, export: BoxExport) -> RouteHandle {
        let route = self.push(signal, path.into(), export);
        RouteHandle { routes: self.clone(), route }
    }

    /// All routes, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = Arc<Route>> {
        self.0.read().clone().into_iter()
    }

    /// The route of a gRPC method.
    pub fn by_grpc_path(&self, path: &str) -> Option<Arc<Route>> {
        self.0.read().iter().find(|route| route.signal.grpc_path == path).cloned()
    }

    /// The route of an HTTP path.
    pub fn by_http_path(&self, path: &str) -> Option<Arc<Route>> {
        self.0.read().iter().find(|route| route.http_path == path).cloned()
    }

    fn push(&self, signal: Signal, http_path: Cow<'static, str>, export: BoxExport) -> Arc<Route> {
        let route = Arc::new(Route { signal, http_path, export });
        self.0.write().push(route.clone());
        route
    }
}

// === impl RouteHandle ===

impl Drop for RouteHandle {
    fn drop(&mut self) {
        self.routes.0.write().retain(|route| !Arc::ptr_eq(route, &self.route));
    }
}
