//! The ledger as a metric, so that operators can check its equation.

use super::{Account, DropReason, LedgerLine};
use crate::telemetry::{MetricKind, Registration, Registry};
use std::sync::Arc;

impl Account {
    /// Registers `otlp_ledger_items` for this line.
    pub(crate) fn register(self: &Arc<Self>, registry: &Registry) -> Vec<Registration> {
        let states = STATES.iter().map(|&(state, read)| self.observe(registry, &[("state", state)], read));
        let dropped = DropReason::ALL.iter().map(|&reason| {
            let labels = [("state", "dropped"), ("reason", reason.name())];
            self.observe(registry, &labels, move |line| line.dropped_for(reason))
        });
        states.chain(dropped).collect()
    }

    fn observe(
        self: &Arc<Self>,
        registry: &Registry,
        labels: &[(&'static str, &str)],
        read: impl Fn(&LedgerLine) -> u64 + Send + Sync + 'static,
    ) -> Registration {
        let mut all = vec![("pipeline", self.pipeline.as_str()), ("destination", self.destination.as_str())];
        all.extend_from_slice(labels);
        let account = self.clone();
        let help = "Items by state: accepted + produced is the sum of all other states but refused.";
        registry
            .observe(MetricKind::Gauge, "otlp_ledger_items", help, &all, move || read(&account.line()) as f64)
    }
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
