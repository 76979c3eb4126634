//! The extensions: `health_check`, and those that authenticate.

mod api_key;
mod basic;
mod bearer;
mod client_certificate;
mod headers_setter;

pub(crate) use api_key::api_key;
pub(crate) use basic::basicauth;
pub(crate) use bearer::bearertokenauth;
pub(crate) use client_certificate::client_certificate;
pub(crate) use headers_setter::headers_setter;

use super::component::Component;
use super::decode::decode;
use super::listen::listen_address;
use super::plan::ExtensionPlan;
use super::problem::Problems;
use super::rules::{KeyRule, ignored, refused};
use otlp_service::HealthSpec;
use serde::Deserialize;

/// Settings of the extension `health_check`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct HealthCheck {
    /// `host:port`. Default `localhost:13133`.
    endpoint: Option<String>,
    /// Path of the readiness probe. Default `/`.
    path: Option<String>,
}

/// Keys of `health_check` that mean nothing here, or nothing yet.
pub(crate) const HEALTH_CHECK_RULES: &[KeyRule] = &[
    refused("tls", "probes would be answered in the clear"),
    refused("auth", "anybody would be answered"),
    ignored("check_collector_pipeline", "exporters count by themselves"),
    ignored("response_body", "the answer says what is healthy and what is not"),
];

/// The plan of `health_check`.
pub(crate) fn health_check(component: &mut Component, problems: &mut Problems) -> Option<ExtensionPlan> {
    let given: HealthCheck = decode(&component.settings, problems)?;
    let mut health = HealthSpec::default();
    if let Some(endpoint) = given.endpoint {
        match listen_address(&endpoint) {
            Ok(endpoint) => health.endpoint = endpoint,
            Err(problem) => {
                problems.push(component.problem("endpoint", problem));
                return None;
            }
        }
    }
    health.path = given.path.unwrap_or(health.path);
    if !health.path.starts_with('/') {
        problems.push(component.problem("path", "it must start with `/`"));
        return None;
    }
    Some(ExtensionPlan::Health(health))
}
