//! Metrics of a queue's files.

use super::DROPS;
use crate::queue::disk::store::Store;
use crate::telemetry::{Histogram, MetricKind, Registry};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Store {
    /// Registers the metrics, unless a queue that had the store before has done that. `class` is the store's, if the queue has classes.
    pub(in crate::queue::disk) fn register(
        self: &Arc<Self>,
        registry: &Registry,
        labels: &[(&'static str, &str)],
        class: Option<&Arc<str>>,
    ) {
        let mut metrics = self.monitor.metrics.lock();
        if metrics.as_ref().is_some_and(|(known, _)| known.as_ref() == class) {
            return;
        }
        // The rows of the store without a class, or with another one, are taken back first.
        *metrics = None;
        let labels: Vec<_> = labels.iter().copied().chain(class.map(|class| ("class", &**class))).collect();
        let histogram = Histogram::in_units(&SYNC_BOUNDS_MICROS, 1_000_000);
        *self.monitor.sync_duration.lock() = Some(registry.histogram(SYNC, SYNC_HELP, &labels, histogram));
        let observe = |kind, name: &'static str, help: &'static str, labels: &[_], read: Read| {
            let store = Arc::downgrade(self);
            let read = move || store.upgrade().map_or(0.0, |store| read(&store));
            registry.observe(kind, name, help, labels, read)
        };
        let mut observed: Vec<_> = METRICS
            .iter()
            .map(|(kind, name, help, read)| observe(*kind, name, help, &labels, *read))
            .collect();
        for ((_, reason), read) in DROPS.iter().zip(DROPPED) {
            let labels: Vec<_> = labels.iter().copied().chain([("reason", *reason)]).collect();
            observed.push(observe(MetricKind::Counter, DROPPED_ITEMS, DROPPED_HELP, &labels, read));
        }
        *metrics = Some((class.cloned(), observed));
    }

    /// Returns the age of the oldest batch that is not delivered, in milliseconds.
    fn oldest_age(&self) -> u64 {
        let Some(oldest) = self.log.unsettled(0).into_iter().next() else { return 0 };
        let stored_at = self.monitor.ages.lock().of(oldest.start);
        stored_at.map_or(0, |stored_at| self.now().saturating_sub(stored_at))
    }
}

/// Reads a value of a store.
type Read = fn(&Store) -> f64;
/// Kind, name, help, value.
type Observed = (MetricKind, &'static str, &'static str, Read);

const DROPPED_ITEMS: &str = "otlp_queue_dropped_items";
const DROPPED_HELP: &str = "Items that the queue on disk dropped.";
/// In the order of the reasons.
const DROPPED: [Read; 3] = [
    |store| store.monitor.dropped[0].load(Ordering::Relaxed) as f64,
    |store| store.monitor.dropped[1].load(Ordering::Relaxed) as f64,
    |store| store.monitor.dropped[2].load(Ordering::Relaxed) as f64,
];

const METRICS: [Observed; 17] = [
    (MetricKind::Gauge, "otlp_queue_bytes", "Bytes of the segments of the queue on disk.", |store| {
        store.log.bytes() as f64
    }),
    (MetricKind::Gauge, "otlp_queue_limit_bytes", "Largest size of the segments, in bytes.", |store| {
        store.max_bytes() as f64
    }),
    (MetricKind::Gauge, "otlp_queue_items", "Items that wait in the queue on disk.", |store| {
        store.waiting().items as f64
    }),
    (MetricKind::Gauge, "otlp_queue_records", "Batches that wait in the queue on disk.", |store| {
        store.waiting().records as f64
    }),
    (
        MetricKind::Gauge,
        "otlp_queue_oldest_age_seconds",
        "Time since the oldest batch that is not delivered was stored, in seconds.",
        |store| store.oldest_age() as f64 / 1000.0,
    ),
    (MetricKind::Gauge, "otlp_queue_segments", "Segments of the queue on disk.", |store| {
        store.log.segments() as f64
    }),
    (
        MetricKind::Counter,
        "otlp_queue_appended_groups",
        "Groups of batches that were written and synced together.",
        |store| store.monitor.appended_groups.load(Ordering::Relaxed) as f64,
    ),
    (
        MetricKind::Counter,
        "otlp_queue_failed_appends",
        "Batches that could not be stored; their senders were told to retry.",
        |store| store.monitor.failed_appends.load(Ordering::Relaxed) as f64,
    ),
    (
        MetricKind::Counter,
        "otlp_queue_backlog_pauses",
        "Times that a limit of sending_queue.backlog kept a consumer from a batch that has waited.",
        |store| store.monitor.backlog_pauses.load(Ordering::Relaxed) as f64,
    ),
    (MetricKind::Counter, "otlp_queue_failed_syncs", "Syncs of segments that failed.", |store| {
        store.log.counters.failed_syncs.load(Ordering::Relaxed) as f64
    }),
    (
        MetricKind::Counter,
        "otlp_queue_failed_acks",
        "Delivered batches whose delivery could not be written down at once.",
        |store| store.log.counters.failed_acks.load(Ordering::Relaxed) as f64,
    ),
    (
        MetricKind::Counter,
        "otlp_queue_torn_bytes",
        "Bytes of records that were being written in a crash, cut off at the start.",
        |store| store.log.counters.torn_bytes.load(Ordering::Relaxed) as f64,
    ),
    (
        MetricKind::Counter,
        "otlp_queue_damaged_records",
        "Records that could not be read, and were skipped.",
        |store| store.log.counters.damaged_records.load(Ordering::Relaxed) as f64,
    ),
    (
        MetricKind::Counter,
        "otlp_queue_damaged_bytes",
        "Bytes of segments that are no sound records.",
        |store| store.log.counters.damaged_bytes.load(Ordering::Relaxed) as f64,
    ),
    (
        MetricKind::Counter,
        "otlp_queue_kept_bytes",
        "Cut and damaged bytes that were copied to files of their own.",
        |store| store.log.counters.kept_bytes.load(Ordering::Relaxed) as f64,
    ),
    (
        MetricKind::Counter,
        "otlp_queue_unread_bytes",
        "Bytes that the device could not read, and that were left out.",
        |store| store.log.counters.unread_bytes.load(Ordering::Relaxed) as f64,
    ),
    (
        MetricKind::Counter,
        "otlp_queue_unread_records",
        "Upper bound of the records in the bytes that could not be read. The records stay in the files.",
        |store| store.log.counters.unread_records.load(Ordering::Relaxed) as f64,
    ),
];

const SYNC: &str = "otlp_queue_sync_duration_seconds";
const SYNC_HELP: &str = "Time in which a group of batches was written and synced, in seconds.";
/// 100 µs of a disk with a cache that survives power cuts to 10 s of one that hangs.
static SYNC_BOUNDS_MICROS: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000,
];
