//! Metrics of a server.

use super::counted::Counted;
use super::{Registration, Registry};
use otlp_transport::ServerStats;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Registers `otlp_server_*` for one server of a receiver.
pub(crate) fn register_server(
    registry: &Registry,
    receiver: &str,
    transport: &str,
    stats: &Arc<ServerStats>,
) -> Vec<Registration> {
    let labels = [("receiver", receiver), ("transport", transport)];
    COUNTED.iter().map(|row| row.register(registry, &labels, stats)).collect()
}

const COUNTED: &[Counted<ServerStats>] = &[
    Counted::total("otlp_server_accepted_requests", "Requests answered with success.", |stats| {
        &stats.accepted_requests
    }),
    refused("too_large", |stats| &stats.refused_too_large),
    refused("malformed", |stats| &stats.refused_malformed),
    refused("unsupported", |stats| &stats.refused_unsupported),
    refused("memory", |stats| &stats.refused_memory),
    refused("slow", |stats| &stats.refused_slow),
    refused("headers", |stats| &stats.refused_headers),
    refused("unauthenticated", |stats| &stats.refused_unauthenticated),
    refused("loop", |stats| &stats.refused_loops),
    refused("other", |stats| &stats.refused_other),
    Counted::total("otlp_server_failed_requests", "Requests that failed in the pipeline.", |stats| {
        &stats.failed_requests
    }),
    Counted::total(
        "otlp_server_repaired_requests",
        "Accepted requests with strings that were not UTF-8.",
        |stats| &stats.repaired_requests,
    ),
    Counted::total(
        "otlp_server_repaired_strings",
        "Strings that were not UTF-8; U+FFFD replaced the invalid bytes.",
        |stats| &stats.repaired_strings,
    ),
    Counted::total("otlp_server_rejected_items", "Spans rejected for ids of invalid length.", |stats| {
        &stats.rejected_items
    }),
    Counted::total(
        "otlp_server_removed_ids",
        "Ids of invalid length removed from log records, exemplars and profiles.",
        |stats| &stats.removed_ids,
    ),
    Counted::total("otlp_server_unknown_json_keys", "Unknown JSON keys, which were ignored.", |stats| {
        &stats.unknown_json_keys
    }),
    Counted::now("otlp_server_open_connections", "Open connections.", |stats| &stats.open_connections),
    Counted::total(
        "otlp_server_refused_connections",
        "Connections refused because the connection limit was reached.",
        |stats| &stats.refused_connections,
    ),
    Counted::total(
        "otlp_server_evicted_connections",
        "Idle connections closed to make room for new ones.",
        |stats| &stats.evicted_connections,
    ),
    Counted::total(
        "otlp_server_timed_out_connections",
        "Connections closed because they were slow or idle.",
        |stats| &stats.timed_out_connections,
    ),
    Counted::total("otlp_server_tls_handshake_errors", "Failed TLS handshakes.", |stats| {
        &stats.tls_handshake_errors
    }),
    Counted::total(
        "otlp_server_protocol_errors",
        "Connections closed for violations of HTTP or for another protocol.",
        |stats| &stats.protocol_errors,
    ),
    Counted::total(
        "otlp_server_received_bytes",
        "Bytes of request bodies read, before decompression.",
        |stats| &stats.received_bytes,
    ),
    Counted::total("otlp_server_accept_errors", "Failed attempts to accept a connection.", |stats| {
        &stats.accept_errors
    }),
];

const fn refused(reason: &'static str, counter: fn(&ServerStats) -> &AtomicU64) -> Counted<ServerStats> {
    Counted::total(
        "otlp_server_refused_requests",
        "Requests refused before they reached the pipelines.",
        counter,
    )
    .because(reason)
}
