//! Units of own metrics, in UCUM as the Collector has them.

use otlp_protocol::Signal;
use std::borrow::Cow;

/// Returns the unit of a metric; empty if the metric is a number without a unit.
pub(super) fn unit_of(name: &str) -> Cow<'static, str> {
    let ends_in = |&&(suffix, _): &&(&str, &str)| name.ends_with(suffix);
    if let Some((_, unit)) = UNITS.iter().find(ends_in) {
        return Cow::Borrowed(unit);
    }
    let nouns = Signal::ALL.iter().map(|signal| signal.items_noun);
    match nouns.into_iter().find(|noun| name.ends_with(noun)) {
        Some(noun) => format!("{{{noun}}}").into(),
        None => Cow::Borrowed(""),
    }
}

/// Endings of names, the longer ones first.
const UNITS: &[(&str, &str)] = &[
    ("_seconds", "s"),
    ("_uptime", "s"),
    ("_internal_duration", "s"),
    ("_backend_latency", "ms"),
    ("_bytes", "By"),
    ("_memory_rss", "By"),
    ("_budget_limit", "By"),
    ("_budget_used", "By"),
    ("_in_flight_requests", "{request}"),
    ("_requests", "{request}"),
    ("_connections", "{connection}"),
    ("_items", "{item}"),
    ("_queue_size", "{batch}"),
    ("_queue_capacity", "{batch}"),
];
