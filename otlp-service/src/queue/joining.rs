//! Batches made when a queue is read: the entries of the queue are joined as a batch processor joins requests.
//!
//! The consumers take turns: the consumer whose turn it is reads the queue until a batch is full or due, and leaves the turn to
//! the next consumer while it sends the batch. So nothing is read while all consumers are busy, and there are never more batches
//! under way than consumers.
//!
//! An entry is settled when the batch with its data is settled; an entry over the limit is cut, and settled when all its parts
//! are. The entries of a batch share its outcome: a failure is the answer to all their senders. If the destination rejects items
//! of a joined batch, the sender of these items is unknown: each sender gets the message with a count of 0.

use super::consumers::Source;
use super::entry::Receipts;
use super::{QueueBatchConfig, QueueEntry};
use crate::batch::{Accumulator, Open, Placement, Ready, answer_all, narrow};
use crate::cut::Parts;
use crate::fanout::{deliver, join_answers};
use crate::ledger::{Held, HeldSet};
use crate::telemetry::ExporterStats;
use otlp_protocol::{Accepted, Batch, SplitLimits};
use otlp_transport::{Clock, Export, ExportResult};
use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Mutex, OwnedSemaphorePermit, oneshot};

/// The entries of a queue, joined into batches. Shared by the consumers.
pub(super) struct Joining<S> {
    source: Arc<S>,
    config: QueueBatchConfig,
    clock: Arc<dyn Clock>,
    /// Locked by the consumer that reads the queue.
    state: Mutex<State>,
    evictions: Arc<AtomicU64>,
}

struct State {
    accumulator: Accumulator<Entries>,
    /// Batches for the next consumers.
    ready: VecDeque<Joined>,
    is_drained: bool,
}

/// A batch that is ready to be sent.
pub(super) struct Joined {
    content: Content,
    entries: Entries,
}

enum Content {
    Whole(Batch),
    /// The parts of one entry over the limit.
    Parts(Box<Parts>),
}

/// An entry without its batch.
struct Entry {
    held: Held,
    answer: Option<oneshot::Sender<ExportResult>>,
    receipts: Receipts,
    room: Option<OwnedSemaphorePermit>,
}

/// The entries in a joined batch.
#[derive(Default)]
struct Entries {
    count: usize,
    held: HeldSet,
    answers: Vec<oneshot::Sender<ExportResult>>,
    receipts: Vec<Receipts>,
    room: Vec<OwnedSemaphorePermit>,
}

// === impl Joining ===

impl<S: Source> Joining<S> {
    pub(super) fn new(
        source: Arc<S>,
        config: QueueBatchConfig,
        clock: Arc<dyn Clock>,
        evictions: Arc<AtomicU64>,
    ) -> Self {
        let accumulator = Accumulator::new(config.limits());
        let state = Mutex::new(State { accumulator, ready: VecDeque::new(), is_drained: false });
        Self { source, config, clock, state, evictions }
    }

    /// Waits for the next batch; `None` once the queue drains and all its entries are sent.
    pub(super) async fn next(&self) -> Option<Joined> {
        let mut state = self.state.lock().await;
        loop {
            state.take_due(&*self.clock);
            if let Some(joined) = state.ready.pop_front() {
                return Some(joined);
            }
            if state.is_drained {
                return None;
            }
            let due = state.accumulator.next_due();
            let becomes_due = async {
                match due {
                    Some(due) => self.clock.sleep_until(due).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                entry = self.source.next() => match entry {
                    Some(entry) => self.add(&mut state, entry),
                    None => state.finish(),
                },
                () = becomes_due => {}
            }
        }
    }

    fn add(&self, state: &mut State, entry: QueueEntry) {
        let QueueEntry { mut batch, held, answer, receipts, room } = entry;
        let entry = Entry { held, answer, receipts, room };
        batch.origin = narrow(batch.origin.take(), &self.config.metadata_keys, self.config.by_identity);
        let accumulator = &mut state.accumulator;
        let ready = match accumulator.place(&batch) {
            Placement::Joins => [accumulator.join(batch, |entries| entries.add(entry)), None],
            Placement::Opens => accumulator.open(batch, self.clock.now(), Entries::of(entry)),
            Placement::Alone => {
                let content = Content::alone(batch, accumulator.largest());
                state.ready.push_back(Joined { content, entries: Entries::of(entry) });
                return;
            }
        };
        for ready in ready.into_iter().flatten() {
            let open = match ready {
                Ready::Full(open) => open,
                Ready::Evicted(open) => {
                    self.evictions.fetch_add(1, Ordering::Relaxed);
                    open
                }
            };
            state.ready.push_back(open.into());
        }
    }
}

// === impl State ===

impl State {
    fn take_due(&mut self, clock: &dyn Clock) {
        if self.accumulator.next_due().is_some() {
            self.ready.extend(self.accumulator.take_due(clock.now()).into_iter().map(Joined::from));
        }
    }

    /// Makes the open batches ready: no entries follow.
    fn finish(&mut self) {
        self.is_drained = true;
        self.ready.extend(self.accumulator.take_all().into_iter().map(Joined::from));
    }
}

// === impl Joined ===

impl Joined {
    /// Sends the batch, counts the outcome of its items, settles the receipts and answers the senders. Gives the room in the
    /// queue back first.
    pub(super) async fn deliver<E: Export>(self, export: &E, stats: &ExporterStats, clock: &dyn Clock) {
        let Self { content, entries } = self;
        let Entries { count, mut held, answers, receipts, room } = entries;
        drop(room);
        let mut result = match content {
            Content::Whole(batch) => {
                stats.dequeued.record(&batch);
                deliver(export, batch, std::mem::take(&mut held)).await
            }
            Content::Parts(mut parts) => {
                let mut joined = Ok(Accepted::FULL);
                while let Some(part) = parts.next(clock).await {
                    stats.dequeued.record(&part);
                    let own = held.split_off(part.items());
                    let answer = deliver(export, part, own).await;
                    joined = join_answers([joined, answer], u64::saturating_add);
                }
                joined
            }
        };
        if held.items() > 0 {
            // The parts end early only when the runtime shuts down: the outcome of the other parts is open.
            return;
        }
        if let (Ok(accepted), 2..) = (&mut result, count) {
            accepted.rejected = 0;
        }
        receipts.into_iter().for_each(Receipts::settle);
        answer_all(answers, result);
    }
}

impl From<Open<Entries>> for Joined {
    fn from(open: Open<Entries>) -> Self {
        Self { content: Content::Whole(open.merge.finish()), entries: open.senders }
    }
}

impl Content {
    /// The content of a batch that is not joined.
    fn alone(batch: Batch, largest: SplitLimits) -> Self {
        if batch.is_mergeable() {
            Self::Parts(Box::new(Parts::new(batch, largest)))
        } else {
            Self::Whole(batch)
        }
    }
}

// === impl Entries ===

impl Entries {
    fn of(entry: Entry) -> Self {
        let mut entries = Self::default();
        entries.add(entry);
        entries
    }

    fn add(&mut self, Entry { held, answer, receipts, room }: Entry) {
        self.count += 1;
        self.held.add(held);
        self.answers.extend(answer);
        self.receipts.extend(Some(receipts).filter(|receipts| !receipts.is_empty()));
        self.room.extend(room);
    }
}
