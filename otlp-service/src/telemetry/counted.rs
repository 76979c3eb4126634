//! A row of a table of metrics, for a counter of otlp-transport.

use super::{MetricKind, Registration, Registry};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A metric of one counter in `S`.
pub(super) struct Counted<S> {
    name: &'static str,
    help: &'static str,
    kind: MetricKind,
    reason: Option<&'static str>,
    counter: fn(&S) -> &AtomicU64,
}

impl<S: Send + Sync + 'static> Counted<S> {
    /// Creates a counter, which only grows.
    pub(super) const fn total(name: &'static str, help: &'static str, counter: fn(&S) -> &AtomicU64) -> Self {
        Self { name, help, kind: MetricKind::Counter, reason: None, counter }
    }

    /// Creates a gauge.
    pub(super) const fn now(name: &'static str, help: &'static str, counter: fn(&S) -> &AtomicU64) -> Self {
        Self { name, help, kind: MetricKind::Gauge, reason: None, counter }
    }

    /// Adds the label `reason`, for several counters of one name.
    pub(super) const fn because(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Registers the metric of the counter in `stats`.
    pub(super) fn register(
        &self,
        registry: &Registry,
        labels: &[(&'static str, &str)],
        stats: &Arc<S>,
    ) -> Registration {
        let mut labels = labels.to_vec();
        labels.extend(self.reason.map(|reason| ("reason", reason)));
        let (stats, counter) = (stats.clone(), self.counter);
        let read = move || counter(&stats).load(Ordering::Relaxed) as f64;
        registry.observe(self.kind, self.name, self.help, &labels, read)
    }
}
