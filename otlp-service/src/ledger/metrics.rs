//! The ledger as a metric, so that operators can check its equation.

use super::{DropReason, LedgerLine};
use crate::telemetry::{MetricKind, Registration, Registry};

/// Registers `otlp_ledger_items` for a line.
pub(super) fn register_line(
    registry: &Registry,
    pipeline: &str,
    destination: &str,
    line: impl Fn() -> LedgerLine + Clone + Send + Sync + 'static,
) -> Vec<Registration> {
    let observe = |labels: &[(&'static str, &str)], read: Box<dyn Fn(&LedgerLine) -> u64 + Send + Sync>| {
        let all = [&[("pipeline", pipeline), ("destination", destination)], labels].concat();
        let line = line.clone();
        let help = "Items by state: accepted + produced is the sum of all other states but refused.";
        let read = move || read(&line()) as f64;
        registry.observe(MetricKind::Gauge, "otlp_ledger_items", help, &all, read)
    };
    let states = STATES.iter().map(|&(state, read)| observe(&[("state", state)], Box::new(read)));
    let dropped = DropReason::ALL.iter().map(|&reason| {
        let labels = [("state", "dropped"), ("reason", reason.name())];
        observe(&labels, Box::new(move |line| line.dropped_for(reason)))
    });
    states.chain(dropped).collect()
}

type Read = fn(&LedgerLine) -> u64;

const STATES: [(&str, Read); 9] = [
    ("accepted", |line| line.accepted),
    ("refused", |line| line.refused),
    ("produced", |line| line.produced),
    ("sent", |line| line.sent),
    ("rejected", |line| line.rejected),
    ("filtered", |line| line.filtered),
    ("sampled", |line| line.sampled),
    ("queued", |line| line.queued),
    ("in_flight", |line| line.in_flight),
];
