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
mod destination;

pub use answer::join_answers;
pub use destination::{Delivery, Destination};

pub(crate) use destination::{caught, deliver, shutting_down};

use crate::ledger::Hop;
use crate::queue::Wait;
use crate::tasks::Tasks;
use destination::{Place, Settling};
use futures_util::future::join_all;
use otlp_protocol::{Accepted, Batch};
use otlp_transport::{Clock, Export, ExportError, ExportResult};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

/// Exports each batch to all of a pipeline's destinations. Cloning shares it.
#[derive(Clone)]
pub struct FanOut(Arc<Inner>);

struct Inner {
    /// In the order in which they are waited for.
    destinations: Vec<Destination>,
    hop: Hop,
    tasks: Tasks,
    clock: Arc<dyn Clock>,
}

/// A [`FanOut`] for batches whose senders have their answer: made by [`FanOut::patient`].
#[derive(Clone)]
pub struct PatientFanOut(FanOut);

/// A future that, dropped unfinished, goes on in a task of its own: a caller that goes away cancels nothing.
struct Detached<'a, F: Future<Output: Send> + Send + Unpin + 'static> {
    running: Option<F>,
    tasks: &'a Tasks,
}

// === impl FanOut ===

impl FanOut {
    /// A fan-out to `destinations`.
    ///
    /// Must be called within a tokio runtime: there exports are finished whose callers went away.
    pub fn new(destinations: Vec<Destination>, clock: Arc<dyn Clock>) -> Self {
        let accounts = destinations.iter().flat_map(|destination| destination.hop().accounts());
        let hop = Hop::of(accounts.cloned());
        let destinations = destinations.into_iter().enumerate();
        let mut destinations: Vec<_> =
            destinations.map(|(position, destination)| destination.at(position)).collect();
        destinations.sort_by_key(Destination::order);
        Self(Arc::new(Inner { destinations, hop, tasks: Tasks::new(), clock }))
    }

    /// How it answers: [`Delivery::Memory`] only if all its destinations do.
    pub fn delivery(&self) -> Delivery {
        let is_memory = |destination: &Destination| destination.delivery() == Delivery::Memory;
        if self.0.destinations.iter().all(is_memory) { Delivery::Memory } else { Delivery::EndToEnd }
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

    /// Asks for room for one batch in every queue, waits where a queue says so, and gives the room back. Cancel-safe.
    ///
    /// # Errors
    /// If a queue refuses: the items are counted as refused.
    pub(crate) async fn ask_for_room(&self, items: u64) -> Result<(), ExportError> {
        let unsent = self.0.hop.unsent(items);
        self.reserve(items, Wait::AsConfigured).await?;
        unsent.send();
        Ok(())
    }

    /// Room for one batch at every destination. Cancel-safe: room that the caller does not get is given back.
    async fn reserve(&self, items: u64, wait: Wait) -> Result<Vec<Place<'_>>, ExportError> {
        let mut places = Vec::with_capacity(self.0.destinations.len());
        for destination in &self.0.destinations {
            places.push(destination.reserve(items, wait).await?);
        }
        places.sort_unstable_by_key(|place| place.position);
        Ok(places)
    }
}

impl Export for FanOut {
    async fn export(&self, mut batch: Batch) -> ExportResult {
        let items = batch.items();
        let unsent = self.0.hop.unsent(items);
        let mut places = self.reserve(items, Wait::AsConfigured).await?;
        unsent.send();
        let Some(last) = places.pop() else { return Ok(Accepted::FULL) };
        let mut settlings: Vec<Settling> =
            places.into_iter().map(|place| place.take(batch.share())).collect();
        let last = last.take(batch);
        if settlings.is_empty() {
            return Detached::new(last, &self.0.tasks).await;
        }
        settlings.push(last);
        join_answers(Detached::new(join_all(settlings), &self.0.tasks).await, u64::max)
    }
}

impl Export for PatientFanOut {
    async fn export(&self, mut batch: Batch) -> ExportResult {
        let PatientFanOut(FanOut(inner)) = self;
        batch.deadline = None;
        for place in self.0.reserve(batch.items(), Wait::ForRoom).await? {
            inner.tasks.start(place.take_over(batch.share(), inner.clock.clone()));
        }
        Ok(Accepted::FULL)
    }
}

// === impl Detached ===

impl<'a, F: Future<Output: Send> + Send + Unpin> Detached<'a, F> {
    fn new(running: F, tasks: &'a Tasks) -> Self {
        Self { running: Some(running), tasks }
    }
}

impl<F: Future<Output: Send> + Send + Unpin> Future for Detached<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Some(running) = &mut self.running else { return Poll::Pending };
        let output = Pin::new(running).poll(cx);
        if output.is_ready() {
            self.running = None;
        }
        output
    }
}

impl<F: Future<Output: Send> + Send + Unpin + 'static> Drop for Detached<'_, F> {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.tasks.spawn(async move { drop(running.await) });
        }
    }
}
