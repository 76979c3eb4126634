//! The extensions: `health_check`, and those that authenticate.

mod api_key;
mod basic;
mod bearer;
mod client_certificate;
mod headers_setter;
mod inert;
mod on_empty;

pub(crate) use api_key::api_key;
pub(crate) use basic::basicauth;
pub(crate) use bearer::bearertokenauth;
pub(crate) use client_certificate::client_certificate;
pub(crate) use headers_setter::headers_setter;
pub(crate) use inert::{MEMORY_BALLAST_RULES, PPROF_RULES, ZPAGES_RULES, inert};

use super::listen::Transport;
use otlp_service::{BuildContext, HealthSpec, KeyRule, SettingsError};
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
pub(crate) fn health_check(given: HealthCheck, _: &BuildContext<'_>) -> Result<HealthSpec, SettingsError> {
    let mut health = HealthSpec::default();
    let endpoint = given.endpoint.as_deref().unwrap_or(&health.endpoint);
    let address = given.transport.address(endpoint);
    health.endpoint = address.map_err(|problem| SettingsError::at("endpoint", problem))?;
    health.path = given.path.unwrap_or(health.path);
    if !health.path.starts_with('/') {
        return Err(SettingsError::at("path", "it must start with `/`"));
    }
    Ok(health)
}

const NO_BODY: &str = "a probe has no body";
const ONE_REQUEST: &str = "a connection answers one probe, within 10 s";
