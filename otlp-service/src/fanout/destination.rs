//! One destination: its account, and its exporter, with or without a queue.

use crate::ledger::{Account, DropReason, Held, Hop};
use crate::queue::{Queue, QueueEntry, QueueFuture, Slot, Wait};
use crate::retry::PartlyDelivered;
use crate::tasks::Pauses;
use futures_util::FutureExt;
use otlp_protocol::{Accepted, Batch, ErrorKind, Retry};
use otlp_transport::{Clock, Export, ExportError, ExportFuture, ExportResult};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Where a fan-out sends to: an exporter, with or without a queue, and the account of what it is sent.
pub struct Destination {
    hop: Hop,
    end: End,
    /// In its fan-out: the order in which answers are joined.
    position: usize,
}

/// When an export is answered. Only [`Memory`](Self::Memory) may be answered before the batch is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// With the destination's answer.
    EndToEnd,
    /// Once the batch is in the queue; a crash loses what is queued.
    Memory,
}

#[derive(Clone)]
enum End {
    /// Without a queue. The semaphore is for batches that were answered for before; senders that wait bound themselves.
    Direct(Arc<dyn Deliver>, Arc<Semaphore>),
    Queued(Arc<dyn Queue>),
}

/// An export of any type, whose future is boxed once and borrows nothing.
trait Deliver: Send + Sync {
    fn deliver(self: Arc<Self>, batch: Batch, held: Held) -> ExportFuture<'static>;
}

/// Room for one batch at a destination, given back when it is dropped.
pub(super) struct Place<'a> {
    pub(super) position: usize,
    hop: &'a Hop,
    room: Room<'a>,
}

enum Room<'a> {
    Direct(&'a Arc<dyn Deliver>, Option<OwnedSemaphorePermit>),
    Slot(&'a Arc<dyn Queue>, Box<dyn Slot>),
}

/// The answer to a batch that is on its way.
pub(super) enum Settling {
    /// Without a queue: polling it makes the attempts.
    Direct(ExportFuture<'static>),
    /// On its way into a queue; who waits for the destination's answer does so afterwards.
    Committing(Committing, Option<oneshot::Receiver<ExportResult>>),
    /// In a queue, whose consumers make the attempts.
    Queued(oneshot::Receiver<ExportResult>),
}

/// A commit to a queue. A panic of the queue is an error like others.
pub(super) struct Committing(QueueFuture<'static, Result<(), ExportError>>);

/// Exports a batch and settles what is held for it. A panic of the exporter costs neither the queue's consumer nor the
/// process.
pub(crate) async fn deliver<E: Export>(export: &E, batch: Batch, mut held: Held) -> ExportResult {
    let (signal, count) = (batch.signal(), batch.count());
    held.start();
    let error = match caught(export.export(batch)).await {
        Ok(mut accepted) => {
            // What comes from the network may be more than there was.
            accepted.rejected = accepted.rejected.min(count.rejectable(signal));
            held.accept(count.rejected_items(signal, accepted.rejected));
            return Ok(accepted);
        }
        Err(error) => error,
    };
    match PartlyDelivered::of(&error) {
        Some(fates) => {
            held.settle_parts(fates);
            if fates.failed == 0 { Ok(fates.answer.clone()) } else { Err(error) }
        }
        None => {
            held.fail(&error);
            Err(error)
        }
    }
}

/// The result of an export, of which a panic is an error like others.
pub(crate) async fn caught(export: impl Future<Output = ExportResult>) -> ExportResult {
    let outcome = AssertUnwindSafe(export).catch_unwind().await;
    outcome.unwrap_or_else(|_| Err(panicked("the exporter panicked; see the log")))
}

/// The answer to what a drain found unfinished.
pub(crate) fn shutting_down() -> ExportError {
    ExportError::refused(ErrorKind::Unavailable, "the gateway is shutting down")
}

fn panicked(message: &str) -> ExportError {
    ExportError::new(ErrorKind::Internal, Retry::Never, message)
}

// === impl Destination ===

impl Destination {
    /// An exporter without a queue: end to end.
    pub fn direct(account: Arc<Account>, export: impl Export) -> Self {
        let end = End::Direct(Arc::new(export), Arc::new(Semaphore::new(MAX_PATIENT_EXPORTS)));
        Self { hop: Hop::of([account]), end, position: 0 }
    }

    /// An exporter behind its queue, which decides the delivery. Destinations of several pipelines may share a queue.
    pub fn queued(account: Arc<Account>, queue: Arc<dyn Queue>) -> Self {
        Self { hop: Hop::of([account]), end: End::Queued(queue), position: 0 }
    }

    /// The same exporter or queue for another pipeline, with that pipeline's account.
    #[must_use]
    pub fn with_account(&self, account: Arc<Account>) -> Self {
        Self { hop: Hop::of([account]), end: self.end.clone(), position: 0 }
    }

    pub(super) fn at(self, position: usize) -> Self {
        Self { position, ..self }
    }

    /// Its account.
    pub(super) fn hop(&self) -> &Hop {
        &self.hop
    }

    /// The place in the global order of what is waited for: the address of what destinations may share.
    pub(super) fn order(&self) -> usize {
        match &self.end {
            End::Direct(export, _) => Arc::as_ptr(export).cast::<()>().addr(),
            End::Queued(queue) => Arc::as_ptr(queue).cast::<()>().addr(),
        }
    }

    pub(super) fn delivery(&self) -> Delivery {
        match &self.end {
            End::Direct(..) => Delivery::EndToEnd,
            End::Queued(queue) => queue.delivery(),
        }
    }

    /// Room for one batch.
    pub(super) async fn reserve(&self, items: u64, wait: Wait) -> Result<Place<'_>, ExportError> {
        let room = match &self.end {
            End::Queued(queue) => Room::Slot(queue, queue.reserve(items, wait).await?),
            End::Direct(export, _) if wait == Wait::AsConfigured => Room::Direct(export, None),
            // The semaphore is never closed.
            End::Direct(export, room) => Room::Direct(export, room.clone().acquire_owned().await.ok()),
        };
        Ok(Place { position: self.position, hop: &self.hop, room })
    }
}

// === impl Place ===

impl Place<'_> {
    /// Sends a batch on its way, whose sender waits for what comes of it.
    pub(super) fn take(self, batch: Batch) -> Settling {
        let held = self.hop.unaccepted(batch.items());
        let (queue, slot) = match self.room {
            Room::Direct(export, _) => return Settling::Direct(export.clone().deliver(batch, held)),
            Room::Slot(queue, slot) => (queue, slot),
        };
        let (answer, waiting) = if queue.delivery() == Delivery::EndToEnd {
            let (answer, waiting) = oneshot::channel();
            (Some(answer), Some(waiting))
        } else {
            (None, None)
        };
        Settling::Committing(Committing::new(slot, QueueEntry { batch, held, answer }), waiting)
    }

    /// Accepts a batch whose sender has an answer already. The future is the work left to do, and counts the items.
    pub(super) fn take_over(
        self,
        batch: Batch,
        clock: Arc<dyn Clock>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let held = self.hop.hold(batch.items());
        match self.room {
            Room::Direct(export, permit) => {
                let delivery = export.clone().deliver(batch, held);
                Box::pin(async move {
                    // The exporter's own retries are over, and the ledger has the outcome.
                    drop(delivery.await);
                    drop(permit);
                })
            }
            Room::Slot(queue, slot) => {
                Box::pin(commit_until_taken(queue.clone(), slot, batch, held, self.hop.clone(), clock))
            }
        }
    }
}

/// Commits a batch, again and again while the queue fails in a way that may pass. `held` counts the items meanwhile.
async fn commit_until_taken(
    queue: Arc<dyn Queue>,
    mut slot: Box<dyn Slot>,
    mut batch: Batch,
    held: Held,
    hop: Hop,
    clock: Arc<dyn Clock>,
) {
    let items = batch.items();
    let mut pauses = Pauses::new();
    loop {
        let entry = QueueEntry { batch: batch.share(), held: hop.covered(items), answer: None };
        let error = match Committing::new(slot, entry).await {
            Ok(()) => return held.withdraw(),
            Err(error) => error,
        };
        if !error.retry().is_retryable() {
            return held.drop_for(DropReason::Permanent);
        }
        clock.sleep(pauses.next(&error)).await;
        // Only a drain refuses; then the items are dropped for the shutdown.
        let Ok(another) = queue.reserve(items, Wait::ForRoom).await else { return };
        slot = another;
    }
}

// === impl Committing ===

impl Committing {
    fn new(slot: Box<dyn Slot>, entry: QueueEntry) -> Self {
        let committing = catch_unwind(AssertUnwindSafe(|| slot.commit(entry)));
        Self(committing.unwrap_or_else(|_| QueueFuture::ready(Err(panicked(QUEUE_PANICKED)))))
    }
}

impl Future for Committing {
    type Output = Result<(), ExportError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let poll = catch_unwind(AssertUnwindSafe(|| Pin::new(&mut self.0).poll(cx)));
        poll.unwrap_or_else(|_| Poll::Ready(Err(panicked(QUEUE_PANICKED))))
    }
}

// === impl Settling ===

impl Future for Settling {
    type Output = ExportResult;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ExportResult> {
        loop {
            match &mut *self {
                Self::Direct(export) => return export.as_mut().poll(cx),
                Self::Committing(committing, waiting) => {
                    if let Err(error) = ready!(Pin::new(committing).poll(cx)) {
                        return Poll::Ready(Err(error));
                    }
                    let Some(waiting) = waiting.take() else { return Poll::Ready(Ok(Accepted::FULL)) };
                    *self = Self::Queued(waiting);
                }
                Self::Queued(answer) => {
                    let answer = ready!(Pin::new(answer).poll(cx));
                    return Poll::Ready(answer.unwrap_or_else(|_| Err(shutting_down())));
                }
            }
        }
    }
}

impl<E: Export> Deliver for E {
    fn deliver(self: Arc<Self>, batch: Batch, held: Held) -> ExportFuture<'static> {
        Box::pin(async move { deliver(&*self, batch, held).await })
    }
}

/// Batches that were answered for before, on their way to an exporter without a queue: as many as a queue has consumers
/// by default.
const MAX_PATIENT_EXPORTS: usize = 10;

const QUEUE_PANICKED: &str = "the sending queue panicked; see the log";
