//! Addresses at which health probes are answered.

use crate::health::ErrorRules;
use std::sync::Arc;

/// Address and path at which health probes are answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HealthSpec {
    /// `host:port`; port 0 lets the system choose.
    pub endpoint: String,
    /// Path of the readiness probe; liveness is below it, at `live`.
    pub path: String,
}

/// Addresses at which the status of the gateway, its pipelines and components is answered, as by the Collector's extension
/// `healthcheckv2`. Default: none.
///
/// ```
/// use otlp_service::{GatewaySpec, StatusPages, StatusSpec};
///
/// let mut status = StatusSpec::default();
/// status.pages = Some(StatusPages::new("localhost:13133"));
/// status.grpc_endpoint = Some("localhost:13132".into());
/// let spec = GatewaySpec { status: vec![status], ..GatewaySpec::default() };
/// # drop(spec);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StatusSpec {
    /// The status over HTTP.
    pub pages: Option<StatusPages>,
    /// `host:port` of the gRPC service `grpc.health.v1.Health`, for the whole gateway (the empty name), pipelines and checks.
    pub grpc_endpoint: Option<String>,
    /// Errors of components that make the answers fail.
    pub rules: ErrorRules,
}

/// The status over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StatusPages {
    /// `host:port`; port 0 lets the system choose.
    pub endpoint: String,
    /// Path of the status; liveness is below it, at `live`. `None`: no status. Default `/status`.
    pub path: Option<String>,
    /// Path and text of the configuration. `None`, the default: the configuration is not shown.
    pub config: Option<(String, Arc<str>)>,
}

impl Default for HealthSpec {
    /// The Collector's: `localhost:13133/`.
    fn default() -> Self {
        Self { endpoint: "localhost:13133".into(), path: "/".into() }
    }
}

impl StatusPages {
    /// The status at `/status`.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self { endpoint: endpoint.into(), path: Some("/status".into()), config: None }
    }
}
