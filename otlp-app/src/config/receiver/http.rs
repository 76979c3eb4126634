//! Settings of OTLP/HTTP.

use super::{Ids, Security, Utf8, set, set_bytes, set_rate};
use crate::config::auth::Auth;
use crate::config::headers::Headers;
use crate::config::listen::Transport;
use crate::config::number::AtLeastZero;
use crate::config::tls::ServerTls;
use otlp_protocol::Signal;
use otlp_service::GoDuration;
use otlp_transport::{CorsConfig, ServerConfig};
use serde::Deserialize;
use std::time::Duration;

/// OTLP/HTTP with protobuf and JSON.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Http {
    /// `host:port`, or the path of a Unix socket. Default `localhost:4318`.
    pub(super) endpoint: Option<String>,
    /// What the endpoint is: tcp; tcp4 or tcp6, which is of IPv4 or IPv6 alone; unix. Default tcp.
    pub(super) transport: Transport,
    /// Bytes of one request, before and after inflating. Default 64 MiB; 0 and less are the default.
    pub(super) max_request_body_size: AtLeastZero,
    /// Path of traces. Default `/v1/traces`.
    traces_url_path: Option<String>,
    /// Path of metrics. Default `/v1/metrics`.
    metrics_url_path: Option<String>,
    /// Path of logs. Default `/v1/logs`.
    logs_url_path: Option<String>,
    /// From the start of a request to the end of its headers. Default 10 s; 0 is the default.
    read_header_timeout: GoDuration,
    /// For all of a request's body. Default 5 min; 0 is the default.
    pub(super) read_timeout: GoDuration,
    /// Without any progress of a request's body. Default 30 s; 0 is the default. Not a key of the Collector.
    pub(super) body_timeout: GoDuration,
    /// Bytes a second at which a body must come on average, the first `body_timeout` aside. Default 240; 0 is the default.
    /// Not a key of the Collector.
    pub(super) min_body_rate: u64,
    /// Without any request on a connection. Default 60 s, on HTTP/2 none; 0 is the default.
    idle_timeout: GoDuration,
    /// The Collector's newer way to say `idle_timeout`.
    keepalive: Keepalive,
    /// Content encodings that are taken; an empty one is none. Default all there are.
    compression_algorithms: Option<Vec<String>>,
    /// Which other origins' pages may send.
    cors: Cors,
    /// Headers that every answer gets.
    response_headers: Headers,
    /// Keep the headers that components need. Default false.
    pub(super) include_metadata: bool,
    /// Who is let in; all others are answered that they are not. Default anybody.
    auth: Option<Auth>,
    tls: Option<ServerTls>,
    /// Strings that are not UTF-8: replace the bad bytes, or refuse the request. Default replace.
    pub(super) invalid_utf8: Utf8,
    /// Items with trace or span ids of the wrong length: reject the item (spans; of others remove the id), or refuse the
    /// request. Default reject_item.
    pub(super) invalid_ids: Ids,
}

/// Connections that are kept for further requests.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Keepalive {
    /// As `idle_timeout` beside `keepalive`, which it goes before.
    idle_timeout: GoDuration,
}

/// Cross-origin requests.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Cors {
    /// Origins; a `*` in one stands for anything. Default none.
    allowed_origins: Vec<String>,
    /// Request headers beside accept, content-type and x-requested-with; `*` is any.
    allowed_headers: Vec<String>,
    /// Response headers that pages may see.
    exposed_headers: Vec<String>,
    /// Seconds for which browsers may keep what they were told. Default 0: as they like.
    max_age: AtLeastZero,
}

// === impl Http ===

impl Http {
    /// Takes out how it is secured.
    pub(super) fn security(&mut self) -> Security {
        Security { tls: self.tls.take(), auth: self.auth.take() }
    }

    /// Puts what is set into the transport's settings.
    pub(super) fn apply(&self, config: &mut ServerConfig) {
        config.invalid_utf8 = self.invalid_utf8.into();
        config.invalid_ids = self.invalid_ids.into();
        config.cors = self.cors.config();
        config.response_headers.clone_from(&self.response_headers.0);
        let named = |name: &String| if name.is_empty() { IDENTITY.into() } else { name.clone() };
        config.encodings =
            self.compression_algorithms.as_ref().map(|names| names.iter().map(named).collect());
        let limits = &mut config.limits;
        set_bytes(&mut limits.max_request_bytes, self.max_request_body_size.0);
        set(&mut limits.header_timeout, self.read_header_timeout);
        set(&mut limits.body_timeout, self.body_timeout);
        set_rate(&mut limits.min_body_rate, self.min_body_rate);
        limits.max_body_time = self.read_timeout.given().or(limits.max_body_time);
        let idle_timeout = self.keepalive.idle_timeout.given().or(self.idle_timeout.given());
        limits.idle_timeout = idle_timeout.unwrap_or(limits.idle_timeout);
        limits.max_connection_idle = limits.max_connection_idle.or(idle_timeout);
    }

    /// Paths that are not the signals' own.
    pub(super) fn paths(self) -> Vec<(Signal, String)> {
        let paths = [
            ("traces", self.traces_url_path),
            ("metrics", self.metrics_url_path),
            ("logs", self.logs_url_path),
        ];
        paths
            .into_iter()
            .filter_map(|(name, path)| Some((Signal::by_name(name)?, with_slash(path?))))
            .collect()
    }
}

// === impl Cors ===

impl Cors {
    /// Without an origin there is nothing to allow.
    fn config(&self) -> Option<CorsConfig> {
        if self.allowed_origins.is_empty() {
            return None;
        }
        let mut config = CorsConfig::default();
        config.allowed_origins.clone_from(&self.allowed_origins);
        config.allowed_headers.clone_from(&self.allowed_headers);
        config.exposed_headers.clone_from(&self.exposed_headers);
        config.max_age = Duration::from_secs(self.max_age.0);
        Some(config)
    }
}

/// A signal whose path could not be asked for, and why.
pub(super) fn misplaced(own: &[(Signal, String)]) -> Option<(Signal, &'static str)> {
    let legal = |path: &str| path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte));
    if let Some((signal, _)) = own.iter().find(|(_, path)| !legal(path)) {
        return Some((*signal, "it is not a path"));
    }
    let path_of = |signal: Signal| {
        own.iter().find(|(known, _)| *known == signal).map_or(signal.http_path, |(_, path)| path.as_str())
    };
    let is_taken = |(signal, path): &&(Signal, String)| {
        Signal::ALL.into_iter().any(|other| other != *signal && path_of(other) == path)
    };
    own.iter().find(is_taken).map(|(signal, _)| (*signal, "it is the path of another signal, too"))
}

/// As the Collector has it, `v1/traces` is `/v1/traces`.
fn with_slash(path: String) -> String {
    if path.starts_with('/') { path } else { format!("/{path}") }
}

const IDENTITY: &str = "identity";
