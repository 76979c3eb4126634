//! Metrics of an exporter's client.

use super::balance::register_balance;
use super::counted::Counted;
use super::{MetricKind, Registration, Registry, Sample};
use otlp_transport::{AdaptiveStats, ClientStats};
use std::sync::Arc;

/// Registers `otlp_client_*` for one exporter, with the metrics of load balancing and of adaptive compression if there is any.
pub(crate) fn register_client(
    registry: &Registry,
    exporter: &str,
    stats: &Arc<ClientStats>,
) -> Vec<Registration> {
    let shown = COUNTED.iter().map(|row| row.register(registry, &[("exporter", exporter)], stats));
    let balance = stats.balance.iter().flat_map(|balance| register_balance(registry, exporter, balance));
    let adaptive =
        stats.adaptive.get().into_iter().flat_map(|stats| register_adaptive(registry, exporter, stats));
    shown.chain(balance).chain(adaptive).collect()
}

/// Registers `otlp_exporter_adaptive_compression_*`.
fn register_adaptive(registry: &Registry, exporter: &str, stats: &Arc<AdaptiveStats>) -> Vec<Registration> {
    let rows = ADAPTIVE.iter().map(|row| row.register(registry, &[("exporter", exporter)], stats));
    let mut shown: Vec<_> = rows.collect();
    let (stats, exporter) = (stats.clone(), exporter.to_owned());
    shown.push(registry.observe_each(
        MetricKind::Counter,
        "otlp_exporter_adaptive_compression_requests",
        "Requests by the size class of their bodies before compression, and by the encoding and level chosen.",
        move || {
            let sample = |(class, encoding, count): (&'static str, &'static str, u64)| {
                let labels =
                    [("exporter", exporter.as_str()), ("size_class", class), ("encoding", encoding)];
                let labels = labels.map(|(key, value)| (key, value.to_owned())).to_vec();
                Sample { suffix: "", labels, value: count as f64 }
            };
            stats.bodies().map(sample).collect()
        },
    ));
    shown
}

const ADAPTIVE: &[Counted<AdaptiveStats>] = &[
    Counted::total(
        "otlp_exporter_adaptive_compression_switches",
        "Changes of a size class to another encoding or level.",
        |stats| &stats.switches,
    ),
    Counted::total(
        "otlp_exporter_adaptive_compression_probes",
        "Requests that were compressed a second time, to measure another encoding or level.",
        |stats| &stats.probes,
    ),
    Counted::total(
        "otlp_exporter_adaptive_compression_skipped_probes",
        "Probes left out because the memory budget had no room for them.",
        |stats| &stats.skipped_probes,
    ),
    Counted::total(
        "otlp_exporter_adaptive_compression_refused_encodings",
        "Requests sent again at once because the destination refused their content encoding.",
        |stats| &stats.refused_encodings,
    ),
    Counted::total(
        "otlp_exporter_adaptive_compression_plain_bytes",
        "Bytes of request bodies before adaptive compression.",
        |stats| &stats.plain_bytes,
    ),
    Counted::total(
        "otlp_exporter_adaptive_compression_wire_bytes",
        "Bytes of request bodies after adaptive compression.",
        |stats| &stats.wire_bytes,
    ),
];

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
