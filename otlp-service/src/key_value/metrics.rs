//! Metrics of a store of keys and values.

use super::Inner;
use crate::telemetry::{MetricKind, Registration, Registry};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// Counters of a store. They only grow.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Changes, or batches of changes, that were written.
    pub(super) written: AtomicU64,
    /// Changes that could not be written.
    pub(super) failed: AtomicU64,
    /// Changes that were beyond a limit.
    pub(super) refused: AtomicU64,
    /// Files that were damaged when they were opened.
    pub(super) damaged: AtomicU64,
    /// Records at the end of the file that were not whole when it was opened.
    pub(super) unfinished: AtomicU64,
    registered: OnceLock<Vec<Registration>>,
}

impl Inner {
    /// Registers the metrics of the store.
    pub(super) fn register(self: &Arc<Self>, registry: &Registry, labels: &[(&'static str, &str)]) {
        self.counters.registered.get_or_init(|| {
            let observed = METRICS.iter().map(|(kind, name, help, read)| {
                let store: Weak<Self> = Arc::downgrade(self);
                let read = move || store.upgrade().map_or(0.0, |store| read(&store) as f64);
                registry.observe(*kind, *name, help, labels, read)
            });
            observed.collect()
        });
    }
}

/// Kind, name, help, value.
type Observed = (MetricKind, &'static str, &'static str, fn(&Inner) -> u64);

const METRICS: [Observed; 8] = [
    (MetricKind::Gauge, "otlp_storage_keys", "Keys of the component's stored state.", |store| {
        store.values.read().map.len() as u64
    }),
    (MetricKind::Gauge, "otlp_storage_bytes", "Bytes of the keys and values.", |store| {
        store.values.read().bytes
    }),
    (
        MetricKind::Gauge,
        "otlp_storage_limit_bytes",
        "Largest size of all keys and values, in bytes.",
        |store| store.limits.max_bytes,
    ),
    (MetricKind::Counter, "otlp_storage_written_changes", "Changes that were written and synced.", |store| {
        store.counters.written.load(Ordering::Relaxed)
    }),
    (MetricKind::Counter, "otlp_storage_failed_changes", "Changes that could not be written.", |store| {
        store.counters.failed.load(Ordering::Relaxed)
    }),
    (MetricKind::Counter, "otlp_storage_refused_changes", "Changes that were beyond a limit.", |store| {
        store.counters.refused.load(Ordering::Relaxed)
    }),
    (
        MetricKind::Counter,
        "otlp_storage_damaged_files",
        "Files that were damaged: the component started without state.",
        |store| store.counters.damaged.load(Ordering::Relaxed),
    ),
    (
        MetricKind::Counter,
        "otlp_storage_unfinished_changes",
        "Changes that were not written to their end in a crash, and were left out.",
        |store| store.counters.unfinished.load(Ordering::Relaxed),
    ),
];
