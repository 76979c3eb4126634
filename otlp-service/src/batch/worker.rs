//! The accumulator among senders and destinations.

use super::BatchConfig;
use super::accumulator::{Accumulator, Held, Place, fits};
use super::send::{answer_all, commit_parts, export_parts};
use crate::cut::Parts;
use crate::fanout::{Admission, Delivery, FanOut, Reservation, Unsent, shutting_down};
use crate::tasks::Tasks;
use crate::telemetry::BatchStats;
use otlp_protocol::{Accepted, Batch, ErrorKind, SplitLimits};
use otlp_transport::{Clock, Export, ExportError, ExportResult};
use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;

/// Joins the batches it is given, and exports what comes of it through a [`FanOut`].
///
/// Dropping an export's future before it was admitted undoes it; after that the data goes its way.
pub struct BatchProcessor {
    shared: Arc<Shared>,
    timer: AbortHandle,
}

struct Shared {
    config: BatchConfig,
    state: Mutex<State>,
    limits: SplitLimits,
    fanout: FanOut,
    delivery: Delivery,
    clock: Arc<dyn Clock>,
    stats: Arc<BatchStats>,
    /// Told when there is something to wait for.
    opened: Notify,
    flushes: Tasks,
}

struct State {
    accumulator: Accumulator<Hold>,
    closed: bool,
}

/// What is held for the senders of an open batch.
enum Hold {
    /// They have their answer.
    Admitted(Admission),
    /// They wait for it.
    Waiting(Vec<Waiter>, Unsent<FanOut>),
}

pub(super) type Waiter = oneshot::Sender<ExportResult>;

// === impl BatchProcessor ===

impl BatchProcessor {
    /// A batch processor in front of `fanout`. Must be called within a tokio runtime.
    pub fn start(config: BatchConfig, fanout: FanOut, clock: Arc<dyn Clock>, stats: BatchStats) -> Self {
        let shared = Arc::new(Shared {
            limits: config.limits(),
            delivery: fanout.delivery(),
            state: Mutex::new(State { accumulator: Accumulator::new(config.clone()), closed: false }),
            config,
            fanout,
            clock,
            stats: Arc::new(stats),
            opened: Notify::new(),
            flushes: Tasks::new(),
        });
        let weak = Arc::downgrade(&shared);
        let open = move || weak.upgrade().map_or(0, |shared| shared.state.lock().accumulator.len());
        shared.stats.observe_cardinality(open);
        let timer = tokio::spawn(shared.clone().flush_when_due()).abort_handle();
        Self { shared, timer }
    }

    /// Takes no more, sends what it holds and waits until that has settled, but not beyond `deadline`. In memory mode
    /// it settles in the queues, which are drained next.
    pub async fn drain(&self, deadline: Instant) {
        let held = {
            let mut state = self.shared.state.lock();
            state.closed = true;
            state.accumulator.take_all()
        };
        held.into_iter().for_each(|held| self.shared.flush(held));
        self.shared.flushes.drain(&*self.shared.clock, deadline).await;
    }
}

impl Export for BatchProcessor {
    async fn export(&self, mut batch: Batch) -> ExportResult {
        let items = batch.items();
        self.shared.stats.incoming.add(items);
        batch.origin = self.shared.config.narrow(batch.origin.take());
        match self.shared.delivery {
            Delivery::Memory => self.shared.admit(batch, items).await,
            Delivery::EndToEnd => {
                self.shared.hold(batch, items)?.await.unwrap_or_else(|_| Err(shutting_down()))
            }
        }
    }
}

impl Drop for BatchProcessor {
    fn drop(&mut self) {
        self.timer.abort();
    }
}

// === impl Shared ===

impl Shared {
    /// Takes a batch into memory, once there is room for it.
    async fn admit(&self, mut batch: Batch, items: u64) -> ExportResult {
        let mut reservation = None;
        while let Some(homeless) = self.try_admit(batch, items, reservation.take())? {
            reservation = Some(self.fanout.reserve(items).await?);
            batch = homeless;
        }
        Ok(Accepted::FULL)
    }

    /// Takes a batch into memory, or gives it back if that needs a reservation.
    fn try_admit(
        &self,
        batch: Batch,
        items: u64,
        reservation: Option<Reservation>,
    ) -> Result<Option<Batch>, ExportError> {
        let mut state = self.open_state(items)?;
        match (state.accumulator.place(&batch), reservation) {
            (Place::Refused, _) => return Err(self.refuse(items)),
            (Place::Joins, _) => {
                let full = state.accumulator.join(batch, |hold| hold.admit(items));
                drop(state);
                self.flush_full([full, None]);
            }
            (Place::Opens, Some(reservation)) => {
                let hold = Hold::Admitted(self.fanout.admit(reservation, items));
                let full = state.accumulator.open(batch, self.clock.now(), hold);
                drop(state);
                self.opened.notify_one();
                self.flush_full(full);
            }
            (Place::Alone, Some(reservation)) => {
                drop(state);
                self.send_alone(batch, Hold::Admitted(self.fanout.admit(reservation, items)));
            }
            (Place::Opens | Place::Alone, None) => return Ok(Some(batch)),
        }
        Ok(None)
    }

    /// Takes a batch whose sender will wait for the answer.
    fn hold(&self, batch: Batch, items: u64) -> Result<oneshot::Receiver<ExportResult>, ExportError> {
        let (answer, waiting) = oneshot::channel();
        let mut state = self.open_state(items)?;
        match state.accumulator.place(&batch) {
            Place::Refused => return Err(self.refuse(items)),
            Place::Joins => {
                let full = state.accumulator.join(batch, |hold| hold.wait(answer, items));
                drop(state);
                self.flush_full([full, None]);
            }
            Place::Opens => {
                let full = state.accumulator.open(batch, self.clock.now(), self.waiting(answer, items));
                drop(state);
                self.opened.notify_one();
                self.flush_full(full);
            }
            Place::Alone => {
                drop(state);
                self.send_alone(batch, self.waiting(answer, items));
            }
        }
        Ok(waiting)
    }

    fn waiting(&self, answer: Waiter, items: u64) -> Hold {
        Hold::Waiting(vec![answer], Unsent::new(self.fanout.clone(), items))
    }

    fn open_state(&self, items: u64) -> Result<MutexGuard<'_, State>, ExportError> {
        let state = self.state.lock();
        if state.closed {
            self.fanout.refuse(items);
            return Err(shutting_down());
        }
        Ok(state)
    }

    fn refuse(&self, items: u64) -> ExportError {
        self.fanout.refuse(items);
        ExportError::refused(ErrorKind::Exhausted, "batches of too many different origins are open")
    }

    /// Sends each open batch when it is due.
    async fn flush_when_due(self: Arc<Self>) {
        loop {
            let next = self.state.lock().accumulator.next_due();
            let Some(due) = next else {
                self.opened.notified().await;
                continue;
            };
            self.clock.sleep_until(due).await;
            let held = self.state.lock().accumulator.take_due(self.clock.now());
            for held in held {
                self.stats.sent_by_timeout.add(1);
                self.flush(held);
            }
        }
    }

    fn flush_full(&self, full: [Option<Held<Hold>>; 2]) {
        for held in full.into_iter().flatten() {
            self.stats.sent_by_size.add(1);
            self.flush(held);
        }
    }

    fn flush(&self, Held { merge, hold, .. }: Held<Hold>) {
        self.send(merge.finish(), hold);
    }

    fn send_alone(&self, batch: Batch, hold: Hold) {
        if !batch.is_mergeable() {
            self.stats.unmergeable.add(1);
        } else if !fits(self.limits, batch.len(), batch.items()) {
            return self.send_in_parts(batch, hold);
        }
        self.send(batch, hold);
    }

    fn send(&self, batch: Batch, hold: Hold) {
        self.stats.sent(batch.items());
        match hold {
            Hold::Admitted(admission) => self.fanout.commit(batch, admission),
            Hold::Waiting(waiters, unsent) => {
                let fanout = self.fanout.clone();
                self.flushes.spawn(async move {
                    unsent.send();
                    answer_all(waiters, fanout.export(batch).await);
                });
            }
        }
    }

    /// Sends a request that is over a limit by itself, as a task of its own that cuts it as its parts find room.
    fn send_in_parts(&self, batch: Batch, hold: Hold) {
        let (fanout, stats, clock) = (self.fanout.clone(), self.stats.clone(), self.clock.clone());
        let parts = Parts::new(batch, self.limits);
        self.flushes.spawn(async move {
            match hold {
                Hold::Admitted(admission) => commit_parts(&fanout, parts, admission, &stats, &*clock).await,
                Hold::Waiting(waiters, unsent) => {
                    answer_all(waiters, export_parts(&fanout, parts, unsent, &stats, &*clock).await);
                }
            }
        });
    }
}

// === impl Hold ===

impl Hold {
    fn admit(&mut self, items: u64) {
        if let Self::Admitted(admission) = self {
            admission.admit(items);
        }
    }

    fn wait(&mut self, answer: Waiter, items: u64) {
        if let Self::Waiting(waiters, unsent) = self {
            waiters.push(answer);
            unsent.add(items);
        }
    }
}
