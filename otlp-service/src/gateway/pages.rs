//! Pages for operators and probes: metrics, health, and the status of components.

use super::readiness::Readiness;
use super::shared::Shared;
use crate::gateway::StartError;
use crate::health::{ErrorRules, HealthChecker, Layout, Since, StatusView};
use crate::spec::{GatewaySpec, HealthSpec, MetricsPage, StatusPages};
use crate::telemetry::{MetricsFormat, MetricsLevel, Registry};
use otlp_transport::{
    Address, Clock, ConfigError, Connections, GrpcTransportStrategy, HealthSource, Page, PageRequest,
    PagesServer, Routes, Server, ServerConfig, ServerStrategy as _, TransportContext, serve_pages,
};
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// A server of pages, by what makes it the same in two graphs.
pub(super) struct PagesRun {
    pub(super) wanted: Wanted,
    pub(super) server: PageServer,
}

/// Address and content of a server of pages.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    Metrics(MetricsPage),
    Health(HealthSpec),
    Status(StatusPages, ErrorRules),
    /// The health service on a port of its own.
    StatusGrpc(String, ErrorRules),
}

/// A running server of pages.
pub(super) enum PageServer {
    Http(PagesServer),
    Grpc(Server),
}

/// Facts about the gateway that the status of its components is made of. Cloning shares the facts.
#[derive(Clone)]
pub(super) struct StatusFacts {
    health: HealthChecker,
    readiness: Arc<Readiness>,
    clock: Arc<dyn Clock>,
    started: SystemTime,
    layout: Arc<Mutex<Arc<Layout>>>,
}

/// Health of the gateway, its pipelines and checks for a gRPC server.
struct StatusSource(StatusFacts, ErrorRules);

// === impl Wanted ===

impl Wanted {
    /// All that the spec asks for.
    pub(super) fn of(spec: &GatewaySpec) -> Vec<Self> {
        let metrics = spec.metrics_pages.iter().filter(|page| page.level > MetricsLevel::None);
        let metrics = metrics.cloned().map(Self::Metrics);
        let health = spec.health.iter().cloned().map(Self::Health);
        let status = spec.status.iter().flat_map(|status| {
            let pages = status.pages.clone().map(|pages| Self::Status(pages, status.rules));
            let grpc = status.grpc_endpoint.clone().map(|endpoint| Self::StatusGrpc(endpoint, status.rules));
            [pages, grpc].into_iter().flatten()
        });
        metrics.chain(health).chain(status).collect()
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Metrics(_) => "metrics",
            Self::Health(_) | Self::Status(..) => "health",
            Self::StatusGrpc(..) => "health/grpc",
        }
    }

    fn endpoint(&self) -> &str {
        match self {
            Self::Metrics(page) => &page.endpoint,
            Self::StatusGrpc(endpoint, _) => endpoint,
            Self::Health(health) => &health.endpoint,
            Self::Status(pages, _) => &pages.endpoint,
        }
    }

    /// The name of the server among those that listen.
    pub(super) fn component(&self) -> String {
        format!("{} {}", self.name(), self.endpoint())
    }
}

// === impl PageServer ===

impl PageServer {
    pub(super) fn local_addr(&self) -> Address {
        match self {
            Self::Http(server) => server.local_addr(),
            Self::Grpc(server) => server.local_addr(),
        }
    }
}

/// Serves metrics, health or status.
pub(super) async fn serve(
    context: &TransportContext,
    wanted: &Wanted,
    shared: &Shared,
) -> Result<PageServer, StartError> {
    let endpoint = wanted.endpoint();
    let served = match wanted.clone() {
        Wanted::Metrics(page) => {
            let registry = shared.registry.clone();
            serve_pages(context, endpoint, move |asked| metrics(asked, &page, &registry)).await
        }
        Wanted::Health(spec) => {
            let (health, live) = (shared.health.clone(), below(&spec.path, "live"));
            serve_pages(context, endpoint, move |asked| probe(asked.path, &spec.path, &live, &health)).await
        }
        Wanted::Status(pages, rules) => {
            let facts = shared.status.clone();
            serve_pages(context, endpoint, move |asked| status(asked, &pages, &facts, rules)).await
        }
        Wanted::StatusGrpc(_, rules) => {
            let server = serve_grpc(context, endpoint, StatusSource(shared.status.clone(), rules)).await;
            return bound(wanted, server).map(PageServer::Grpc);
        }
    };
    bound(wanted, served).map(PageServer::Http)
}

/// Serves the health service alone.
async fn serve_grpc(
    context: &TransportContext,
    endpoint: &str,
    source: StatusSource,
) -> Result<Server, ConfigError> {
    let mut config = ServerConfig::new(endpoint);
    config.name = "health".into();
    config.health = Some(Arc::new(source));
    // Connections of senders take no place of a probe.
    let connections = Arc::new(Connections::new(MAX_CONNECTIONS));
    let context = TransportContext { connections, ..context.clone() };
    GrpcTransportStrategy.bind(&context, config, Routes::new()).await
}

fn metrics(asked: &PageRequest<'_>, page: &MetricsPage, registry: &Registry) -> Option<Page> {
    if asked.path != "/metrics" {
        return None;
    }
    let format = MetricsFormat::for_accept(asked.accept, page.type_suffix);
    let body = registry.at_level(page.level).to_text(format);
    Some(Page { status: 200, content_type: format.content_type(), body })
}

fn probe(path: &str, ready: &str, live: &str, health: &HealthChecker) -> Option<Page> {
    if path == live {
        return Some(liveness(health));
    }
    let report = (path == ready).then(|| health.report())?;
    Some(Page { status: report.http_status(), content_type: JSON, body: report.to_json() })
}

fn liveness(health: &HealthChecker) -> Page {
    let (status, body) = health.report().liveness();
    Page { status, content_type: JSON, body }
}

/// Answers with the status of the gateway or of a pipeline, or with the configuration.
fn status(
    asked: &PageRequest<'_>,
    pages: &StatusPages,
    facts: &StatusFacts,
    rules: ErrorRules,
) -> Option<Page> {
    if let Some((_, text)) = pages.config.as_ref().filter(|(path, _)| path == asked.path) {
        return Some(Page { status: 200, content_type: YAML, body: text.to_string() });
    }
    let path = pages.path.as_ref()?;
    if asked.path == below(path, "live") {
        return Some(liveness(&facts.health));
    }
    let pipeline = (asked.path == path).then(|| asked.parameter("pipeline").unwrap_or_default())?;
    let verbose = asked.parameter("verbose").is_some_and(|value| value != "false");
    facts.view(rules, |view| {
        let status = view.of(&pipeline)?;
        Some(Page { status: status.http_status(), content_type: JSON, body: status.to_json(view, verbose) })
    })
}

/// The path of a page below another.
fn below(path: &str, name: &str) -> String {
    format!("{}/{name}", path.trim_end_matches('/'))
}

fn bound<T>(wanted: &Wanted, result: Result<T, ConfigError>) -> Result<T, StartError> {
    result.map_err(|source| StartError::Bind { component: wanted.name().into(), source })
}

// === impl StatusFacts ===

impl StatusFacts {
    pub(super) fn new(health: HealthChecker, readiness: Arc<Readiness>, clock: Arc<dyn Clock>) -> Self {
        Self { health, readiness, started: clock.wall(), clock, layout: Arc::default() }
    }

    /// Sets the components of the graph in use.
    pub(super) fn set_layout(&self, layout: Arc<Layout>) {
        *self.layout.lock() = layout;
    }

    fn view<T>(&self, rules: ErrorRules, read: impl FnOnce(&StatusView<'_>) -> T) -> T {
        let layout = self.layout.lock().clone();
        let report = self.health.report();
        read(&StatusView {
            report,
            layout: &layout,
            life: self.readiness.life(),
            rules,
            started: self.started,
            now: Since { monotonic: self.clock.now(), wall: self.clock.wall() },
        })
    }
}

// === impl StatusSource ===

impl HealthSource for StatusSource {
    fn is_serving(&self, name: &str) -> Option<bool> {
        self.0.view(self.1, |view| view.is_serving(name))
    }
}

impl fmt::Debug for StatusSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusSource").field("rules", &self.1).finish_non_exhaustive()
    }
}

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
/// Open connections of a gRPC server of health at a time.
const MAX_CONNECTIONS: usize = 64;
