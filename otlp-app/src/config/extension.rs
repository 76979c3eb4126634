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

use super::component::Component;
use super::decode::decode;
use super::listen::Transport;
use super::plan::ExtensionPlan;
use super::problem::Problems;
use super::rules::{KeyRule, ignored, only, refused};
use otlp_service::HealthSpec;
use serde::Deserialize;

/// Settings of the extension `health_check`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct HealthCheck {
    /// `host:port`, or the path of a Unix socket. Default `localhost:13133`.
    endpoint: Option<String>,
    /// What the endpoint is: tcp; tcp4 or tcp6, which is of IPv4 or IPv6 alone; unix. Default tcp.
    transport: Transport,
    /// Path of the readiness probe. Default `/`.
    path: Option<String>,
}

/// Keys of `health_check` that mean nothing here, or nothing yet.
pub(crate) const HEALTH_CHECK_RULES: &[KeyRule] = &[
    refused("tls", "probes would be answered in the clear"),
    refused("auth", "anybody would be answered"),
    only("middlewares", "", "there are none to put in"),
    ignored("check_collector_pipeline", "health shows every exporter in any case"),
    ignored("response_body", "the answer says what is healthy and what is not"),
    ignored("response_headers", "answers carry no headers of their own"),
    ignored("cors", "probes are not sent by pages of browsers"),
    ignored("compression_algorithms", NO_BODY),
    ignored("max_request_body_size", NO_BODY),
    ignored("include_metadata", "probes are not passed on"),
    ignored("dialer", "the extension opens no connections"),
    ignored("read_timeout", ONE_REQUEST),
    ignored("read_header_timeout", ONE_REQUEST),
    ignored("write_timeout", ONE_REQUEST),
    ignored("idle_timeout", ONE_REQUEST),
    ignored("keepalive", ONE_REQUEST),
    ignored("keep_alives_enabled", ONE_REQUEST),
];

/// The plan of `health_check`.
pub(crate) fn health_check(component: &mut Component, problems: &mut Problems) -> Option<ExtensionPlan> {
    let given: HealthCheck = decode(&component.settings, problems)?;
    let mut health = HealthSpec::default();
    let endpoint = given.endpoint.as_deref().unwrap_or(&health.endpoint);
    match given.transport.address(endpoint) {
        Ok(endpoint) => health.endpoint = endpoint,
        Err(problem) => {
            problems.push(component.problem("endpoint", problem));
            return None;
        }
    }
    health.path = given.path.unwrap_or(health.path);
    if !health.path.starts_with('/') {
        problems.push(component.problem("path", "it must start with `/`"));
        return None;
    }
    Some(ExtensionPlan::Health(health))
}

const NO_BODY: &str = "a probe has no body";
const ONE_REQUEST: &str = "a connection answers one probe, within 10 s";
