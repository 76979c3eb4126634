//! Queues between a pipeline and an exporter: their contract, and the queue in memory, which is bounded, first in first out, and
//! emptied by a fixed number of consumers.

mod future;
mod settings;

pub use future::QueueFuture;
pub use settings::{OnFull, QueueConfig};

use crate::exporter::Watch;
use crate::fanout::{Delivery, deliver, shutting_down};
use crate::ledger::{DropReason, Held};
use crate::tasks::join_until;
use crate::telemetry::{ExporterStats, MetricKind, Registration, Registry};
use otlp_protocol::{Batch, ErrorKind, Signal};
use otlp_transport::{Clock, Export, ExportError, ExportResult};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, TryAcquireError, oneshot};
use tokio::task::JoinSet;

/// What stands between a pipeline and an exporter, for one signal: it takes batches and has them delivered.
///
/// A batch goes in by two steps, so that a fan-out can commit to several queues or to none:
///
/// 1. [`reserve`](Self::reserve) asks for room, which may be refused or take time. Dropping the [`Slot`] gives the room
///    back.
/// 2. [`Slot::commit`] puts the batch there. It may take time, and may fail.
///
/// What happens to a batch in the queue is counted by its [`QueueEntry`]: [admitted](QueueEntry::admit) once it is safe,
/// then [delivered](QueueEntry::deliver), or dropped.
pub trait Queue: Send + Sync + 'static {
    /// Room for one batch of `items` items. The future is cancel-safe: dropping it gives back what it has got.
    ///
    /// # Errors
    /// If there is no room and the queue refuses then, or if the queue is being drained.
    fn reserve(&self, items: u64, wait: Wait) -> QueueFuture<'_, Result<Box<dyn Slot>, ExportError>>;

    /// When an export through this queue is answered. The same at all times.
    fn delivery(&self) -> Delivery;

    /// Batches waiting.
    fn len(&self) -> usize;

    /// Whether no batch is waiting.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Batches that may wait.
    fn capacity(&self) -> usize;

    /// Gives no more room, and delivers what it holds, but not beyond `deadline`: the entries that are left then are
    /// dropped.
    fn drain(&self, deadline: Instant) -> QueueFuture<'_, ()>;
}

/// Room for one batch in a [`Queue`], given back when it is dropped.
pub trait Slot: Send {
    /// Puts a batch into the queue. Dropping the future leaves open whether the batch is there; the entry counts it.
    ///
    /// # Errors
    /// If the batch is not in the queue: the entry was dropped before it was [admitted](QueueEntry::admit). The error says
    /// whether another attempt may succeed.
    fn commit(self: Box<Self>, entry: QueueEntry) -> QueueFuture<'static, Result<(), ExportError>>;
}

/// What to do when a queue has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// As the queue's settings say ([`OnFull`]).
    AsConfigured,
    /// Wait until there is room, since the sender has its answer: nothing is refused but by a drain. A queue that drops
    /// what it has no room for does so here, too.
    ForRoom,
}

/// A batch on its way through a [`Queue`], with those who must learn what becomes of it.
///
/// Dropping an entry settles it as well: its items are counted as dropped for a shutdown, or as refused if it was not
/// admitted, and whoever waits is told.
#[derive(Debug)]
pub struct QueueEntry {
    /// The batch.
    pub batch: Batch,
    pub(crate) held: Held,
    /// Who waits for the destination's answer.
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
    /// `None`: there was no room, and the queue drops the batch if that is still so.
    permit: Option<OwnedSemaphorePermit>,
}

struct Shared {
    config: QueueConfig,
    stats: Arc<ExporterStats>,
    /// Writes log lines when there is no room.
    watch: OnceLock<Arc<Watch>>,
    slots: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
    /// Wakes one consumer; it wakes the next if there is more to do.
    ready: Notify,
}

struct Waiting {
    entries: VecDeque<(QueueEntry, OwnedSemaphorePermit)>,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// No room is given any more, consumers finish what is there.
    Draining,
    /// All consumers have ended: nothing can be delivered any more.
    Closed,
}

// === impl QueueEntry ===

impl QueueEntry {
    /// Counts the batch as accepted, unless its sender waits for the destination's answer: called when the batch is in
    /// the queue for good, and before it is delivered.
    pub fn admit(&mut self) {
        if self.answer.is_none() {
            // The sender has its answer; its deadline must not cost what was answered for.
            self.batch.deadline = None;
            self.held.admit();
        }
    }

    /// Exports the batch, counts what became of its items, and tells whoever waits. A panic of the exporter is an error
    /// like others.
    pub async fn deliver<E: Export>(self, export: &E) {
        let Self { batch, held, answer } = self;
        let result = deliver(export, batch, held).await;
        if let Some(answer) = answer {
            // A caller that went away does not need the answer any more.
            drop(answer.send(result));
        }
    }

    /// Counts the items as dropped, since the queue is full and drops batches then.
    pub fn overflow(mut self) {
        self.admit();
        self.held.drop_for(DropReason::QueueFull);
    }
}

// === impl MemoryQueue ===

impl MemoryQueue {
    /// A queue whose consumers export to `export`. Must be called within a tokio runtime.
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
            watch: OnceLock::new(),
            slots: Arc::new(Semaphore::new(capacity)),
            waiting: Mutex::new(Waiting { entries: VecDeque::new(), phase: Phase::Open }),
            ready: Notify::new(),
        });
        let export = Arc::new(export);
        let mut consumers = JoinSet::new();
        for _ in 0..count {
            consumers.spawn(consume(shared.clone(), export.clone()));
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

    /// Has `watch` write log lines when there is no room.
    pub(crate) fn tell(&self, watch: Arc<Watch>) {
        // A second watch there is not.
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
            // Counted once it is certain, by the commit.
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
    /// Counts items for which there is no room, and which stay the sender's.
    fn refuse(&self, items: u64) -> ExportError {
        self.stats.enqueue_failed.add(items);
        if let Some(watch) = self.watch.get() {
            watch.refused(items);
        }
        ExportError::refused(ErrorKind::Unavailable, "sending queue is full")
    }

    /// Drops a batch for which there is no room.
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
        let mut waiting = self.waiting.lock();
        if waiting.phase == Phase::Closed {
            drop(waiting);
            return Err(shutting_down());
        }
        entry.admit();
        waiting.entries.push_back((entry, permit));
        drop(waiting);
        self.ready.notify_one();
        Ok(())
    }

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
            // A batch that a consumer takes waits no longer: the slot is given back.
            if entry.is_some() || phase != Phase::Open {
                return entry.map(|(entry, _)| entry);
            }
            self.ready.notified().await;
        }
    }

    /// Enters a phase; the entries come back that will never be sent.
    fn enter(&self, phase: Phase) -> VecDeque<(QueueEntry, OwnedSemaphorePermit)> {
        let mut waiting = self.waiting.lock();
        waiting.phase = phase;
        if phase == Phase::Closed { std::mem::take(&mut waiting.entries) } else { VecDeque::new() }
    }
}

async fn consume<E: Export>(shared: Arc<Shared>, export: Arc<E>) {
    while let Some(entry) = shared.next().await {
        entry.deliver(&*export).await;
    }
}
