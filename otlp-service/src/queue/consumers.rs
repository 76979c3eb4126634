//! Consumers of a queue: tasks that take batches out of the queue and export them.

use super::{QueueConfig, QueueEntry};
use crate::tasks::join_until;
use crate::telemetry::ExporterStats;
use otlp_transport::{Clock, Export};
use parking_lot::Mutex;
use std::sync::Arc;
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
        let export = Arc::new(export);
        let mut tasks = JoinSet::new();
        for _ in 0..config.num_consumers.max(1) {
            tasks.spawn(consume(source.clone(), export.clone(), stats.clone()));
        }
        Self { tasks: Mutex::new(tasks), clock }
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
