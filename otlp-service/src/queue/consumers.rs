//! Consumers of a queue: tasks that take batches out of the queue and export them.

use super::joining::Joining;
use super::{QueueConfig, QueueEntry};
use crate::tasks::join_until;
use crate::telemetry::{ExporterStats, MetricKind, Registration, Registry};
use futures_util::FutureExt;
use otlp_transport::{Clock, Export};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::task::JoinSet;

/// The end of a queue at which batches are taken out.
pub(crate) trait Source: Send + Sync + 'static {
    /// Waits for the next batch; `None` once the queue drains and is empty. Cancel-safe.
    fn next(&self) -> impl Future<Output = Option<QueueEntry>> + Send;
}

/// Running consumers. Dropping them cancels their deliveries.
pub(crate) struct Consumers {
    tasks: Mutex<JoinSet<()>>,
    clock: Arc<dyn Clock>,
    /// Batches that were sent early because too many were open; `None` if batches are not joined.
    evictions: Option<Arc<AtomicU64>>,
}

// === impl Consumers ===

impl Consumers {
    /// Starts [`QueueConfig::num_consumers`] consumers, which export what `source` has. Must be called within a tokio runtime.
    pub(crate) fn start<S: Source, E: Export>(
        config: &QueueConfig,
        source: &Arc<S>,
        export: E,
        clock: Arc<dyn Clock>,
        stats: &Arc<ExporterStats>,
    ) -> Self {
        let (export, stats, count) = (Arc::new(export), stats.clone(), config.num_consumers.max(1));
        let (mut tasks, mut evictions) = (JoinSet::new(), None);
        if let Some(batch) = config.batch.clone() {
            let evicted: &Arc<AtomicU64> = evictions.get_or_insert_default();
            let joining = Arc::new(Joining::new(source.clone(), batch, clock.clone(), evicted.clone()));
            for _ in 0..count {
                let consumer = consume_joined(joining.clone(), export.clone(), clock.clone(), stats.clone());
                tasks.spawn(consumer.boxed());
            }
        } else {
            for _ in 0..count {
                tasks.spawn(consume(source.clone(), export.clone(), stats.clone()).boxed());
            }
        }
        Self { tasks: Mutex::new(tasks), clock, evictions }
    }

    /// Registers the metrics of joined batches, if batches are joined.
    pub(crate) fn register(
        &self,
        registry: &Registry,
        labels: &[(&'static str, &str)],
    ) -> Option<Registration> {
        let evictions = self.evictions.clone()?;
        let read = move || evictions.load(Ordering::Relaxed) as f64;
        Some(registry.observe(MetricKind::Counter, EVICTIONS, EVICTIONS_HELP, labels, read))
    }

    /// Waits until the source is drained and all its batches are delivered. Deliveries that are left at `deadline` are cancelled.
    pub(crate) async fn join(&self, deadline: Instant) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        join_until(&mut tasks, &*self.clock, deadline).await;
    }
}

async fn consume<S: Source, E: Export>(source: Arc<S>, export: Arc<E>, stats: Arc<ExporterStats>) {
    while let Some(entry) = source.next().await {
        stats.dequeued.record(&entry.batch);
        entry.deliver(&*export).await;
    }
}

async fn consume_joined<S: Source, E: Export>(
    joining: Arc<Joining<S>>,
    export: Arc<E>,
    clock: Arc<dyn Clock>,
    stats: Arc<ExporterStats>,
) {
    while let Some(joined) = joining.next().await {
        joined.deliver(&*export, &stats, &*clock).await;
    }
}

const EVICTIONS: &str = "otlp_exporter_queue_batch_evictions";
const EVICTIONS_HELP: &str =
    "Batches that the sending queue sent before they were full or due, because of the limit of open batches.";
