//! What operators and probes may ask for.

use crate::gateway::StartError;
use crate::health::HealthChecker;
use crate::spec::HealthSpec;
use crate::telemetry::Registry;
use otlp_transport::{ConfigError, Page, PagesServer, TransportContext, serve_pages};

/// Own metrics, under `/metrics`.
pub(super) async fn serve_metrics(
    context: &TransportContext,
    endpoint: &str,
    registry: Registry,
) -> Result<PagesServer, StartError> {
    let page = move |path: &str| {
        let body = || registry.snapshot().to_string();
        (path == "/metrics").then(|| Page { status: 200, content_type: PROMETHEUS_TEXT, body: body() })
    };
    bound("metrics", serve_pages(context, endpoint, page).await)
}

/// Readiness under the configured path, liveness below that.
pub(super) async fn serve_health(
    context: &TransportContext,
    HealthSpec { endpoint, path }: &HealthSpec,
    health: HealthChecker,
) -> Result<PagesServer, StartError> {
    let ready_path = path.clone();
    let live_path = format!("{}/live", path.trim_end_matches('/'));
    let page = move |path: &str| {
        if path == live_path {
            return Some(Page { status: 200, content_type: JSON, body: "{\"status\":\"healthy\"}".into() });
        }
        let report = (path == ready_path).then(|| health.report())?;
        Some(Page { status: report.http_status(), content_type: JSON, body: report.to_json() })
    };
    bound("health", serve_pages(context, endpoint, page).await)
}

fn bound(component: &str, result: Result<PagesServer, ConfigError>) -> Result<PagesServer, StartError> {
    result.map_err(|source| StartError::Bind { component: component.into(), source })
}

const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const JSON: &str = "application/json";
