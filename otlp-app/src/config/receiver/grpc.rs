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
    /// What the endpoint is: tcp; tcp4 or tcp6, which is of IPv4 or IPv6 alone; unix. Default tcp.
    pub(super) transport: Transport,
    /// MiB of one request, before and after inflating. Default 64; 0 is the default.
    pub(super) max_recv_msg_size_mib: u64,
    /// Requests at a time on one connection. Default 128; 0 is the default.
    max_concurrent_streams: u32,
    /// Without any progress of a request's body. Default 30 s; 0 is the default. Not a key of the Collector.
    pub(super) body_timeout: GoDuration,
    /// Bytes a second at which a body must come on average, the first `body_timeout` aside. Default 240; 0 is the default.
    /// Not a key of the Collector.
    pub(super) min_body_rate: u64,
    /// For all of a request's body. Default 5 min; 0 is the default. Not a key of the Collector.
    pub(super) max_body_time: GoDuration,
    /// Pings and ages of connections.
    keepalive: Keepalive,
    /// Keep the metadata that components need. Default false.
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

// === impl Grpc ===

impl Grpc {
    /// Takes out how it is secured.
    pub(super) fn security(&mut self) -> Security {
        Security { tls: self.tls.take(), auth: self.auth.take() }
    }

    /// Bytes of one request; 0 is the default.
    pub(super) fn max_request_bytes(&self) -> u64 {
        self.max_recv_msg_size_mib.saturating_mul(1 << 20)
    }

    /// Puts what is set into the transport's settings.
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
