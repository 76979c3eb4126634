//! Fan-out: one batch to several destinations, all or none of which take it.
//!
//! Room is reserved in the queue of every destination that has one, then the batch is committed to all of them, so that a
//! refusal leaves no duplicates behind. Queues are waited for in one global order, so that two fan-outs never wait for each
//! other. Then the commits and the answers of the end-to-end destinations are awaited, concurrently. A commit that fails is
//! an error of its destination alone.
//!
//! The answers are joined: any failure fails the batch, retryably if any of the failures is; `rejected` is the maximum
//! over the destinations, and the texts are joined.
//!
//! Before the commit, dropping the export's future undoes everything. After it the batch settles by itself: what is
//! queued stays queued, and a commit or an attempt under way is finished by a task of its own.

mod answer;
mod settling;

pub use answer::join_answers;

use crate::batch::AttemptFeedback;
use crate::ledger::{Account, DropReason, Guard, Held, Hop};
use crate::observe::Edge;
use crate::queue::{Queue, QueueEntry, QueueFuture, Size, Slot, Wait};
use crate::retry::PartlyDelivered;
use crate::tasks::{Pauses, Tasks};
use futures_util::FutureExt;
use otlp_protocol::{Accepted, Batch, ErrorKind, Retry};
use otlp_transport::{Clock, Export, ExportError, ExportFuture, ExportResult};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Exports each batch to all of a pipeline's destinations. Cloning shares it.
#[derive(Clone)]
pub struct FanOut(Arc<Inner>);

struct Inner {
    /// In the order in which they are waited for.
    destinations: Vec<Destination>,
    hop: Hop,
    tasks: Tasks,
    clock: Arc<dyn Clock>,
    /// Passed by each batch for which there is room.
    edges: Box<[Edge]>,
}

/// A [`FanOut`] for batches whose senders have their answer: made by [`FanOut::patient`].
#[derive(Clone)]
pub struct PatientFanOut(FanOut);

/// Destination of a fan-out: an exporter, with or without a queue, and the account of the items sent there.
pub struct Destination {
    hop: Hop,
    end: End,
    feedback: AttemptFeedback,
    /// The place in the order in which room is asked for; `None`: by address.
    serial: Option<u64>,
    /// In its fan-out: the order in which answers are joined.
    position: usize,
}

/// Time at which an export is answered, from the earliest to the latest: of several deliveries the greatest holds. Only
/// [`Memory`](Self::Memory) may be answered before the batch is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Delivery {
    /// Once the batch is in the queue; a crash loses what is queued.
    Memory,
    /// Once the batch is on the device; neither a crash nor a power cut loses the batch.
    Disk,
    /// With the destination's answer.
    EndToEnd,
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
struct Place<'a> {
    position: usize,
    hop: &'a Hop,
    room: Room<'a>,
}

enum Room<'a> {
    Direct(&'a Arc<dyn Deliver>, Option<OwnedSemaphorePermit>),
    Slot(&'a Arc<dyn Queue>, Box<dyn Slot>),
}

/// A commit to a queue. A panic of the queue is an error like others.
struct Committing(QueueFuture<'static, Result<(), ExportError>>);

// === impl FanOut ===

impl FanOut {
    /// A fan-out to `destinations`.
    ///
    /// Must be called within a tokio runtime: there exports are finished whose callers went away.
    pub fn new(destinations: Vec<Destination>, clock: Arc<dyn Clock>) -> Self {
        Self::observed(destinations, clock, Vec::new())
    }

    /// A fan-out whose batches pass `edges` on their way to the destinations.
    pub(crate) fn observed(destinations: Vec<Destination>, clock: Arc<dyn Clock>, edges: Vec<Edge>) -> Self {
        let accounts = destinations.iter().flat_map(|destination| destination.hop().accounts());
        let hop = Hop::of(accounts.cloned());
        let destinations = destinations.into_iter().enumerate();
        let mut destinations: Vec<_> =
            destinations.map(|(position, destination)| destination.at(position)).collect();
        destinations.sort_by_key(Destination::order);
        Self(Arc::new(Inner { destinations, hop, tasks: Tasks::new(), clock, edges: edges.into() }))
    }

    /// Returns the delivery: the latest of those of the destinations.
    pub fn delivery(&self) -> Delivery {
        self.0.destinations.iter().map(Destination::delivery).max().unwrap_or(Delivery::Memory)
    }

    /// The accounts of its destinations.
    pub fn hop(&self) -> &Hop {
        &self.0.hop
    }

    /// The same destinations for a stage that has answered for what it sends: nothing is refused but by a drain.
    ///
    /// An export waits for room in every queue, and is answered once the fan-out counts the items in all accounts: what is
    /// committed later, or committed again after a failure, is committed by tasks of the fan-out. To a destination without
    /// a queue 10 batches are exported at a time.
    pub fn patient(&self) -> PatientFanOut {
        PatientFanOut(self.clone())
    }

    /// Waits for the exports whose callers have their answer or went away, but not beyond `deadline`.
    pub async fn drain(&self, deadline: Instant) {
        self.0.tasks.drain(&*self.0.clock, deadline).await;
    }

    /// Returns the feedback of each destination, in any order.
    pub(crate) fn feedback(&self) -> Vec<AttemptFeedback> {
        self.0.destinations.iter().map(|destination| destination.feedback.clone()).collect()
    }

    /// Asks for room for one batch in every queue, waits where a queue says so, and gives the room back. Cancel-safe.
    ///
    /// # Errors
    /// If a queue refuses: the items are counted as refused.
    pub(crate) async fn ask_for_room(&self, size: Size) -> Result<(), ExportError> {
        let unsent = self.0.hop.unsent(size.items);
        self.reserve(size, Wait::AsConfigured).await?;
        unsent.send();
        Ok(())
    }

    /// Room for one batch at every destination. Cancel-safe: room that the caller does not get is given back.
    async fn reserve(&self, size: Size, wait: Wait) -> Result<Vec<Place<'_>>, ExportError> {
        let mut places = Vec::with_capacity(self.0.destinations.len());
        for destination in &self.0.destinations {
            places.push(destination.reserve(size, wait).await?);
        }
        places.sort_unstable_by_key(|place| place.position);
        Ok(places)
    }
}

// === impl Inner ===

impl Inner {
    fn observe(&self, batch: &mut Batch) {
        self.edges.iter().for_each(|edge| edge.observe(batch));
    }
}

impl Export for PatientFanOut {
    async fn export(&self, mut batch: Batch) -> ExportResult {
        let PatientFanOut(FanOut(inner)) = self;
        batch.deadline = None;
        let places = self.0.reserve(Size::of(&batch), Wait::ForRoom).await?;
        inner.observe(&mut batch);
        for place in places {
            inner.tasks.start(place.take_over(batch.share(), inner.clock.clone()));
        }
        Ok(Accepted::FULL)
    }
}

// === impl Destination ===

impl Destination {
    /// An exporter without a queue: end to end.
    pub fn direct(account: Arc<Account>, export: impl Export) -> Self {
        let end = End::Direct(Arc::new(export), Arc::new(Semaphore::new(MAX_PATIENT_EXPORTS)));
        Self { hop: Hop::of([account]), end, feedback: AttemptFeedback::new(), serial: None, position: 0 }
    }

    /// An exporter behind its queue, which decides the delivery. Destinations of several pipelines may share a queue.
    pub fn queued(account: Arc<Account>, queue: Arc<dyn Queue>) -> Self {
        let end = End::Queued(queue);
        Self { hop: Hop::of([account]), end, feedback: AttemptFeedback::new(), serial: None, position: 0 }
    }

    /// The same exporter or queue for another pipeline, with that pipeline's account.
    #[must_use]
    pub fn with_account(&self, account: Arc<Account>) -> Self {
        let (end, feedback, serial) = (self.end.clone(), self.feedback.clone(), self.serial);
        Self { hop: Hop::of([account]), end, feedback, serial, position: 0 }
    }

    /// Sets the feedback to which the exporter's attempts report, for adaptive batch processors in front of the fan-out.
    #[must_use]
    pub fn with_feedback(mut self, feedback: AttemptFeedback) -> Self {
        self.feedback = feedback;
        self
    }

    /// Sets the place in the order in which room is asked for, which is the same in every run. Destinations that share an exporter or
    /// a queue have the same place.
    #[must_use]
    pub(crate) fn with_serial(self, serial: u64) -> Self {
        Self { serial: Some(serial), ..self }
    }

    fn at(self, position: usize) -> Self {
        Self { position, ..self }
    }

    /// Its account.
    fn hop(&self) -> &Hop {
        &self.hop
    }

    /// The place in the global order of what is waited for: the serial, or the address of what destinations may share.
    fn order(&self) -> (Option<u64>, usize) {
        let address = match &self.end {
            End::Direct(export, _) => Arc::as_ptr(export).cast::<()>().addr(),
            End::Queued(queue) => Arc::as_ptr(queue).cast::<()>().addr(),
        };
        (self.serial, address)
    }

    fn delivery(&self) -> Delivery {
        match &self.end {
            End::Direct(..) => Delivery::EndToEnd,
            End::Queued(queue) => queue.delivery(),
        }
    }

    /// Room for one batch.
    async fn reserve(&self, size: Size, wait: Wait) -> Result<Place<'_>, ExportError> {
        let room = match &self.end {
            End::Queued(queue) => Room::Slot(queue, queue.reserve(size, wait).await?),
            End::Direct(export, _) if wait == Wait::AsConfigured => Room::Direct(export, None),
            // The semaphore is never closed.
            End::Direct(export, room) => Room::Direct(export, room.clone().acquire_owned().await.ok()),
        };
        Ok(Place { position: self.position, hop: &self.hop, room })
    }
}

// === impl Place ===

impl Place<'_> {
    /// Accepts a batch whose sender has an answer already. The future is the work left to do, and counts the items.
    fn take_over(self, batch: Batch, clock: Arc<dyn Clock>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
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

impl<E: Export> Deliver for E {
    fn deliver(self: Arc<Self>, batch: Batch, held: Held) -> ExportFuture<'static> {
        Box::pin(async move { deliver(&*self, batch, held).await })
    }
}

/// Exports a batch and settles what is held for it. A panic of the exporter costs neither the queue's consumer nor the
/// process.
pub(crate) async fn deliver(export: &impl Export, batch: Batch, mut held: impl Guard) -> ExportResult {
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

/// Commits a batch, again and again while the queue fails in a way that may pass. `held` counts the items meanwhile.
async fn commit_until_taken(
    queue: Arc<dyn Queue>,
    mut slot: Box<dyn Slot>,
    mut batch: Batch,
    held: Held,
    hop: Hop,
    clock: Arc<dyn Clock>,
) {
    let size = Size::of(&batch);
    let mut pauses = Pauses::new();
    loop {
        let entry = QueueEntry::new(batch.share(), hop.covered(size.items), None);
        let error = match Committing::new(slot, entry).await {
            Ok(()) => return held.withdraw(),
            Err(error) => error,
        };
        if !error.retry().is_retryable() {
            return held.drop_for(DropReason::Permanent);
        }
        clock.sleep(pauses.next(&error)).await;
        // Only a drain refuses; then the items are dropped for the shutdown.
        let Ok(another) = queue.reserve(size, Wait::ForRoom).await else { return };
        slot = another;
    }
}

/// Batches that were answered for before, on their way to an exporter without a queue: as many as a queue has consumers
/// by default.
const MAX_PATIENT_EXPORTS: usize = 10;

const QUEUE_PANICKED: &str = "the sending queue panicked; see the log";
