//! The queue in memory: bounded, first in first out.

use super::consumers::{Consumers, Source};
use super::{OnFull, Queue, QueueConfig, QueueEntry, QueueFuture, Size, Sizer, Slot, Wait};
use crate::exporter::Watch;
use crate::fanout::{Delivery, shutting_down};
use crate::telemetry::{ExporterStats, Registration, Registry};
use otlp_protocol::ErrorKind;
use otlp_transport::{Clock, Export, ExportError};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// The sending queue of an exporter for one signal, in memory: first in, first out, [`QueueConfig::queue_size`] in size at
/// most, sent by [`QueueConfig::num_consumers`] consumers.
///
/// A batch that is larger than the whole queue is taken when the queue is empty, and takes the whole queue.
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
    consumers: Consumers,
}

/// Room for one batch.
struct MemorySlot {
    shared: Arc<Shared>,
    /// `None`: the queue was full, and drops the batch if it still is.
    room: Option<OwnedSemaphorePermit>,
}

struct Shared {
    config: QueueConfig,
    stats: Arc<ExporterStats>,
    clock: Arc<dyn Clock>,
    /// Writes log lines when the queue is full.
    watch: OnceLock<Arc<Watch>>,
    capacity: usize,
    /// A permit for each unit of the queue's size. Waiting reservations get permits in their order, so that small batches do not
    /// keep a large batch waiting.
    room: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
    /// Wakes one consumer, which wakes the next if more batches wait.
    ready: Notify,
}

struct Waiting {
    entries: VecDeque<QueueEntry>,
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
        let shared = Arc::new(Shared {
            config,
            stats,
            clock: clock.clone(),
            watch: OnceLock::new(),
            capacity,
            room: Arc::new(Semaphore::new(capacity)),
            waiting: Mutex::new(Waiting { entries: VecDeque::new(), phase: Phase::Open }),
            ready: Notify::new(),
        });
        let consumers = Consumers::start(&shared.config, &shared, export, clock, &shared.stats);
        Arc::new(Self { shared, consumers })
    }

    /// Registers the metrics of joined batches, if batches are joined.
    pub(crate) fn register_joined(
        &self,
        registry: &Registry,
        labels: &[(&'static str, &str)],
    ) -> Option<Registration> {
        self.consumers.register(registry, labels)
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
    fn reserve(&self, size: Size, wait: Wait) -> QueueFuture<'_, Result<Box<dyn Slot>, ExportError>> {
        let shared = &self.shared;
        let slot = |room| {
            let slot: Box<dyn Slot> = Box::new(MemorySlot { shared: shared.clone(), room });
            Ok(slot)
        };
        let permits = shared.permits(size);
        match shared.room.clone().try_acquire_many_owned(permits) {
            Ok(room) => return QueueFuture::ready(slot(Some(room))),
            Err(TryAcquireError::Closed) => return QueueFuture::ready(Err(shutting_down())),
            Err(TryAcquireError::NoPermits) => {}
        }
        let drops = shared.config.on_full == OnFull::Drop && !shared.config.wait_for_result;
        match wait {
            // The commit counts the batch once it is certain that the batch is dropped.
            _ if drops => QueueFuture::ready(slot(None)),
            Wait::AsConfigured if shared.config.on_full != OnFull::Block => {
                QueueFuture::ready(Err(shared.refuse(size.items)))
            }
            Wait::AsConfigured | Wait::ForRoom => QueueFuture::new(async move {
                let room = shared.room.clone().acquire_many_owned(permits).await;
                room.map_or_else(|_| Err(shutting_down()), |room| slot(Some(room)))
            }),
        }
    }

    fn delivery(&self) -> Delivery {
        if self.shared.config.wait_for_result { Delivery::EndToEnd } else { Delivery::Memory }
    }

    fn len(&self) -> usize {
        self.shared.waiting.lock().entries.len()
    }

    fn sizer(&self) -> Sizer {
        self.shared.config.sizer
    }

    fn size(&self) -> u64 {
        self.shared.capacity.saturating_sub(self.shared.room.available_permits()) as u64
    }

    fn capacity(&self) -> u64 {
        self.shared.capacity as u64
    }

    fn drain(&self, deadline: Instant) -> QueueFuture<'_, ()> {
        QueueFuture::new(async move {
            self.shared.room.close();
            self.shared.enter(Phase::Draining);
            self.shared.ready.notify_one();
            self.consumers.join(deadline).await;
            drop(self.shared.enter(Phase::Closed));
        })
    }
}

// === impl MemorySlot ===

impl Slot for MemorySlot {
    fn commit(mut self: Box<Self>, mut entry: QueueEntry) -> QueueFuture<'static, Result<(), ExportError>> {
        let permits = self.shared.permits(Size::of(&entry.batch));
        entry.room = match self.room.take() {
            Some(room) => Some(self.shared.fitted(room, permits)),
            None => self.shared.room.clone().try_acquire_many_owned(permits).ok(),
        };
        QueueFuture::ready(if entry.room.is_some() {
            self.shared.push(entry)
        } else {
            self.shared.overflow(entry);
            Ok(())
        })
    }
}

// === impl Shared ===

impl Shared {
    /// Returns the permits of a batch of this size: all permits if the batch is larger than the queue.
    fn permits(&self, size: Size) -> u32 {
        let room = self.config.sizer.room(size).min(self.capacity as u64);
        u32::try_from(room).unwrap_or(u32::MAX)
    }

    /// Adjusts a reservation to a batch of another size. A batch that grew since then is taken, also if that makes the queue
    /// larger than its limit.
    fn fitted(&self, mut room: OwnedSemaphorePermit, permits: u32) -> OwnedSemaphorePermit {
        let reserved = room.num_permits();
        let needed = permits as usize;
        if needed < reserved {
            drop(room.split(reserved - needed));
        } else if needed > reserved
            && let Ok(more) = self.room.clone().try_acquire_many_owned(permits - reserved as u32)
        {
            room.merge(more);
        }
        room
    }

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
    fn push(&self, mut entry: QueueEntry) -> Result<(), ExportError> {
        if let Some(trace) = &mut entry.batch.trace {
            Arc::make_mut(trace).queued_at = Some(self.clock.now());
        }
        let mut waiting = self.waiting.lock();
        if waiting.phase == Phase::Closed {
            drop(waiting);
            return Err(shutting_down());
        }
        entry.admit();
        let Size { items, bytes } = Size::of(&entry.batch);
        waiting.entries.push_back(entry);
        drop(waiting);
        self.stats.enqueued.record_size(items, bytes as usize);
        self.ready.notify_one();
        Ok(())
    }

    /// Takes the next batch, and wakes the next consumer if there is more to do. Returns the phase of the queue, too.
    fn take(&self) -> (Option<QueueEntry>, Phase) {
        let (entry, more, phase) = {
            let mut waiting = self.waiting.lock();
            let entry = waiting.entries.pop_front();
            (entry, !waiting.entries.is_empty(), waiting.phase)
        };
        // Notify stores one permit only: each consumer wakes the next.
        if more || phase != Phase::Open {
            self.ready.notify_one();
        }
        (entry, phase)
    }

    /// Enters a phase. Returns the entries that will never be sent.
    fn enter(&self, phase: Phase) -> VecDeque<QueueEntry> {
        let mut waiting = self.waiting.lock();
        waiting.phase = phase;
        if phase == Phase::Closed { std::mem::take(&mut waiting.entries) } else { VecDeque::new() }
    }
}

impl Source for Shared {
    async fn next(&self) -> Option<QueueEntry> {
        loop {
            let (entry, phase) = self.take();
            if entry.is_some() || phase != Phase::Open {
                return entry;
            }
            self.ready.notified().await;
        }
    }
}
