//! What a server counted, as metrics.

use super::{MetricKind, Registry};
use otlp_transport::ServerStats;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Registers `otlp_server_*` for one server of a receiver.
pub(crate) fn register_server(
    registry: &Registry,
    receiver: &str,
    transport: &str,
    stats: &Arc<ServerStats>,
) {
    for (name, help, kind, counter) in COUNTERS {
        let stats = stats.clone();
        let read = move || counter(&stats).load(Ordering::Relaxed) as f64;
        registry.observe(*kind, *name, help, &[("receiver", receiver), ("transport", transport)], read);
    }
}

type CounterRow = (&'static str, &'static str, MetricKind, fn(&ServerStats) -> &AtomicU64);

const COUNTERS: &[CounterRow] = &[
    ("otlp_server_accepted_requests", "Requests answered OK.", MetricKind::Counter, |stats| {
        &stats.accepted_requests
    }),
    ("otlp_server_refused_requests", "Requests refused for what they are.", MetricKind::Counter, |stats| {
        &stats.refused_requests
    }),
    ("otlp_server_failed_requests", "Requests the pipeline failed.", MetricKind::Counter, |stats| {
        &stats.failed_requests
    }),
    ("otlp_server_open_connections", "Connections open now.", MetricKind::Gauge, |stats| {
        &stats.open_connections
    }),
    ("otlp_server_refused_connections", "Connections over the limit.", MetricKind::Counter, |stats| {
        &stats.refused_connections
    }),
    (
        "otlp_server_timed_out_connections",
        "Connections closed as they were slow or idle.",
        MetricKind::Counter,
        |stats| &stats.timed_out_connections,
    ),
    ("otlp_server_accept_errors", "Failures to accept a connection.", MetricKind::Counter, |stats| {
        &stats.accept_errors
    }),
];
