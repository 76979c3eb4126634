//! The receiver `otlp`.

use super::component::Component;
use super::decode::decode;
use super::duration::GoDuration;
use super::listen::listen_address;
use super::node::{Node, Value};
use super::plan::ReceiverPlan;
use super::problem::Problems;
use super::rules::{KeyRule, ignored, only, refused};
use crate::protocol::Protocol;
use otlp_protocol::Signal;
use otlp_service::ServerSpec;
use otlp_transport::{ServerConfig, ServerLimits};
use serde::Deserialize;
use std::time::Duration;

/// Settings of the receiver `otlp`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Otlp {
    /// What it speaks; at least one.
    protocols: Protocols,
}

/// A missing protocol is off; an empty one has its defaults.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Protocols {
    grpc: Option<Grpc>,
    http: Option<Http>,
}

/// OTLP/gRPC.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Grpc {
    /// `host:port`. Default `localhost:4317`.
    endpoint: Option<String>,
    /// MiB of one request, before and after inflating. Default 64; 0 is the default.
    max_recv_msg_size_mib: u64,
    /// Requests at a time on one connection. Default 128; 0 is the default.
    max_concurrent_streams: u32,
    /// Pings and ages of connections.
    keepalive: Keepalive,
}

/// OTLP/HTTP with protobuf.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Http {
    /// `host:port`. Default `localhost:4318`.
    endpoint: Option<String>,
    /// Bytes of one request, before and after inflating. Default 64 MiB; 0 is the default.
    max_request_body_size: u64,
    /// Path of traces. Default `/v1/traces`.
    traces_url_path: Option<String>,
    /// Path of metrics. Default `/v1/metrics`.
    metrics_url_path: Option<String>,
    /// Path of logs. Default `/v1/logs`.
    logs_url_path: Option<String>,
    /// From the start of a request to the end of its headers. Default 10 s; 0 is the default.
    read_header_timeout: GoDuration,
    /// Without any request on a connection. Default 60 s, on HTTP/2 none; 0 is the default.
    idle_timeout: GoDuration,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Keepalive {
    server_parameters: ServerParameters,
}

/// gRPC's server keepalive; 0 is the default everywhere.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ServerParameters {
    /// Without an open request on a connection. Default none.
    max_connection_idle: GoDuration,
    /// From this age on a connection takes no new requests. Default none.
    max_connection_age: GoDuration,
    /// How long the last requests of an aged connection may take. Default none.
    max_connection_age_grace: GoDuration,
    /// Silence after which a peer is pinged. Default 2 h.
    time: GoDuration,
    /// Silence after a ping after which a connection is closed. Default 20 s.
    timeout: GoDuration,
}

/// Keys of the Collector that mean nothing here, or nothing yet.
pub(crate) const OTLP_RULES: &[KeyRule] = &[
    refused("protocols.*.auth", "the receiver would take requests from anybody"),
    refused("protocols.*.tls", "the receiver would speak cleartext; put a proxy that ends TLS before it"),
    only("protocols.*.include_metadata", "false", "nothing here uses request headers"),
    only("protocols.*.middlewares", "", "there are none to put in"),
    only("protocols.*.transport", "tcp", "it listens on TCP"),
    ignored("protocols.grpc.read_buffer_size", "buffers are sized by what arrives"),
    ignored("protocols.grpc.write_buffer_size", "buffers are sized by what is answered"),
    ignored("protocols.grpc.keepalive.enforcement_policy", "pings are bounded by other limits"),
    ignored("protocols.http.compression_algorithms", "identity, gzip and zstd are taken"),
    ignored("protocols.http.read_timeout", "a body may take as long as it makes progress"),
    ignored("protocols.http.write_timeout", "answers are small"),
    only("protocols.http.keep_alives_enabled", "true", "connections are kept"),
    refused("protocols.http.cors", "browsers would be turned away"),
    refused("protocols.http.response_headers", "answers would lack them"),
];

/// The receiver's plan.
pub(crate) fn otlp(component: &mut Component, problems: &mut Problems) -> Option<ReceiverPlan> {
    if let Some(protocols) = component.settings.get_mut("protocols") {
        switch_on(protocols);
    }
    let Otlp { protocols: Protocols { grpc, http } } = decode(&component.settings, problems)?;
    if grpc.is_none() && http.is_none() {
        problems.push(
            component.problem("protocols", "no protocol is on").help("add `grpc:` or `http:` below it"),
        );
        return None;
    }
    let grpc = grpc.map(|grpc| ("protocols.grpc.endpoint", grpc.server()));
    let http = http.map(|http| ("protocols.http.endpoint", http.server()));
    let mut servers = Vec::new();
    for (path, mut server) in grpc.into_iter().chain(http) {
        match listen_address(&server.config.endpoint) {
            Ok(endpoint) => server.config.endpoint = endpoint,
            Err(problem) => {
                problems.push(component.problem(path, problem));
                return None;
            }
        }
        servers.push(server);
    }
    Some(ReceiverPlan { servers })
}

/// A protocol without settings is on, unlike other keys without a value.
fn switch_on(protocols: &mut Node) {
    if let Value::Map(entries) = &mut protocols.value {
        for entry in entries.iter_mut().filter(|entry| entry.value.is_null()) {
            entry.value = Node::empty_map(entry.value.span);
        }
    }
}

// === impl Grpc ===

impl Grpc {
    fn server(self) -> ServerSpec {
        let mut config = ServerConfig::new(self.endpoint.unwrap_or_else(|| DEFAULT_GRPC.into()));
        let limits = &mut config.limits;
        set_bytes(&mut limits.max_request_bytes, self.max_recv_msg_size_mib.saturating_mul(1 << 20));
        if self.max_concurrent_streams > 0 {
            limits.max_concurrent_streams = self.max_concurrent_streams;
        }
        self.keepalive.server_parameters.apply(limits);
        ServerSpec { strategy: Protocol::Grpc.strategy(), config, http_paths: Vec::new() }
    }
}

impl ServerParameters {
    fn apply(&self, limits: &mut ServerLimits) {
        set(&mut limits.keepalive_interval, self.time);
        set(&mut limits.keepalive_timeout, self.timeout);
        limits.max_connection_idle = given(self.max_connection_idle);
        limits.max_connection_age = given(self.max_connection_age);
        limits.max_connection_age_grace = given(self.max_connection_age_grace);
    }
}

// === impl Http ===

impl Http {
    fn server(self) -> ServerSpec {
        let mut config = ServerConfig::new(self.endpoint.unwrap_or_else(|| DEFAULT_HTTP.into()));
        let limits = &mut config.limits;
        set_bytes(&mut limits.max_request_bytes, self.max_request_body_size);
        set(&mut limits.header_timeout, self.read_header_timeout);
        set(&mut limits.idle_timeout, self.idle_timeout);
        limits.max_connection_idle = given(self.idle_timeout);
        let paths = [
            ("traces", self.traces_url_path),
            ("metrics", self.metrics_url_path),
            ("logs", self.logs_url_path),
        ];
        let http_paths = paths
            .into_iter()
            .filter_map(|(name, path)| Some((Signal::by_name(name)?, with_slash(path?))))
            .collect();
        ServerSpec { strategy: Protocol::Http.strategy(), config, http_paths }
    }
}

/// As the Collector has it, `v1/traces` is `/v1/traces`.
fn with_slash(path: String) -> String {
    if path.starts_with('/') { path } else { format!("/{path}") }
}

fn set(limit: &mut Duration, duration: GoDuration) {
    if let Some(duration) = given(duration) {
        *limit = duration;
    }
}

fn given(GoDuration(duration): GoDuration) -> Option<Duration> {
    (!duration.is_zero()).then_some(duration)
}

fn set_bytes(limit: &mut usize, bytes: u64) {
    if bytes > 0 {
        *limit = usize::try_from(bytes).unwrap_or(usize::MAX);
    }
}

const DEFAULT_GRPC: &str = "localhost:4317";
const DEFAULT_HTTP: &str = "localhost:4318";
