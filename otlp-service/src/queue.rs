//! Queues between a pipeline and an exporter: their contract, and the queue in memory.

mod memory;

pub use memory::MemoryQueue;

use crate::fanout::{Delivery, deliver};
use crate::ledger::{DropReason, Held};
use otlp_protocol::Batch;
use otlp_transport::{Export, ExportError, ExportResult};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::sync::oneshot;

/// An exporter's queue settings; they choose the delivery mode.
///
/// Disabled, or enabled with `wait_for_result`: *end to end*, an export is answered with the destination's answer.
/// Enabled: *memory*, an export is answered once the batch is in the queue; a crash loses what is queued.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueConfig {
    /// Whether there is a queue. Default true.
    pub enabled: bool,
    /// Batches under way at a time, from one queue; at least 1. Default 10.
    pub num_consumers: usize,
    /// Batches waiting, at most; at least 1. Default 1000.
    pub queue_size: usize,
    /// Whether an export waits for the destination's answer, though it goes through the queue. Default false.
    pub wait_for_result: bool,
    /// What happens to a batch when the queue is full. Default [`OnFull::Refuse`].
    pub on_full: OnFull,
}

/// What happens to a batch for which a queue has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnFull {
    /// The sender waits for a slot: the Collector's `block_on_overflow`.
    Block,
    /// It is dropped for this destination alone, and counted; other destinations are not held up. With
    /// `wait_for_result` the same as [`Refuse`](Self::Refuse), since somebody waits for an answer.
    Drop,
    /// It is refused for all destinations of its pipeline, retryably.
    #[default]
    Refuse,
}

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

/// What a [`Queue`] returns: a result that is there already, or a future of it. The first takes no allocation.
#[must_use = "futures do nothing unless polled"]
pub struct QueueFuture<'a, T>(State<'a, T>);

enum State<'a, T> {
    Ready(T),
    Taken,
    Pending(Pin<Box<dyn Future<Output = T> + Send + 'a>>),
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

// === impl QueueFuture ===

impl<'a, T> QueueFuture<'a, T> {
    /// A result that is there already.
    pub fn ready(result: T) -> Self {
        Self(State::Ready(result))
    }

    /// A result that takes time.
    pub fn new(future: impl Future<Output = T> + Send + 'a) -> Self {
        Self(State::Pending(Box::pin(future)))
    }
}

impl<T: Unpin> Future for QueueFuture<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        if let State::Pending(future) = &mut self.0 {
            return future.as_mut().poll(cx);
        }
        match std::mem::replace(&mut self.0, State::Taken) {
            State::Ready(result) => Poll::Ready(result),
            // Polled again after its end.
            State::Taken | State::Pending(_) => Poll::Pending,
        }
    }
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            num_consumers: 10,
            queue_size: 1000,
            wait_for_result: false,
            on_full: OnFull::Refuse,
        }
    }
}
