//! The queue in memory: bounded, first in first out, emptied by a fixed number of consumers.
//!
//! Room is reserved first, which may wait or be refused; then a batch is pushed, which cannot fail. That is what lets a
//! fan-out commit to several queues or none.

use super::{OnFull, QueueConfig};
use crate::exporter::Watch;
use crate::fanout::{Delivery, deliver, shutting_down};
use crate::ledger::Holding;
use crate::tasks::join_until;
use crate::telemetry::{ExporterStats, MetricKind, Registry};
use otlp_protocol::{Batch, ErrorKind, Signal};
use otlp_transport::{Clock, Export, ExportError, ExportResult};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, TryAcquireError, oneshot};
use tokio::task::JoinSet;

/// An exporter's queue for one signal. Dropping it drops what it holds; [`drain`](Self::drain) sends that first.
pub struct MemoryQueue {
    id: u64,
    config: QueueConfig,
    capacity: usize,
    stats: Arc<ExporterStats>,
    /// Whom to tell that there is no room.
    watch: OnceLock<Arc<Watch>>,
    slots: Arc<Semaphore>,
    shared: Arc<Shared>,
    consumers: Mutex<JoinSet<()>>,
}

/// Room for one batch; given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// A batch in the queue.
pub(crate) struct QueueEntry {
    pub(crate) batch: Batch,
    pub(crate) holding: Holding,
    /// Who waits for the destination's answer.
    pub(crate) answer: Option<oneshot::Sender<ExportResult>>,
    pub(crate) slot: Option<Slot>,
}

struct Shared {
    waiting: Mutex<Waiting>,
    /// Wakes one consumer; it wakes the next if there is more to do.
    ready: Notify,
}

struct Waiting {
    entries: VecDeque<QueueEntry>,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// No room is given any more, consumers finish what is there.
    Draining,
    /// Nobody will send what is pushed now.
    Closed,
}

// === impl MemoryQueue ===

impl MemoryQueue {
    /// A queue whose consumers export to `export`. Must be called within a tokio runtime.
    pub fn start<E: Export>(config: QueueConfig, stats: Arc<ExporterStats>, export: E) -> Arc<Self> {
        let waiting = Waiting { entries: VecDeque::new(), phase: Phase::Open };
        let shared = Arc::new(Shared { waiting: Mutex::new(waiting), ready: Notify::new() });
        let export = Arc::new(export);
        let mut consumers = JoinSet::new();
        for _ in 0..config.num_consumers.max(1) {
            consumers.spawn(consume(shared.clone(), export.clone()));
        }
        let capacity = config.queue_size.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            config,
            capacity,
            stats,
            watch: OnceLock::new(),
            slots: Arc::new(Semaphore::new(capacity)),
            shared,
            consumers: Mutex::new(consumers),
        })
    }

    /// When an export through this queue is answered.
    pub fn delivery(&self) -> Delivery {
        if self.config.wait_for_result { Delivery::EndToEnd } else { Delivery::Memory }
    }

    /// Batches waiting.
    pub fn len(&self) -> usize {
        self.shared.waiting.lock().entries.len()
    }

    /// Whether no batch is waiting.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Batches that may wait.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Gives no more room, and sends what it holds, but not beyond `deadline`: what is left then is dropped, and counted
    /// in the ledger.
    pub async fn drain(&self, clock: &dyn Clock, deadline: Instant) {
        self.slots.close();
        self.shared.enter(Phase::Draining);
        self.shared.ready.notify_one();
        let mut consumers = std::mem::take(&mut *self.consumers.lock());
        join_until(&mut consumers, clock, deadline).await;
        drop(self.shared.enter(Phase::Closed));
    }

    /// Registers the metrics of this queue.
    pub(crate) fn register(self: &Arc<Self>, registry: &Registry, exporter: &str, signal: Signal) {
        let labels = [("exporter", exporter), ("data_type", signal.name)];
        let gauge = |name, help, read: fn(&Self) -> usize| {
            let queue = Arc::downgrade(self);
            let read = move || queue.upgrade().map_or(0.0, |queue| read(&queue) as f64);
            registry.observe(MetricKind::Gauge, name, help, &labels, read);
        };
        gauge("otelcol_exporter_queue_size", "Batches waiting.", Self::len);
        gauge("otelcol_exporter_queue_capacity", "Batches that may wait.", Self::capacity);
    }

    /// Has `watch` write log lines when there is no room.
    pub(crate) fn tell(&self, watch: Arc<Watch>) {
        // A second watch there is not.
        let _ = self.watch.set(watch);
    }

    /// The place in the global order of queues.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Room for one batch; `None` if there is none and the batch is to be dropped. Cancel-safe.
    pub(crate) async fn reserve(&self, items: u64) -> Result<Option<Slot>, ExportError> {
        match self.slots.clone().try_acquire_owned() {
            Ok(permit) => return Ok(Some(Slot(permit))),
            Err(TryAcquireError::Closed) => return Err(shutting_down()),
            Err(TryAcquireError::NoPermits) => {}
        }
        match self.config.on_full {
            OnFull::Block => {
                let permit = self.slots.clone().acquire_owned().await;
                permit.map(|permit| Some(Slot(permit))).map_err(|_| shutting_down())
            }
            // Counted once it is certain, when the batch is pushed.
            OnFull::Drop if !self.config.wait_for_result => Ok(None),
            OnFull::Drop | OnFull::Refuse => {
                self.stats.enqueue_failed.add(items);
                if let Some(watch) = self.watch.get() {
                    watch.refused(items);
                }
                Err(ExportError::refused(ErrorKind::Unavailable, "sending queue is full"))
            }
        }
    }

    /// Room for more of what was accepted, waited for; `None` if the batch is to be dropped should there be none.
    pub(crate) async fn reserve_more(&self) -> Result<Option<Slot>, ExportError> {
        if self.config.on_full == OnFull::Drop && !self.config.wait_for_result {
            return Ok(None);
        }
        let permit = self.slots.clone().acquire_owned().await;
        permit.map(|permit| Some(Slot(permit))).map_err(|_| shutting_down())
    }

    /// Room for a batch that is dropped if there is none.
    pub(crate) fn try_reserve(&self, items: u64) -> Option<Slot> {
        let slot = self.slots.clone().try_acquire_owned().ok().map(Slot);
        if slot.is_none() {
            self.stats.enqueue_failed.add(items);
            if let Some(watch) = self.watch.get() {
                watch.overflowed(items);
            }
        }
        slot
    }

    /// Appends a batch.
    pub(crate) fn push(&self, mut entry: QueueEntry) {
        if entry.answer.is_none() {
            // The sender has its answer; its deadline must not cost what we answered for.
            entry.batch.deadline = None;
        }
        let mut waiting = self.shared.waiting.lock();
        if waiting.phase == Phase::Closed {
            drop(waiting);
            return drop(entry);
        }
        waiting.entries.push_back(entry);
        drop(waiting);
        self.shared.ready.notify_one();
    }
}

// === impl Shared ===

impl Shared {
    /// The next batch; `None` when the queue drains and is empty.
    async fn next(&self) -> Option<QueueEntry> {
        loop {
            let (entry, more, phase) = {
                let mut waiting = self.waiting.lock();
                let entry = waiting.entries.pop_front();
                (entry, !waiting.entries.is_empty(), waiting.phase)
            };
            // One permit is all that Notify stores: whoever takes something passes it on.
            if more || phase != Phase::Open {
                self.ready.notify_one();
            }
            if entry.is_some() || phase != Phase::Open {
                return entry;
            }
            self.ready.notified().await;
        }
    }

    /// Enters a phase; the entries come back that will never be sent.
    fn enter(&self, phase: Phase) -> VecDeque<QueueEntry> {
        let mut waiting = self.waiting.lock();
        waiting.phase = phase;
        if phase == Phase::Closed { std::mem::take(&mut waiting.entries) } else { VecDeque::new() }
    }
}

async fn consume<E: Export>(shared: Arc<Shared>, export: Arc<E>) {
    while let Some(QueueEntry { batch, mut holding, answer, slot }) = shared.next().await {
        drop(slot);
        holding.start();
        let result = deliver(&*export, batch, holding).await;
        if let Some(answer) = answer {
            // A caller that went away does not need the answer any more.
            drop(answer.send(result));
        }
    }
}

/// Queues are waited for in the order of their making. 0 stands for no queue.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);
