//! The receiver `otlp`.

mod grpc;
mod http;
mod security;

use super::component::refused;
use super::listen::{Transport, are_one};
use crate::protocol::Protocol;
use grpc::Grpc;
use http::Http;
use otlp_service::{BuildContext, GoDuration, KeyRule, ServerPart, ServerSpec, SettingsError};
use otlp_transport::{InvalidIds, InvalidUtf8, MultiplexTransportStrategy, ServerConfig, ServerStrategy};
use security::Security;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Settings of the receiver `otlp`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Otlp {
    /// Protocols of the receiver; at least one.
    protocols: Protocols,
}

/// A protocol that is missing is off; an empty one has its defaults. With one endpoint for both, they share the port.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Protocols {
    grpc: Option<Grpc>,
    http: Option<Http>,
}

/// Values of `invalid_utf8`: replaces invalid bytes, or refuses the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Utf8 {
    #[default]
    Replace,
    Refuse,
}

/// The values of `invalid_ids`: rejects spans that have a trace or span id of the wrong length, or refuses the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ids {
    #[default]
    RejectItem,
    Refuse,
}

/// Keys of the Collector's `otlp` that have no effect here.
pub(crate) const OTLP_RULES: &[KeyRule] = &[
    KeyRule::optional("protocols.grpc"),
    KeyRule::optional("protocols.http"),
    KeyRule::optional("protocols.*.auth"),
    KeyRule::optional("protocols.grpc.keepalive"),
    KeyRule::optional("protocols.http.cors"),
    KeyRule::refused("protocols.http.auth.request_params", "credentials are read from headers only"),
    KeyRule::only("protocols.*.middlewares", "", "middlewares are not supported"),
    KeyRule::ignored("protocols.grpc.read_buffer_size", "buffers are sized by what arrives"),
    KeyRule::ignored("protocols.grpc.write_buffer_size", "buffers are sized by what is answered"),
    KeyRule::ignored("protocols.grpc.keepalive.enforcement_policy", "pings are bounded by other limits"),
    KeyRule::ignored("protocols.http.write_timeout", "answers are small"),
    KeyRule::ignored_unless("protocols.http.keep_alives_enabled", "true", KEPT),
    KeyRule::ignored_unless("protocols.http.keepalive.enabled", "true", KEPT),
    KeyRule::ignored("protocols.*.dialer", "a receiver opens no connections"),
    KeyRule::on_if_there("protocols.*"),
];

/// Makes the receiver.
pub(crate) fn otlp(
    Otlp { protocols: Protocols { grpc, http } }: Otlp,
    context: &BuildContext<'_>,
) -> Result<Vec<ServerPart>, SettingsError> {
    let address = |path: &str, endpoint: &Option<String>, default: &str, transport: Transport| {
        let address = transport.address(endpoint.as_deref().unwrap_or(default));
        address.map_err(|problem| SettingsError::at(path, problem))
    };
    let grpc = grpc.map(|grpc| {
        let address = address("protocols.grpc.endpoint", &grpc.endpoint, DEFAULT_GRPC, grpc.transport)?;
        Ok((address, grpc))
    });
    let http = http.map(|http| {
        let address = address("protocols.http.endpoint", &http.endpoint, DEFAULT_HTTP, http.transport)?;
        Ok((address, http))
    });
    let servers = match (grpc.transpose(), http.transpose()) {
        (Ok(None), Ok(None)) => {
            let error = SettingsError::at("protocols", "no protocol is enabled");
            return Err(error.help("add `grpc:` or `http:` below it"));
        }
        (Ok(Some((grpc_address, grpc))), Ok(Some((http_address, http))))
            if are_one(&grpc_address, &http_address) =>
        {
            vec![one_port(grpc_address, grpc, http, context)?]
        }
        (Ok(grpc), Ok(http)) => {
            let grpc = grpc.map(|(address, mut grpc)| {
                let security = grpc.security();
                security.apply(server(address, Some(&grpc), None), GRPC)
            });
            let http = http.map(|(address, mut http)| {
                let security = http.security();
                security.apply(server(address, None, Some(http)), HTTP)
            });
            let (mut servers, mut wrong) = (Vec::new(), Vec::new());
            for secured in grpc.into_iter().chain(http) {
                match secured {
                    Ok(server) => servers.push(server),
                    Err(error) => wrong.push(error),
                }
            }
            context.check(wrong)?;
            servers
        }
        (grpc, http) => {
            context.check([grpc.err(), http.err()].into_iter().flatten())?;
            Vec::new()
        }
    };
    servers.iter().try_for_each(|server| check(&server.spec))?;
    Ok(servers)
}

/// Makes a server for both protocols. Settings that the protocols share on one port must not differ.
fn one_port(
    address: String,
    mut grpc: Grpc,
    mut http: Http,
    context: &BuildContext<'_>,
) -> Result<ServerPart, SettingsError> {
    let (grpc_bytes, http_bytes) = (grpc.max_request_bytes(), http.max_request_body_size.0);
    let sizes_differ = grpc_bytes > 0 && http_bytes > 0 && grpc_bytes != http_bytes;
    let (security, of_http) = (grpc.security(), http.security());
    let conflicts = [
        (security.tls != of_http.tls, "tls", "tls"),
        (security.auth != of_http.auth, "auth", "auth"),
        (sizes_differ, "max_recv_msg_size_mib", "max_request_body_size"),
        (differ(&grpc.body_timeout.given(), &http.body_timeout.given()), "body_timeout", "body_timeout"),
        (differ(&rate(grpc.min_body_rate), &rate(http.min_body_rate)), "min_body_rate", "min_body_rate"),
        (differ(&grpc.max_body_time.given(), &http.read_timeout.given()), "max_body_time", "read_timeout"),
        (grpc.include_metadata != http.include_metadata, "include_metadata", "include_metadata"),
        (grpc.invalid_utf8 != http.invalid_utf8, "invalid_utf8", "invalid_utf8"),
        (grpc.invalid_ids != http.invalid_ids, "invalid_ids", "invalid_ids"),
    ];
    let conflicts = conflicts.into_iter().filter(|(differs, ..)| *differs);
    context.check(conflicts.map(|(_, of_grpc, of_http)| {
        let problem = format!("it differs from protocols.grpc.{of_grpc}, but both listen on {address}");
        SettingsError::at(format!("protocols.http.{of_http}"), problem)
            .help("say the same in both, or give each its port")
    }))?;
    security.apply(server(address, Some(&grpc), Some(http)), GRPC)
}

/// Makes a server of the given protocols.
fn server(address: String, grpc: Option<&Grpc>, http: Option<Http>) -> ServerPart {
    let mut config = ServerConfig::new(address);
    let mut include_metadata = false;
    if let Some(grpc) = grpc {
        grpc.apply(&mut config);
        include_metadata = grpc.include_metadata;
    }
    if let Some(http) = &http {
        http.apply(&mut config);
        include_metadata = http.include_metadata;
    }
    let strategy: Arc<dyn ServerStrategy> = match (grpc, &http) {
        (Some(_), Some(_)) => Arc::new(MultiplexTransportStrategy),
        (Some(_), None) => Protocol::Grpc.strategy(),
        (None, _) => Protocol::Http.strategy(),
    };
    let http_paths = http.map(Http::paths).unwrap_or_default();
    let spec = ServerSpec { http_paths, keep_headers: include_metadata, ..ServerSpec::new(strategy, config) };
    ServerPart { spec, auth: None, check: None }
}

/// Checks the settings against each other. Only HTTP has settings that can conflict.
fn check(spec: &ServerSpec) -> Result<(), SettingsError> {
    spec.config.check().map_err(|error| refused(&format!("{HTTP}."), &error))?;
    match http::misplaced(&spec.http_paths) {
        Some((signal, problem)) => Err(SettingsError::at(format!("{HTTP}.{signal}_url_path"), problem)),
        None => Ok(()),
    }
}

impl From<Utf8> for InvalidUtf8 {
    fn from(utf8: Utf8) -> Self {
        match utf8 {
            Utf8::Replace => Self::Replace,
            Utf8::Refuse => Self::Refuse,
        }
    }
}

impl From<Ids> for InvalidIds {
    fn from(ids: Ids) -> Self {
        match ids {
            Ids::RejectItem => Self::RejectItem,
            Ids::Refuse => Self::Refuse,
        }
    }
}

fn set(limit: &mut Duration, duration: GoDuration) {
    if let Some(duration) = duration.given() {
        *limit = duration;
    }
}

fn set_bytes(limit: &mut usize, bytes: u64) {
    if bytes > 0 {
        *limit = usize::try_from(bytes).unwrap_or(usize::MAX);
    }
}

fn set_rate(limit: &mut u64, rate: u64) {
    if rate > 0 {
        *limit = rate;
    }
}

/// Returns true if gRPC and HTTP on one port are both given a setting that they share, with different values.
fn differ<T: PartialEq>(of_grpc: &Option<T>, of_http: &Option<T>) -> bool {
    of_grpc.as_ref().zip(of_http.as_ref()).is_some_and(|(of_grpc, of_http)| of_grpc != of_http)
}

/// Returns a rate, if one is given.
fn rate(rate: u64) -> Option<u64> {
    (rate > 0).then_some(rate)
}

const KEPT: &str = "connections are kept; `idle_timeout` closes idle ones";
const GRPC: &str = "protocols.grpc";
const HTTP: &str = "protocols.http";
const DEFAULT_GRPC: &str = "localhost:4317";
const DEFAULT_HTTP: &str = "localhost:4318";
