//! The extension `health_check`: health probes over HTTP.

use super::health_checks::HealthChecks;
use crate::config::listen::Transport;
use otlp_service::{BuildContext, HealthPart, HealthSpec, KeyRule, SettingsError};
use serde::Deserialize;

/// Settings of the extension `health_check`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HealthCheck {
    /// `host:port`, or the path of a Unix socket. Default `localhost:13133`.
    endpoint: Option<String>,
    /// Kind of the endpoint: tcp; tcp4 or tcp6 for IPv4 or IPv6 only; unix. Default tcp.
    transport: Transport,
    /// Path of the readiness probe. Default `/`.
    path: Option<String>,
    /// Health checks of the whole gateway. Only one extension may set them.
    checks: Option<HealthChecks>,
}

/// Keys of the Collector's `health_check` that have no effect here.
pub(crate) const HEALTH_CHECK_RULES: &[KeyRule] = &[
    KeyRule::refused("tls", "health probes are answered without TLS"),
    KeyRule::refused("auth", "health probes are answered without authentication"),
    KeyRule::only("middlewares", "", "middlewares are not supported"),
    KeyRule::ignored("check_collector_pipeline", "health shows every exporter anyway"),
    KeyRule::ignored("response_body", "the answer says what is healthy and what is not"),
    KeyRule::ignored("response_headers", "answers carry no headers of their own"),
    KeyRule::ignored("cors", "probes are not sent by pages of browsers"),
    KeyRule::ignored("compression_algorithms", NO_BODY),
    KeyRule::ignored("max_request_body_size", NO_BODY),
    KeyRule::ignored("include_metadata", "probes are not passed on"),
    KeyRule::ignored("dialer", "the extension opens no connections"),
    KeyRule::ignored("read_timeout", ONE_REQUEST),
    KeyRule::ignored("read_header_timeout", ONE_REQUEST),
    KeyRule::ignored("write_timeout", ONE_REQUEST),
    KeyRule::ignored("idle_timeout", ONE_REQUEST),
    KeyRule::ignored("keepalive", ONE_REQUEST),
    KeyRule::ignored("keep_alives_enabled", ONE_REQUEST),
];

/// Makes `health_check`.
pub(crate) fn health_check(
    HealthCheck { endpoint, transport, path, checks }: HealthCheck,
    _: &BuildContext<'_>,
) -> Result<HealthPart, SettingsError> {
    let mut part = HealthPart::from(page(endpoint, transport, path)?);
    part.checks = checks.map(HealthChecks::spec).transpose()?;
    Ok(part)
}

/// Makes the page of `health_check`.
pub(super) fn page(
    endpoint: Option<String>,
    transport: Transport,
    path: Option<String>,
) -> Result<HealthSpec, SettingsError> {
    let mut health = HealthSpec::default();
    let address = transport.address(endpoint.as_deref().unwrap_or(&health.endpoint));
    health.endpoint = address.map_err(|problem| SettingsError::at("endpoint", problem))?;
    health.path = path.unwrap_or(health.path);
    check_path("path", &health.path)?;
    Ok(health)
}

/// Refuses a path that no request can have.
pub(super) fn check_path(key: &str, path: &str) -> Result<(), SettingsError> {
    match path.starts_with('/') {
        true => Ok(()),
        false => Err(SettingsError::at(key, "it must start with `/`")),
    }
}

const NO_BODY: &str = "a probe has no body";
const ONE_REQUEST: &str = "a connection answers one probe, within 10 s";
