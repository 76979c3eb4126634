//! Routes: which signals a server serves, under which paths, and which [`Export`](crate::Export) takes their batches.

use crate::BoxExport;
use otlp_protocol::Signal;
use parking_lot::RwLock;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use tokio::sync::watch;

/// The signals that a server serves, with the export of each. Cloning shares the routes: a route that is added or removed
/// while servers run applies from the next request on. A signal without a route is answered UNIMPLEMENTED over gRPC and 404
/// over HTTP.
///
/// ```
/// use otlp_protocol::{Accepted, Signal};
/// use otlp_transport::{BoxExport, Routes};
///
/// let sink = BoxExport::from_fn(|_batch| async { Ok(Accepted::FULL) });
/// assert_eq!(Routes::all(sink.clone()).iter().count(), 4); // traces, metrics, logs, profiles
///
/// let routes = Routes::new().with(Signal::LOGS, sink.clone());
/// let traces = routes.add(Signal::TRACES, Signal::TRACES.http_path, sink);
/// assert!(routes.by_http_path("/v1/traces").is_some());
/// drop(traces);
/// assert!(routes.by_http_path("/v1/traces").is_none() && routes.by_http_path("/v1/logs").is_some());
/// ```
#[derive(Clone, Default)]
pub struct Routes(Arc<Shared>);

#[derive(Default)]
struct Shared {
    routes: RwLock<Vec<Arc<Route>>>,
    /// Notified after each change of the routes.
    changed: watch::Sender<()>,
}

/// The route of one signal.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Route {
    /// The signal.
    pub signal: Signal,
    /// The path of its requests over HTTP.
    pub http_path: Cow<'static, str>,
    /// The export that takes its batches.
    pub export: BoxExport,
}

/// Keeps a route in [`Routes`]: dropping the handle removes the route. Requests under way still end.
#[must_use = "dropping the handle removes the route"]
#[derive(Debug)]
pub struct RouteHandle {
    routes: Routes,
    route: Arc<Route>,
}

// === impl Routes ===

impl Routes {
    /// Routes of no signal.
    pub fn new() -> Self {
        Self::default()
    }

    /// Routes of all signals of OTLP, under their default paths, to one export: [`Batch::signal`] tells the signals apart.
    ///
    /// [`Batch::signal`]: otlp_protocol::Batch::signal
    pub fn all(export: BoxExport) -> Self {
        Signal::ALL.into_iter().fold(Self::new(), |routes, signal| routes.with(signal, export.clone()))
    }

    /// Adds a signal under its default path, for good.
    #[must_use]
    pub fn with(self, signal: Signal, export: BoxExport) -> Self {
        self.with_path(signal, signal.http_path, export)
    }

    /// Adds a signal under another path over HTTP, for good.
    #[must_use]
    pub fn with_path(self, signal: Signal, path: impl Into<Cow<'static, str>>, export: BoxExport) -> Self {
        self.push(signal, path.into(), export);
        self
    }

    /// Adds a signal under a path over HTTP until the handle is dropped. If several routes have the same signal or path, the
    /// first one added is used.
    pub fn add(&self, signal: Signal, path: impl Into<Cow<'static, str>>, export: BoxExport) -> RouteHandle {
        let route = self.push(signal, path.into(), export);
        RouteHandle { routes: self.clone(), route }
    }

    /// Lists all routes in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = Arc<Route>> {
        self.0.routes.read().clone().into_iter()
    }

    /// The route of a gRPC method.
    pub fn by_grpc_path(&self, path: &str) -> Option<Arc<Route>> {
        self.0.routes.read().iter().find(|route| route.signal.grpc_path == path).cloned()
    }

    /// The route of an HTTP path.
    pub fn by_http_path(&self, path: &str) -> Option<Arc<Route>> {
        self.0.routes.read().iter().find(|route| route.http_path == path).cloned()
    }

    fn push(&self, signal: Signal, http_path: Cow<'static, str>, export: BoxExport) -> Arc<Route> {
        let route = Arc::new(Route { signal, http_path, export });
        self.0.routes.write().push(route.clone());
        self.0.changed.send_replace(());
        route
    }

    /// Returns a receiver that is notified after each change of the routes.
    #[cfg(feature = "server")]
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

// === impl RouteHandle ===

impl Drop for RouteHandle {
    fn drop(&mut self) {
        let Shared { routes, changed } = &*self.routes.0;
        routes.write().retain(|route| !Arc::ptr_eq(route, &self.route));
        changed.send_replace(());
    }
}
