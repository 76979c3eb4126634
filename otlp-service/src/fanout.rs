//! Fan-out: one batch to several destinations, all or none of which take it.
//!
//! A slot is reserved in the queue of every destination that has one, then the batch is committed to all of them, so
//! that a refusal leaves no duplicates behind. Slots are waited for in one global order, so that two fan-outs never wait
//! for each other. Then the answers of the end_to_end destinations are awaited, concurrently.
//!
//! The answers are joined: any failure fails the batch, retryably if any of the failures is; `rejected` is the maximum
//! over the destinations, and the texts are joined.
//!
//! Before the commit, dropping the export's future undoes everything. After it the batch settles by itself: what is
//! queued stays queued, and an attempt under way is finished by a task of its own.

mod answer;
mod branch;
mod reservation;
mod settling;

pub use branch::{Delivery, Destination};

pub(crate) use answer::{join_answers, join_messages};
pub(crate) use reservation::{Admission, Reservation, Unsent};
pub(crate) use settling::{deliver, shutting_down};

use crate::component::Tally;
use crate::ledger::Ledger;
use crate::tasks::Tasks;
use branch::Branch;
use futures_util::future::join_all;
use otlp_protocol::{Accepted, Batch};
use otlp_transport::{Clock, Export, ExportError, ExportResult};
use settling::Detached;
use std::sync::Arc;
use std::time::Instant;

/// Exports each batch to all of a pipeline's destinations. Cloning shares it.
#[derive(Clone)]
pub struct FanOut(Arc<Inner>);

struct Inner {
    /// In the order in which slots are waited for.
    branches: Vec<Branch>,
    tasks: Tasks,
}

impl FanOut {
    /// A fan-out from `pipeline` to `destinations`, which keeps its accounts in `ledger`.
    ///
    /// Must be called within a tokio runtime: there exports are finished whose callers went away.
    pub fn new(pipeline: &str, destinations: Vec<Destination>, ledger: &Ledger) -> Self {
        let mut branches: Vec<_> =
            destinations.into_iter().map(|destination| Branch::new(pipeline, destination, ledger)).collect();
        branches.sort_by_key(Branch::queue_id);
        Self(Arc::new(Inner { branches, tasks: Tasks::new() }))
    }

    /// How it answers: [`Delivery::Memory`] only if all its destinations do.
    pub fn delivery(&self) -> Delivery {
        let all_memory = self.0.branches.iter().all(|branch| branch.delivery() == Delivery::Memory);
        if all_memory { Delivery::Memory } else { Delivery::EndToEnd }
    }

    /// Waits for the exports whose callers went away, but not beyond `deadline`.
    pub async fn drain(&self, clock: &dyn Clock, deadline: Instant) {
        self.0.tasks.drain(clock, deadline).await;
    }

    /// Room for one batch in every queue, waited for where the queue says so. Cancel-safe: the items of a caller that
    /// leaves stay its own, and a reservation that nobody gets is given back.
    pub(crate) async fn reserve(&self, items: u64) -> Result<Reservation, ExportError> {
        let unsent = Unsent::new(self, items);
        // Without queues there is nothing to allocate either.
        let mut tickets = Vec::new();
        for branch in &self.0.branches {
            tickets.extend(branch.reserve(items).await?);
        }
        unsent.send();
        Ok(Reservation::new(tickets))
    }

    /// Room for another batch of what was accepted, waited for in every queue that does not drop what is too much.
    pub(crate) async fn reserve_more(&self) -> Result<Reservation, ExportError> {
        let mut tickets = Vec::new();
        for branch in &self.0.branches {
            tickets.extend(branch.reserve_more().await?);
        }
        Ok(Reservation::new(tickets))
    }

    /// Accepts items into memory, for all destinations.
    pub(crate) fn admit(&self, reservation: Reservation, items: u64) -> Admission {
        Admission { reservation, holdings: self.0.branches.iter().map(|branch| branch.hold(items)).collect() }
    }

    /// Puts an admitted batch into the queues.
    pub(crate) fn commit(&self, mut batch: Batch, admission: Admission) {
        let Admission { mut reservation, holdings } = admission;
        let Some((last, others)) = self.0.branches.split_last() else { return };
        let mut holdings = holdings.into_iter();
        for (branch, holding) in others.iter().zip(holdings.by_ref()) {
            let _admitted = branch.start(batch.share(), holding, &mut reservation);
        }
        if let Some(holding) = holdings.next() {
            let _admitted = last.start(batch, holding, &mut reservation);
        }
    }

    /// Counts what processors did to items of a batch whose rest was accepted.
    pub(crate) fn settle(&self, tally: &Tally) {
        self.0.branches.iter().for_each(|branch| branch.settle(tally));
    }

    /// Counts items that stay the sender's.
    pub(crate) fn refuse(&self, items: u64) {
        self.0.branches.iter().for_each(|branch| branch.refuse(items));
    }
}

impl Export for FanOut {
    async fn export(&self, mut batch: Batch) -> ExportResult {
        let items = batch.items();
        let mut reservation = self.reserve(items).await?;
        let Some((last, others)) = self.0.branches.split_last() else { return Ok(Accepted::FULL) };
        let mut settlings = Vec::new();
        for branch in others {
            settlings.extend(branch.start(batch.share(), branch.hold(items), &mut reservation));
        }
        match last.start(batch, last.hold(items), &mut reservation) {
            None if settlings.is_empty() => Ok(Accepted::FULL),
            Some(only) if settlings.is_empty() => Detached::new(only, &self.0.tasks).await,
            settling => {
                settlings.extend(settling);
                join_answers(Detached::new(join_all(settlings), &self.0.tasks).await, u64::max)
            }
        }
    }
}
