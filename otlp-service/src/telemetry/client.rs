//! Metrics of an exporter's client.

use super::balance::register_balance;
use super::counted::Counted;
use super::{Registration, Registry};
use otlp_transport::ClientStats;
use std::sync::Arc;

/// Registers `otlp_client_*` for one exporter, with the metrics of load balancing if there is any.
pub(crate) fn register_client(
    registry: &Registry,
    exporter: &str,
    stats: &Arc<ClientStats>,
) -> Vec<Registration> {
    let shown = COUNTED.iter().map(|row| row.register(registry, &[("exporter", exporter)], stats));
    let balance = stats.balance.iter().flat_map(|balance| register_balance(registry, exporter, balance));
    shown.chain(balance).collect()
}

const COUNTED: &[Counted<ClientStats>] = &[
    Counted::now("otlp_client_open_connections", "Open connections.", |stats| &stats.open_connections),
    Counted::total("otlp_client_connects", "Connections established.", |stats| &stats.connects),
    Counted::total("otlp_client_sent_bytes", "Bytes of request bodies sent, after compression.", |stats| {
        &stats.sent_bytes
    }),
    Counted::total("otlp_client_connect_failures", "Failed attempts to connect.", |stats| {
        &stats.connect_failures
    }),
    Counted::total(
        "otlp_client_resent_requests",
        "Requests sent again at once because the server had not processed them.",
        |stats| &stats.resent_requests,
    ),
    Counted::total(
        "otlp_client_refused_requests",
        "Requests refused because too many requests waited for a connection.",
        |stats| &stats.refused_requests,
    ),
    Counted::total(
        "otlp_client_oversized_requests",
        "Requests not sent because they were larger than the limit.",
        |stats| &stats.oversized_requests,
    ),
    Counted::total("otlp_client_oversized_answers", "Responses larger than the limit.", |stats| {
        &stats.oversized_answers
    }),
    Counted::total(
        "otlp_client_unreadable_answers",
        "Responses with a truncated or undecodable body; their status alone counted.",
        |stats| &stats.unreadable_answers,
    ),
];
