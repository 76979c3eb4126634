//! Queues between a pipeline and an exporter: their contract, and the queue in memory, which is bounded, first in first out, and
//! has a fixed number of consumers.

mod future;
mod settings;

pub use future::QueueFuture;
pub use settings::{OnFull, QueueConfig};

use crate::exporter::Watch;
use crate::fanout::{Delivery, deliver, shutting_down};
use crate::ledger::{DropReason, Held};
use crate::tasks::join_until;
use crate::telemetry::{ExporterStats, MetricKind, Registration, Registry};
use futures_util::FutureExt;
use otlp_protocol::{Batch, ErrorKind, Signal};
use otlp_transport::{Clock, Export, ExportError, ExportResult};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, TryAcquireError, oneshot};
use tokio::task::JoinSet;

/// A queue between a pipeline and an exporter, for one signal.
///
/// A batch enters the queue in two steps, so that a fan-out commits to several queues or to none:
///
/// 1. [`reserve`](Self::reserve) asks for room, which may be refused or take time. Dropping the [`Slot`] gives the room
///    back.
/// 2. [`Slot::commit`] puts the batch into the queue. The commit may take time, and may fail.
///
/// The [`QueueEntry`] of a batch counts the outcome: the batch is [admitted](QueueEntry::admit) once it is stored, then
/// [delivered](QueueEntry::deliver), or dropped.
pub trait Queue: Send + Sync + 'static {
    /// Reserves room for one batch of `items` items. Cancel-safe: dropping the future gives the room back.
    ///
    /// # Errors
    /// If the queue is full and refuses batches then, or if the queue is being drained.
    fn reserve(&self, items: u64, wait: Wait) -> QueueFuture<'_, Result<Box<dyn Slot>, ExportError>>;

    /// Returns the time at which an export through this queue is answered. Never changes.
    fn delivery(&self) -> Delivery;

    /// Returns the number of batches in the queue.
    fn len(&self) -> usize;

    /// Returns true if no batch is in the queue.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the largest number of batches in the queue.
    fn capacity(&self) -> usize;

    /// Refuses new batches and delivers the batches in the queue. Entries that are left at `deadline` are dropped.
    fn drain(&self, deadline: Instant) -> QueueFuture<'_, ()>;
}

/// Room for one batch in a [`Queue`]. Dropping the slot gives the room back.
pub trait Slot: Send {
    /// Puts a batch into the queue. Not cancel-safe: after the future is dropped, the batch may be in the queue or not; the entry
    /// counts its items in either case.
    ///
    /// # Errors
    /// If the batch is not in the queue: the entry was dropped before it was [admitted](QueueEntry::admit). A retryable
    /// error means that another commit may succeed.
    fn commit(self: Box<Self>, entry: QueueEntry) -> QueueFuture<'static, Result<(), ExportError>>;
}

/// Behaviour of a reservation when the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Follows the queue's settings ([`OnFull`]).
    AsConfigured,
    /// Waits until there is room, since the sender has its answer; only a drain refuses. A queue with
    /// [`OnFull::Drop`] drops the batch.
    ForRoom,
}

/// A batch in a [`Queue`], with its account in the ledger and the sender that waits for the answer.
///
/// Dropping an entry counts its items as dropped for a shutdown, or as refused if the entry was not admitted, and answers the
/// sender with an error.
#[derive(Debug)]
pub struct QueueEntry {
    /// The batch.
    pub batch: Batch,
    pub(crate) held: Held,
    /// The sender that waits for the destination's answer.
    pub(crate) answer: Option<oneshot::Sender<ExportResult>>,
}

/// The sending queue of an exporter for one signal, in memory: first in, first out, [`QueueConfig::queue_size`] batches at
/// most, sent by [`QueueConfig::num_consumers`] consumers.
///
/// Dropping the queue drops the batches in it; [`drain`](Queue::drain) sends them first. A
/// [`Destination`](crate::Destination) puts a queue behind a [`FanOut`](crate::FanOut).
///
/// ```
/// use otlp_protocol::encode::{LogRecords, RequestWriter};
/// use otlp_protocol::{Batch, Charge, Signal, ValidateLimits};
/// use otlp_service::{
///     Destination, ExporterStats, FanOut, Ledger, MemoryQueue, NopExporter, Queue, QueueConfig, Registry,
/// };
/// use otlp_transport::{Clock, Export, TokioClock};
/// use std::{sync::Arc, time::Duration};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (ledger, clock) = (Ledger::new(), Arc::new(TokioClock));
/// let mut config = QueueConfig::default();
/// config.queue_size = 100;
/// let stats = ExporterStats::new(&Registry::new(), "nop", Signal::LOGS);
/// let queue = MemoryQueue::start(config, stats, NopExporter, clock.clone());
/// let destination = Destination::queued(ledger.account("logs", "nop"), queue.clone());
/// let fanout = FanOut::new(vec![destination], clock.clone());
///
/// let mut body = Vec::new();
/// RequestWriter::<LogRecords>::new(&mut body).resource_group(|group| {
///     group.scope_group(|scope| {
///         scope.log_record(|record| {
///             record.body("started");
///         });
///     });
/// });
/// let batch = Batch::checked(Signal::LOGS, body, &ValidateLimits::default(), Charge::none())?;
/// fanout.export(batch).await?; // Answered once the batch is in the queue.
/// queue.drain(clock.now() + Duration::from_secs(5)).await;
/// assert_eq!(ledger.snapshot().line("logs", "nop").map(|line| line.sent), Some(1));
/// # Ok(())
/// # }
/// ```
pub struct MemoryQueue {
    shared: Arc<Shared>,
    capacity: usize,
    consumers: Mutex<JoinSet<()>>,
    clock: Arc<dyn Clock>,
}

/// Room for one batch.
struct MemorySlot {
    shared: Arc<Shared>,
    /// `None`: the queue was full, and drops the batch if it still is.
    permit: Option<OwnedSemaphorePermit>,
}

struct Shared {
    config: QueueConfig,
    stats: Arc<ExporterStats>,
    clock: Arc<dyn Clock>,
    /// Writes log lines when the queue is full.
    watch: OnceLock<Arc<Watch>>,
    slots: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
    /// Wakes one consumer, which wakes the next if more batches wait.
    ready: Notify,
}

struct Waiting {
    entries: VecDeque<(QueueEntry, OwnedSemaphorePermit)>,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// New batches are refused, consumers send the batches in the queue.
    Draining,
    /// All consumers have ended.
    Closed,
}

// === impl QueueEntry ===

impl QueueEntry {
    /// Counts the batch as accepted, unless its sender waits for the destination's answer. To be called once the batch is
    /// stored, and before it is delivered.
    pub fn admit(&mut self) {
        if self.answer.is_none() {
            // The sender has its answer: the sender's deadline must not drop the data.
            self.batch.deadline = None;
            self.held.admit();
        }
    }

    /// Exports the batch, counts the outcome of its items, and answers a sender that waits. A panic of the exporter is an
    /// error like others.
    pub async fn deliver<E: Export>(self, export: &E) {
        let Self { batch, held, answer } = self;
        let result = deliver(export, batch, held).await;
        if let Some(answer) = answer {
            // A caller that went away needs no answer.
            drop(answer.send(result));
        }
    }

    /// Drops the batch of a full queue, and counts its items as dropped for [`DropReason::QueueFull`].
    pub fn overflow(mut self) {
        self.admit();
        self.held.drop_for(DropReason::QueueFull);
    }
}

// === impl MemoryQueue ===

impl MemoryQueue {
    /// Starts a queue whose consumers export to `export`. Must be called within a tokio runtime.
    pub fn start<E: Export>(
        config: QueueConfig,
        stats: Arc<ExporterStats>,
        export: E,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let capacity = config.queue_size.clamp(1, Semaphore::MAX_PERMITS);
        let count = config.num_consumers.max(1);
        let shared = Arc::new(Shared {
            config,
            stats,
            clock: clock.clone(),
            watch: OnceLock::new(),
            slots: Arc::new(Semaphore::new(capacity)),
            waiting: Mutex::new(Waiting { entries: VecDeque::new(), phase: Phase::Open }),
            ready: Notify::new(),
        });
        let export = Arc::new(export);
        let mut consumers = JoinSet::new();
        for _ in 0..count {
            consumers.spawn(consume(shared.clone(), export.clone()).boxed());
        }
        Arc::new(Self { shared, capacity, consumers: Mutex::new(consumers), clock })
    }

    /// Registers the metrics of this queue.
    pub(crate) fn register(
        self: &Arc<Self>,
        registry: &Registry,
        exporter: &str,
        signal: Signal,
    ) -> [Registration; 2] {
        let labels = [("exporter", exporter), ("data_type", signal.name)];
        let gauge = |name, help, read: fn(&Self) -> usize| {
            let queue = Arc::downgrade(self);
            let read = move || queue.upgrade().map_or(0.0, |queue| read(&queue) as f64);
            registry.observe(MetricKind::Gauge, name, help, &labels, read)
        };
        [
            gauge("otelcol_exporter_queue_size", "Batches in the sending queue.", Self::len),
            gauge(
                "otelcol_exporter_queue_capacity",
                "Largest number of batches in the sending queue.",
                Self::capacity,
            ),
        ]
    }

    /// Sets the writer of log lines about a full queue.
    pub(crate) fn tell(&self, watch: Arc<Watch>) {
        // The gateway calls this once.
        let _ = self.shared.watch.set(watch);
    }
}

impl fmt::Debug for MemoryQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryQueue")
            .field("config", &self.shared.config)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl Queue for MemoryQueue {
    fn reserve(&self, items: u64, wait: Wait) -> QueueFuture<'_, Result<Box<dyn Slot>, ExportError>> {
        let shared = &self.shared;
        let slot = |permit| {
            let slot: Box<dyn Slot> = Box::new(MemorySlot { shared: shared.clone(), permit });
            Ok(slot)
        };
        match shared.slots.clone().try_acquire_owned() {
            Ok(permit) => return QueueFuture::ready(slot(Some(permit))),
            Err(TryAcquireError::Closed) => return QueueFuture::ready(Err(shutting_down())),
            Err(TryAcquireError::NoPermits) => {}
        }
        let drops = shared.config.on_full == OnFull::Drop && !shared.config.wait_for_result;
        match wait {
            // The commit counts the batch once it is certain that the batch is dropped.
            _ if drops => QueueFuture::ready(slot(None)),
            Wait::AsConfigured if shared.config.on_full != OnFull::Block => {
                QueueFuture::ready(Err(shared.refuse(items)))
            }
            Wait::AsConfigured | Wait::ForRoom => QueueFuture::new(async move {
                let permit = shared.slots.clone().acquire_owned().await;
                permit.map_or_else(|_| Err(shutting_down()), |permit| slot(Some(permit)))
            }),
        }
    }

    fn delivery(&self) -> Delivery {
        if self.shared.config.wait_for_result { Delivery::EndToEnd } else { Delivery::Memory }
    }

    fn len(&self) -> usize {
        self.shared.waiting.lock().entries.len()
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    fn drain(&self, deadline: Instant) -> QueueFuture<'_, ()> {
        QueueFuture::new(async move {
            self.shared.slots.close();
            self.shared.enter(Phase::Draining);
            self.shared.ready.notify_one();
            let mut consumers = std::mem::take(&mut *self.consumers.lock());
            join_until(&mut consumers, &*self.clock, deadline).await;
            drop(self.shared.enter(Phase::Closed));
        })
    }
}

// === impl MemorySlot ===

impl Slot for MemorySlot {
    fn commit(mut self: Box<Self>, entry: QueueEntry) -> QueueFuture<'static, Result<(), ExportError>> {
        let permit = self.permit.take().or_else(|| self.shared.slots.clone().try_acquire_owned().ok());
        QueueFuture::ready(match permit {
            Some(permit) => self.shared.push(entry, permit),
            None => {
                self.shared.overflow(entry);
                Ok(())
            }
        })
    }
}

// === impl Shared ===

impl Shared {
    /// Counts items that are refused because the queue is full.
    fn refuse(&self, items: u64) -> ExportError {
        self.stats.enqueue_failed.add(items);
        if let Some(watch) = self.watch.get() {
            watch.refused(items);
        }
        ExportError::refused(ErrorKind::Unavailable, "sending queue is full")
    }

    /// Drops a batch because the queue is full.
    fn overflow(&self, entry: QueueEntry) {
        let items = entry.batch.items();
        self.stats.enqueue_failed.add(items);
        if let Some(watch) = self.watch.get() {
            watch.overflowed(items);
        }
        entry.overflow();
    }

    /// Appends a batch.
    fn push(&self, mut entry: QueueEntry, permit: OwnedSemaphorePermit) -> Result<(), ExportError> {
        if let Some(trace) = &mut entry.batch.trace {
            Arc::make_mut(trace).queued_at = Some(self.clock.now());
        }
        let mut waiting = self.waiting.lock();
        if waiting.phase == Phase::Closed {
            drop(waiting);
            return Err(shutting_down());
        }
        entry.admit();
        let (items, bytes) = (entry.batch.items(), entry.batch.len());
        waiting.entries.push_back((entry, permit));
        drop(waiting);
        self.stats.enqueued.record_size(items, bytes);
        self.ready.notify_one();
        Ok(())
    }

    /// Waits for the next batch; `None` once the queue drains and is empty.
    async fn next(&self) -> Option<QueueEntry> {
        loop {
            let (entry, more, phase) = {
                let mut waiting = self.waiting.lock();
                let entry = waiting.entries.pop_front();
                (entry, !waiting.entries.is_empty(), waiting.phase)
            };
            // Notify stores one permit only: each consumer wakes the next.
            if more || phase != Phase::Open {
                self.ready.notify_one();
            }
            // A batch that a consumer takes waits no longer: its slot is free again.
            if entry.is_some() || phase != Phase::Open {
                return entry.map(|(entry, _)| entry);
            }
            self.ready.notified().await;
        }
    }

    /// Enters a phase. Returns the entries that will never be sent.
    fn enter(&self, phase: Phase) -> VecDeque<(QueueEntry, OwnedSemaphorePermit)> {
        let mut waiting = self.waiting.lock();
        waiting.phase = phase;
        if phase == Phase::Closed { std::mem::take(&mut waiting.entries) } else { VecDeque::new() }
    }
}

async fn consume<E: Export>(shared: Arc<Shared>, export: Arc<E>) {
    while let Some(entry) = shared.next().await {
        shared.stats.dequeued.record(&entry.batch);
        entry.deliver(&*export).await;
    }
}
