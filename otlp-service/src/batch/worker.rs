//! The batch processor: admits requests, joins them in the accumulator, and exports the batches.

mod parts;
mod senders;

use super::accumulator::{Accumulator, Open, Placement, Ready, fits, narrow};
use super::feedback::{AdaptiveSize, AttemptFeedback, MeasuredExport};
use super::{BatchConfig, BatchOptions};
use crate::fanout::{Delivery, FanOut, caught, shutting_down};
use crate::ledger::{DropReason, Held, Hop, Unsent};
use crate::queue::Size;
use crate::tasks::{Tasks, export_until_taken};
use crate::telemetry::{BatchStats, Registration};
use futures_util::FutureExt;
use otlp_protocol::{Accepted, Batch, ErrorKind, SplitLimits};
use otlp_transport::{BoxExport, Clock, Export, ExportError, ExportResult};
use parking_lot::{Mutex, MutexGuard};
use senders::{Senders, Waiter};

pub(crate) use senders::answer_all;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::task::AbortHandle;

/// Joins requests into batches, and exports the batches. Requests of different signals are never joined.
///
/// An `Arc` of a batch processor is an [`Export`] too: one handle goes in front of the pipeline, the other drains it.
///
/// Cancel-safety: dropping the future of an export before the request was admitted undoes the export; after that the request
/// is sent all the same. Dropping the batch processor drops the requests that it holds; [`drain`](Self::drain) sends them
/// first.
///
/// ```
/// use otlp_protocol::encode::{LogRecords, RequestWriter};
/// use otlp_protocol::{Batch, Charge, Signal, ValidateLimits};
/// use otlp_service::{BatchConfig, BatchProcessor, NopExporter};
/// use otlp_transport::{Clock, Export, TokioClock};
/// use std::{sync::Arc, time::Duration};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut config = BatchConfig::default();
/// config.send_batch_size = 1000; // Items; or after `timeout`, 200 ms by default.
/// let batcher = BatchProcessor::start(config, NopExporter, Arc::new(TokioClock));
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
/// batcher.export(batch).await?; // End to end: the answer of what is behind.
/// batcher.drain(TokioClock.now() + Duration::from_secs(5)).await;
/// # Ok(())
/// # }
/// ```
pub struct BatchProcessor {
    shared: Arc<Shared>,
    timer: AbortHandle,
    _metrics: [Option<Registration>; 2],
}

struct Shared {
    config: BatchConfig,
    /// If the settings are adaptive.
    size: Option<Arc<AdaptiveSize>>,
    delivery: Delivery,
    hop: Hop,
    /// The fan-out directly behind: new requests ask its queues for room.
    queues: Option<FanOut>,
    state: Mutex<State>,
    /// Notified when a batch was opened.
    opened: Notify,
    flusher: Arc<Flusher>,
    flushes: Tasks,
    /// A permit for each batch whose senders have their answer and that is being sent.
    room: Arc<Semaphore>,
}

/// Sends batches to the next component. Shared with the flush tasks.
struct Flusher {
    next: BoxExport,
    clock: Arc<dyn Clock>,
    stats: BatchStats,
}

struct State {
    accumulator: Accumulator<Senders>,
    closed: bool,
}

// === impl BatchProcessor ===

impl BatchProcessor {
    /// Starts a batch processor in front of `next`, with the defaults of [`BatchOptions`]. Must be called within a tokio
    /// runtime.
    pub fn start(config: BatchConfig, next: impl Export, clock: Arc<dyn Clock>) -> Self {
        Self::start_with(config, next, clock, BatchOptions::default())
    }

    /// Starts a batch processor in front of a pipeline's destinations, with their delivery mode and accounts. New requests
    /// are refused when the queues of the destinations refuse requests.
    pub fn start_before(
        config: BatchConfig,
        next: &FanOut,
        clock: Arc<dyn Clock>,
        stats: BatchStats,
    ) -> Self {
        let (delivery, hop, queues) = (next.delivery(), next.hop().clone(), Some(next.clone()));
        let options = BatchOptions { delivery, stats, hop, queues, feedback: next.feedback() };
        if delivery == Delivery::Memory {
            Self::start_with(config, next.patient(), clock, options)
        } else {
            Self::start_with(config, next.clone(), clock, options)
        }
    }

    /// Starts a batch processor in front of `next`. Must be called within a tokio runtime.
    pub fn start_with(
        config: BatchConfig,
        next: impl Export,
        clock: Arc<dyn Clock>,
        options: BatchOptions,
    ) -> Self {
        let BatchOptions { delivery, stats, hop, queues, mut feedback } = options;
        let mut next = BoxExport::new(next);
        let size = config.adaptive.clone().map(|adaptive| {
            if feedback.is_empty() {
                let measured = AttemptFeedback::new();
                let (export, clock) = (next.clone(), clock.clone());
                next = BoxExport::new(MeasuredExport { export, feedback: measured.clone(), clock });
                feedback.push(measured);
            }
            AdaptiveSize::of(adaptive, &feedback)
        });
        let shared = Arc::new(Shared {
            size,
            delivery,
            hop,
            queues,
            state: Mutex::new(State { accumulator: Accumulator::new(config.limits()), closed: false }),
            config,
            opened: Notify::new(),
            flusher: Arc::new(Flusher { next, clock, stats }),
            flushes: Tasks::new(),
            room: Arc::new(Semaphore::new(MAX_FLUSHES)),
        });
        let weak = Arc::downgrade(&shared);
        let open = move || weak.upgrade().map_or(0, |shared| shared.state.lock().accumulator.len());
        let stats = &shared.flusher.stats;
        let size = shared.size.clone().map(|size| stats.observe_adaptive_size(move || size.get()));
        let metrics = [Some(stats.observe_cardinality(open)), size];
        let timer = tokio::spawn(shared.clone().flush_when_due().boxed()).abort_handle();
        Self { shared, timer, _metrics: metrics }
    }

    /// Returns the number of items at which a batch is sent now. It changes if the settings are
    /// [`adaptive`](BatchConfig::adaptive).
    pub fn batch_size(&self) -> u64 {
        self.shared.size.as_ref().map_or(self.shared.config.send_batch_size, |size| size.get())
    }

    /// Sends the open batches, full or not.
    pub(crate) fn flush(&self) {
        let open = self.shared.state.lock().accumulator.take_all();
        open.into_iter().for_each(|open| self.shared.flush(open));
    }

    /// Refuses new requests, sends the open batches and waits until they have settled, at most until `deadline`. Items that are
    /// left at the deadline are dropped, or refused if their sender waits. In memory mode a batch settles once it is in the
    /// queues: drain the queues next.
    pub async fn drain(&self, deadline: Instant) {
        let open = {
            let mut state = self.shared.state.lock();
            state.closed = true;
            state.accumulator.take_all()
        };
        open.into_iter().for_each(|open| self.shared.flush(open));
        self.shared.flushes.drain(&*self.shared.flusher.clock, deadline).await;
    }
}

impl Export for BatchProcessor {
    async fn export(&self, mut batch: Batch) -> ExportResult {
        let shared = &self.shared;
        shared.flusher.stats.incoming.add(batch.items());
        let BatchConfig { metadata_keys, by_identity, .. } = &shared.config;
        batch.origin = narrow(batch.origin.take(), metadata_keys, *by_identity);
        if shared.delivery == Delivery::Memory {
            return shared.admit(batch).await;
        }
        let (answer, waiting) = oneshot::channel();
        shared.take(batch, Some(answer))?;
        waiting.await.unwrap_or_else(|_| Err(shutting_down()))
    }
}

impl fmt::Debug for BatchProcessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { config, delivery, .. } = &*self.shared;
        f.debug_struct("BatchProcessor")
            .field("config", config)
            .field("delivery", delivery)
            .field("open_batches", &self.shared.state.lock().accumulator.len())
            .finish_non_exhaustive()
    }
}

impl Drop for BatchProcessor {
    fn drop(&mut self) {
        self.timer.abort();
    }
}

// === impl Shared ===

impl Shared {
    /// Admits a request whose sender is answered on admission. A request that joins no open batch asks the queues for room
    /// first.
    async fn admit(&self, mut batch: Batch) -> ExportResult {
        // The sender has its answer: the sender's deadline must not drop the data.
        batch.deadline = None;
        let size = Size::of(&batch);
        let Some(batch) = self.try_join(batch)? else { return Ok(Accepted::FULL) };
        if let Some(queues) = &self.queues {
            queues.ask_for_room(size).await?;
        }
        if self.room.available_permits() == 0 {
            self.hop.refuse(size.items);
            return Err(ExportError::refused(
                ErrorKind::Exhausted,
                "the limit of batches that wait to be sent is reached",
            ));
        }
        self.take(batch, None)?;
        Ok(Accepted::FULL)
    }

    /// Joins a request to an open batch. Returns the request if no open batch has room.
    fn try_join(&self, batch: Batch) -> Result<Option<Batch>, ExportError> {
        let items = batch.items();
        let mut state = self.open_state(items)?;
        if state.accumulator.place(&batch) != Placement::Joins {
            return Ok(Some(batch));
        }
        let full = state.accumulator.join(batch, |senders| senders.add(self.hop.unsent(items), None));
        drop(state);
        self.flush_ready([full, None]);
        Ok(None)
    }

    /// Joins a request to a batch, opens a batch with it, or sends it alone. `waiter` gets the answer; `None` if the sender has
    /// the answer.
    fn take(&self, batch: Batch, waiter: Option<Waiter>) -> Result<(), ExportError> {
        let items = batch.items();
        let mut state = self.open_state(items)?;
        let unsent = self.hop.unsent(items);
        let ready = match state.accumulator.place(&batch) {
            Placement::Joins => [state.accumulator.join(batch, |senders| senders.add(unsent, waiter)), None],
            Placement::Opens => {
                let now = self.flusher.clock.now();
                let ready = state.accumulator.open(batch, now, Senders::new(unsent, waiter));
                self.opened.notify_one();
                ready
            }
            Placement::Alone => {
                let limits = state.accumulator.largest();
                drop(state);
                self.send_alone(batch, Senders::new(unsent, waiter), limits);
                return Ok(());
            }
        };
        drop(state);
        self.flush_ready(ready);
        Ok(())
    }

    fn open_state(&self, items: u64) -> Result<MutexGuard<'_, State>, ExportError> {
        let mut state = self.state.lock();
        if state.closed {
            self.hop.refuse(items);
            return Err(shutting_down());
        }
        if let Some(size) = &self.size {
            state.accumulator.resize(size.get());
        }
        Ok(state)
    }

    /// Sends each open batch at its time.
    async fn flush_when_due(self: Arc<Self>) {
        loop {
            let next = self.state.lock().accumulator.next_due();
            let Some(due) = next else {
                self.opened.notified().await;
                continue;
            };
            self.flusher.clock.sleep_until(due).await;
            let due = self.state.lock().accumulator.take_due(self.flusher.clock.now());
            for open in due {
                self.flusher.stats.sent_by_timeout.add(1);
                self.flush(open);
            }
        }
    }

    fn flush_ready(&self, ready: [Option<Ready<Senders>>; 2]) {
        for ready in ready.into_iter().flatten() {
            let (counter, open) = match ready {
                Ready::Full(open) => (&self.flusher.stats.sent_by_size, open),
                Ready::Evicted(open) => (&self.flusher.stats.sent_by_cardinality, open),
            };
            counter.add(1);
            self.flush(open);
        }
    }

    fn flush(&self, Open { merge, senders, .. }: Open<Senders>) {
        self.send(merge.finish(), senders);
    }

    fn send_alone(&self, batch: Batch, senders: Senders, limits: SplitLimits) {
        if !batch.is_mergeable() {
            self.flusher.stats.unmergeable.add(1);
        } else if !fits(limits, batch.len(), batch.items()) {
            return self.send_in_parts(batch, senders, limits);
        }
        self.send(batch, senders);
    }

    fn send(&self, batch: Batch, senders: Senders) {
        let flusher = self.flusher.clone();
        let (held, permit) = match senders {
            // Without a permit there are too many flushes, and `admit` refuses requests.
            Senders::Admitted(held) => (held, self.room.clone().try_acquire_owned()),
            Senders::Waiting(waiters, unsent) => {
                return self.flushes.spawn(async move {
                    answer_all(waiters, flusher.export(batch, unsent).await);
                });
            }
        };
        let flush = async move {
            flusher.hand_over(batch, held).await;
            drop(permit);
        };
        if self.queues.is_some() {
            // Done at once if the queues have room.
            self.flushes.start(Box::pin(flush));
        } else {
            self.flushes.spawn(flush);
        }
    }
}

// === impl Flusher ===

impl Flusher {
    /// Sends a batch whose senders have their answer, again and again until the next component accepts or finally refuses the
    /// batch. `held` counts the items meanwhile.
    async fn hand_over(&self, batch: Batch, held: Held) {
        let (items, bytes) = (batch.items(), batch.len());
        match export_until_taken(&self.next, batch, &*self.clock).await {
            // In the same poll in which the next component counted the items.
            Ok(_) => {
                held.withdraw();
                self.stats.sent(items, bytes);
            }
            Err(error) => {
                tracing::warn!(items, reason = ?error.message(), "a batch is dropped: the next component refused it with a final error");
                held.drop_for(DropReason::Permanent);
            }
        }
    }

    /// Exports a batch whose senders wait.
    async fn export(&self, batch: Batch, unsent: Unsent) -> ExportResult {
        self.stats.sent(batch.items(), batch.len());
        unsent.send();
        caught(self.next.export(batch)).await
    }
}

/// Largest number of batches whose senders have their answer and that are being sent: at this number, requests are refused.
const MAX_FLUSHES: usize = 1000;
