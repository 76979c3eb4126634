//! What the connections of an exporter's client counted, as metrics.

use super::balance::register_balance;
use super::counted::Counted;
use super::{Registration, Registry};
use otlp_transport::ClientStats;
use std::sync::Arc;

/// Registers `otlp_client_*` for one exporter, and what its balancing counts, if it has any.
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
    Counted::now("otlp_client_open_connections", "Connections open now.", |stats| &stats.open_connections),
    Counted::total("otlp_client_connects", "Connections established.", |stats| &stats.connects),
    Counted::total("otlp_client_sent_bytes", "Bytes of bodies sent, compressed.", |stats| &stats.sent_bytes),
    Counted::total("otlp_client_connect_failures", "Attempts to connect that failed.", |stats| {
        &stats.connect_failures
    }),
    Counted::total(
        "otlp_client_resent_requests",
        "Requests sent again at once, unprocessed before.",
        |stats| &stats.resent_requests,
    ),
    Counted::total("otlp_client_refused_requests", "Requests that found too many waiting.", |stats| {
        &stats.refused_requests
    }),
    Counted::total(
        "otlp_client_oversized_requests",
        "Requests over the limit, which are not sent.",
        |stats| &stats.oversized_requests,
    ),
    Counted::total("otlp_client_oversized_answers", "Answers over the limit.", |stats| {
        &stats.oversized_answers
    }),
    Counted::total(
        "otlp_client_unreadable_answers",
        "Answers whose body broke off or could not be decoded, judged by their status.",
        |stats| &stats.unreadable_answers,
    ),
];
