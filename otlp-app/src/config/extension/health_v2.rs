//! The extension `healthcheckv2`: the status of components over HTTP and gRPC, or the page of `health_check`.

use super::health::{check_path, page};
use super::health_checks::HealthChecks;
use crate::config::listen::Transport;
use otlp_service::{BuildContext, GoDuration, HealthPart, KeyRule, SettingsError, StatusPages, StatusSpec};
use serde::Deserialize;

/// Settings of the extension `healthcheckv2`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HealthCheckV2 {
    /// true: the status of components at `http` and `grpc`; false: the page of `health_check`, at `endpoint`. Default true if one of
    /// `http`, `grpc` and `component_health` is given, else false; false in the Collector.
    use_v2: Option<bool>,
    /// Without `use_v2`: `host:port`, or the path of a Unix socket. Default `localhost:13133`.
    endpoint: Option<String>,
    /// Without `use_v2`: kind of the endpoint: tcp; tcp4 or tcp6 for IPv4 or IPv6 only; unix. Default tcp.
    transport: Transport,
    /// Without `use_v2`: path of the readiness probe. Default `/`.
    path: Option<String>,
    /// The status over HTTP. Default on unless `grpc` is given.
    http: Option<StatusHttp>,
    /// The service `grpc.health.v1.Health` on a port of its own.
    grpc: Option<StatusGrpc>,
    /// Errors of components that turn answers to 500 and NOT_SERVING.
    component_health: Option<ComponentHealth>,
    /// Health checks of the whole gateway. Only one extension may set them.
    checks: Option<HealthChecks>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct StatusHttp {
    /// `host:port`, or the path of a Unix socket. Default `localhost:13133`.
    endpoint: Option<String>,
    /// Kind of the endpoint: tcp; tcp4 or tcp6 for IPv4 or IPv6 only; unix. Default tcp.
    transport: Transport,
    /// The status of the gateway; of a pipeline with `?pipeline=ID`; of all components with `?verbose`.
    status: StatusPage,
    /// The configuration.
    config: ConfigPage,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct StatusPage {
    /// Serves the status. Default true.
    enabled: Option<bool>,
    /// Path of the status. Default `/status`.
    path: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ConfigPage {
    /// Serves the merged configuration as YAML, without secrets. Default false.
    enabled: bool,
    /// Path of the configuration. Default `/config`.
    path: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct StatusGrpc {
    /// `host:port`, or the path of a Unix socket. Default `localhost:13132`.
    endpoint: Option<String>,
    /// Kind of the endpoint: tcp; tcp4 or tcp6 for IPv4 or IPv6 only; unix. Default tcp.
    transport: Transport,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ComponentHealth {
    /// Counts unhealthy checks that affect the report alone. Default false.
    include_permanent_errors: bool,
    /// Counts checks that have been degraded for longer than `recovery_duration`. Default false.
    include_recoverable_errors: bool,
    /// Time that a degraded check has to recover. Default 0.
    recovery_duration: GoDuration,
}

/// Keys of the Collector's `healthcheckv2` that have no effect here. Those of the page of `health_check` are in another table.
pub(crate) const HEALTH_V2_RULES: &[KeyRule] = &[
    KeyRule::on_if_there("http"),
    KeyRule::on_if_there("grpc"),
    KeyRule::like("http", &[super::HEALTH_CHECK_RULES], "those of health_check"),
    KeyRule::refused("grpc.tls", "health probes are answered without TLS"),
    KeyRule::refused("grpc.auth", "health probes are answered without authentication"),
    KeyRule::only("grpc.middlewares", "", "middlewares are not supported"),
    KeyRule::ignored("grpc.keepalive", SMALL),
    KeyRule::ignored("grpc.max_recv_msg_size_mib", SMALL),
    KeyRule::ignored("grpc.max_concurrent_streams", SMALL),
    KeyRule::ignored("grpc.read_buffer_size", SMALL),
    KeyRule::ignored("grpc.write_buffer_size", SMALL),
    KeyRule::ignored("grpc.include_metadata", "probes are not passed on"),
    KeyRule::ignored("grpc.dialer", "the extension opens no connections"),
];

/// Makes `healthcheckv2`.
pub(crate) fn healthcheckv2(given: HealthCheckV2, _: &BuildContext<'_>) -> Result<HealthPart, SettingsError> {
    let HealthCheckV2 { use_v2, endpoint, transport, path, http, grpc, component_health, checks } = given;
    let is_v2 = use_v2.unwrap_or(http.is_some() || grpc.is_some() || component_health.is_some());
    let mut part = match is_v2 {
        false => HealthPart::from(page(endpoint, transport, path)?),
        true => {
            if let Some(key) = endpoint.map(|_| "endpoint").or(path.map(|_| "path")) {
                let now = if key == "path" { "http.status.path" } else { "http.endpoint" };
                return Err(SettingsError::at(key, format!("with `use_v2: true` the key is `{now}`")));
            }
            HealthPart::from(status(http, grpc, component_health.unwrap_or_default())?)
        }
    };
    part.checks = checks.map(HealthChecks::spec).transpose()?;
    Ok(part)
}

fn status(
    http: Option<StatusHttp>,
    grpc: Option<StatusGrpc>,
    health: ComponentHealth,
) -> Result<StatusSpec, SettingsError> {
    let mut status = StatusSpec::default();
    if http.is_some() || grpc.is_none() {
        status.pages = Some(pages(http.unwrap_or_default())?);
    }
    if let Some(StatusGrpc { endpoint, transport }) = grpc {
        let address = transport.address(endpoint.as_deref().unwrap_or(DEFAULT_GRPC));
        let address = address.map_err(|problem| SettingsError::at("grpc.endpoint", problem))?;
        status.grpc_endpoint = Some(address);
    }
    status.rules.include_permanent = health.include_permanent_errors;
    status.rules.include_recoverable = health.include_recoverable_errors;
    status.rules.recovery = health.recovery_duration.0;
    Ok(status)
}

fn pages(
    StatusHttp { endpoint, transport, status, config }: StatusHttp,
) -> Result<StatusPages, SettingsError> {
    let address = transport.address(endpoint.as_deref().unwrap_or(DEFAULT_HTTP));
    let address = address.map_err(|problem| SettingsError::at("http.endpoint", problem))?;
    let mut pages = StatusPages::new(address);
    if let Some(path) = status.path {
        check_path("http.status.path", &path)?;
        pages.path = Some(path);
    }
    if status.enabled == Some(false) {
        pages.path = None;
    }
    if config.enabled {
        let path = config.path.unwrap_or_else(|| "/config".into());
        check_path("http.config.path", &path)?;
        if pages.path.as_ref() == Some(&path) {
            return Err(SettingsError::at("http.config.path", "the status has the same path"));
        }
        // The text is that of the whole configuration, which is not known here.
        pages.config = Some((path, "".into()));
    }
    Ok(pages)
}

const SMALL: &str = "health probes are small and few";
const DEFAULT_HTTP: &str = "localhost:13133";
const DEFAULT_GRPC: &str = "localhost:13132";
