//! Settings of OTLP/gRPC.

use super::{Ids, Security, Utf8, set, set_bytes, set_rate};
use crate::config::auth::Auth;
use crate::config::listen::Transport;
use crate::config::tls::ServerTls;
use otlp_service::GoDuration;
use otlp_transport::{ServerConfig, ServerLimits};
use serde::Deserialize;

/// OTLP/gRPC.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Grpc {
    /// `host:port`, or the path of a Unix socket. Default `localhost:4317`.
    pub(super) endpoint: Option<String>,
    /// Kind of the endpoint: tcp; tcp4 or tcp6 for IPv4 or IPv6 only; unix. Default tcp.
    pub(super) transport: Transport,
    /// Largest request in MiB, compressed and decompressed. Default 64; 0 is the default.
    pub(super) max_recv_msg_size_mib: u64,
    /// Largest number of requests at a time on one connection. Default 128; 0 is the default.
    max_concurrent_streams: u32,
    /// Longest time without progress of a request's body. Default 30 s; 0 is the default. Not a key of the Collector.
    pub(super) body_timeout: GoDuration,
    /// Lowest average rate of a request's body after the first `body_timeout`, in bytes a second. Default 240; 0 is the
    /// default. Not a key of the Collector.
    pub(super) min_body_rate: u64,
    /// Longest time for a whole body. Default 5 min; 0 is the default. Not a key of the Collector.
    pub(super) max_body_time: GoDuration,
    /// Pings and ages of connections.
    keepalive: Keepalive,
    /// Keeps the request metadata that components need. Default false.
    pub(super) include_metadata: bool,
    /// Extension that authenticates senders; without valid credentials the answer is UNAUTHENTICATED. Default: no
    /// authentication.
    auth: Option<Auth>,
    tls: Option<ServerTls>,
    /// Treatment of strings that are not UTF-8: replace the invalid bytes, or refuse the request. Default replace.
    pub(super) invalid_utf8: Utf8,
    /// Treatment of trace and span ids of the wrong length: reject_item rejects the span and removes the id of other items;
    /// refuse refuses the request. Default reject_item.
    pub(super) invalid_ids: Ids,
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
    /// Time after which a connection without an open request is closed. Default none.
    max_connection_idle: GoDuration,
    /// Age from which on a connection takes no new requests. Default none.
    max_connection_age: GoDuration,
    /// Time limit for the last requests of a connection that has reached its age. Default none.
    max_connection_age_grace: GoDuration,
    /// Time without data from the peer after which a ping is sent. Default 2 h.
    time: GoDuration,
    /// Time limit for the answer to a ping, after which the connection is closed. Default 20 s.
    timeout: GoDuration,
}

// === impl Grpc ===

impl Grpc {
    /// Takes out `tls` and `auth`.
    pub(super) fn security(&mut self) -> Security {
        Security { tls: self.tls.take(), auth: self.auth.take() }
    }

    /// Returns the largest request in bytes; 0 is the default.
    pub(super) fn max_request_bytes(&self) -> u64 {
        self.max_recv_msg_size_mib.saturating_mul(1 << 20)
    }

    /// Applies the settings that are given to the transport's configuration.
    pub(super) fn apply(&self, config: &mut ServerConfig) {
        config.invalid_utf8 = self.invalid_utf8.into();
        config.invalid_ids = self.invalid_ids.into();
        let limits = &mut config.limits;
        set_bytes(&mut limits.max_request_bytes, self.max_request_bytes());
        if self.max_concurrent_streams > 0 {
            limits.max_concurrent_streams = self.max_concurrent_streams;
        }
        set(&mut limits.body_timeout, self.body_timeout);
        set_rate(&mut limits.min_body_rate, self.min_body_rate);
        limits.max_body_time = self.max_body_time.given().or(limits.max_body_time);
        self.keepalive.server_parameters.apply(limits);
    }
}

impl ServerParameters {
    fn apply(&self, limits: &mut ServerLimits) {
        set(&mut limits.keepalive_interval, self.time);
        set(&mut limits.keepalive_timeout, self.timeout);
        limits.max_connection_idle = self.max_connection_idle.given();
        limits.max_connection_age = self.max_connection_age.given();
        limits.max_connection_age_grace = self.max_connection_age_grace.given();
    }
}
