//! Pages for operators and probes: metrics and health.

use super::shared::Shared;
use crate::gateway::StartError;
use crate::health::HealthChecker;
use crate::telemetry::Registry;
use otlp_transport::{ConfigError, Page, PagesServer, TransportContext, serve_pages};

/// A server of pages, by what makes it the same in two graphs.
pub(super) struct PagesRun {
    pub(super) wanted: Wanted,
    pub(super) server: PagesServer,
}

/// `metrics` or `health`, the endpoint, and the path of the page.
pub(super) type Wanted = (&'static str, String, String);

impl PagesRun {
    pub(super) fn is(&self, wanted: &Wanted) -> bool {
        self.wanted == *wanted
    }
}

/// Serves own metrics, or health: readiness under the path, liveness below that.
pub(super) async fn serve(
    context: &TransportContext,
    (name, endpoint, path): &Wanted,
    shared: &Shared,
) -> Result<PagesServer, StartError> {
    let (registry, health) = (shared.registry.clone(), shared.health.clone());
    let served = if *name == "health" {
        let (ready, live) = (path.clone(), format!("{}/live", path.trim_end_matches('/')));
        serve_pages(context, endpoint, move |asked| probe(asked.path, &ready, &live, &health)).await
    } else {
        serve_pages(context, endpoint, move |asked| metrics(asked.path, &registry)).await
    };
    bound(name, served)
}

fn metrics(path: &str, registry: &Registry) -> Option<Page> {
    let body = || registry.snapshot().to_string();
    (path == "/metrics").then(|| Page { status: 200, content_type: PROMETHEUS_TEXT, body: body() })
}

fn probe(path: &str, ready: &str, live: &str, health: &HealthChecker) -> Option<Page> {
    if path == live {
        return Some(Page { status: 200, content_type: JSON, body: "{\"status\":\"healthy\"}".into() });
    }
    let report = (path == ready).then(|| health.report())?;
    Some(Page { status: report.http_status(), content_type: JSON, body: report.to_json() })
}

fn bound(component: &str, result: Result<PagesServer, ConfigError>) -> Result<PagesServer, StartError> {
    result.map_err(|source| StartError::Bind { component: component.into(), source })
}

const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const JSON: &str = "application/json";
