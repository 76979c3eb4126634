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
    /// Kind of the endpoint: tcp; tcp4 or tcp6 for IPv4 or IPv6 only; unix. Default tcp.
    pub(super) transport: Transport,
    /// Largest request in bytes, compressed and decompressed. Default 64 MiB; 0 and less are the default.
    pub(super) max_request_body_size: AtLeastZero,
    /// Path of traces. Default `/v1/traces`.
    traces_url_path: Option<String>,
    /// Path of metrics. Default `/v1/metrics`.
    metrics_url_path: Option<String>,
    /// Path of logs. Default `/v1/logs`.
    logs_url_path: Option<String>,
    /// Longest time from the start of a request to the end of its headers. Default 10 s; 0 is the default.
    read_header_timeout: GoDuration,
    /// Longest time for a whole body. Default 5 min; 0 is the default.
    pub(super) read_timeout: GoDuration,
    /// Longest time without progress of a request's body. Default 30 s; 0 is the default. Not a key of the Collector.
    pub(super) body_timeout: GoDuration,
    /// Lowest average rate of a request's body after the first `body_timeout`, in bytes a second. Default 240; 0 is the
    /// default. Not a key of the Collector.
    pub(super) min_body_rate: u64,
    /// Time after which a connection without a request is closed. Default 60 s, on HTTP/2 none; 0 is the default.
    idle_timeout: GoDuration,
    /// Newer place of `idle_timeout` in the Collector.
    keepalive: Keepalive,
    /// Content encodings that are accepted; the empty text is no compression. Default: all that are supported.
    compression_algorithms: Option<Vec<String>>,
    /// Origins whose web pages may send (CORS).
    cors: Cors,
    /// Headers added to every response.
    response_headers: Headers,
    /// Keeps the request headers that components need. Default false.
    pub(super) include_metadata: bool,
    /// Extension that authenticates senders; without valid credentials the answer is 401. Default: no authentication.
    auth: Option<Auth>,
    tls: Option<ServerTls>,
    /// Treatment of strings that are not UTF-8: replace the invalid bytes, or refuse the request. Default replace.
    pub(super) invalid_utf8: Utf8,
    /// Treatment of trace and span ids of the wrong length: reject_item rejects the span and removes the id of other items;
    /// refuse refuses the request. Default reject_item.
    pub(super) invalid_ids: Ids,
}

/// Connections that are kept for further requests.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Keepalive {
    /// Overrides `idle_timeout` beside `keepalive`.
    idle_timeout: GoDuration,
}

/// Cross-origin requests.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Cors {
    /// Allowed origins; `*` matches any text. Default none.
    allowed_origins: Vec<String>,
    /// Request headers beside accept, content-type and x-requested-with; `*` is any.
    allowed_headers: Vec<String>,
    /// Response headers that pages may see.
    exposed_headers: Vec<String>,
    /// Seconds for which browsers may cache the answer to a preflight request. Default 0: the browser's default.
    max_age: AtLeastZero,
}

// === impl Http ===

impl Http {
    /// Takes out `tls` and `auth`.
    pub(super) fn security(&mut self) -> Security {
        Security { tls: self.tls.take(), auth: self.auth.take() }
    }

    /// Applies the settings that are given to the transport's configuration.
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

    /// Returns the paths that replace the signals' standard paths.
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
    /// Returns the CORS settings; `None` without an allowed origin.
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

/// Returns a signal whose path cannot be used, and the error.
pub(super) fn misplaced(own: &[(Signal, String)]) -> Option<(Signal, &'static str)> {
    let legal = |path: &str| path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte));
    if let Some((signal, _)) = own.iter().find(|(_, path)| !legal(path)) {
        return Some((*signal, "invalid URL path: visible ASCII without `?` and `#` is expected"));
    }
    let path_of = |signal: Signal| {
        own.iter().find(|(known, _)| *known == signal).map_or(signal.http_path, |(_, path)| path.as_str())
    };
    let is_taken = |(signal, path): &&(Signal, String)| {
        Signal::ALL.into_iter().any(|other| other != *signal && path_of(other) == path)
    };
    own.iter().find(is_taken).map(|(signal, _)| (*signal, "another signal has the same path"))
}

/// Puts `/` before a path that has none, as the Collector does: `v1/traces` is `/v1/traces`.
fn with_slash(path: String) -> String {
    if path.starts_with('/') { path } else { format!("/{path}") }
}

const IDENTITY: &str = "identity";
