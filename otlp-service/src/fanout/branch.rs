//! The way from one pipeline to one destination.

use super::reservation::{Reservation, Ticket};
use super::settling::{Settling, deliver};
use crate::component::Tally;
use crate::ledger::{Account, DropReason, Holding, Ledger};
use crate::queue::{MemoryQueue, QueueEntry};
use otlp_protocol::Batch;
use otlp_transport::{Export, ExportError, ExportFuture};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Where a fan-out sends to.
#[derive(Clone)]
pub struct Destination {
    id: String,
    outlet: Outlet,
}

/// When an export is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// With the destination's answer.
    EndToEnd,
    /// Once the batch is in the queue; a crash loses what is queued.
    Memory,
}

#[derive(Clone)]
enum Outlet {
    Direct(Arc<dyn Deliver>),
    Queue(Arc<MemoryQueue>),
}

/// An export of any type, whose future is boxed once and borrows nothing.
trait Deliver: Send + Sync {
    fn deliver(self: Arc<Self>, batch: Batch, holding: Holding) -> ExportFuture<'static>;
}

pub(super) struct Branch {
    outlet: Outlet,
    account: Arc<Account>,
}

// === impl Destination ===

impl Destination {
    /// The exporter `id` without a queue: end to end.
    pub fn direct(id: impl Into<String>, export: impl Export) -> Self {
        Self { id: id.into(), outlet: Outlet::Direct(Arc::new(export)) }
    }

    /// The exporter `id` behind its queue, which decides the delivery.
    pub fn queued(id: impl Into<String>, queue: Arc<MemoryQueue>) -> Self {
        Self { id: id.into(), outlet: Outlet::Queue(queue) }
    }
}

// === impl Branch ===

impl Branch {
    pub(super) fn new(pipeline: &str, destination: Destination, ledger: &Ledger) -> Self {
        Self { account: ledger.account(pipeline, &destination.id), outlet: destination.outlet }
    }

    /// The place of its queue in the global order; without a queue it comes first.
    pub(super) fn queue_id(&self) -> u64 {
        self.queue().map_or(0, |queue| queue.id())
    }

    pub(super) fn delivery(&self) -> Delivery {
        self.queue().map_or(Delivery::EndToEnd, |queue| queue.delivery())
    }

    /// Room in its queue, if it has one.
    pub(super) async fn reserve(&self, items: u64) -> Result<Option<Ticket>, ExportError> {
        match &self.outlet {
            Outlet::Direct(_) => Ok(None),
            Outlet::Queue(queue) => Ok(Some(queue.reserve(items).await?.map_or(Ticket::Full, Ticket::Slot))),
        }
    }

    /// Room in its queue for more of what was accepted, if it has one: waited for, unless the queue drops what it has no
    /// room for.
    pub(super) async fn reserve_more(&self) -> Result<Option<Ticket>, ExportError> {
        match &self.outlet {
            Outlet::Direct(_) => Ok(None),
            Outlet::Queue(queue) => Ok(Some(queue.reserve_more().await?.map_or(Ticket::Full, Ticket::Slot))),
        }
    }

    /// Takes responsibility for items, if that is the moment for it.
    pub(super) fn hold(&self, items: u64) -> Holding {
        match self.delivery() {
            Delivery::EndToEnd => Holding::unaccepted(&self.account, items),
            Delivery::Memory => Holding::admitted(&self.account, items),
        }
    }

    pub(super) fn settle(&self, tally: &Tally) {
        self.account.settle(tally);
    }

    pub(super) fn refuse(&self, items: u64) {
        self.account.refuse(items);
    }

    /// Sends the batch on its way, with the next ticket if it needs one; `Some` if its answer is to be awaited.
    pub(super) fn start(
        &self,
        batch: Batch,
        holding: Holding,
        reservation: &mut Reservation,
    ) -> Option<Settling> {
        let queue = match &self.outlet {
            Outlet::Direct(export) => return Some(Settling::Direct(export.clone().deliver(batch, holding))),
            Outlet::Queue(queue) => queue,
        };
        let slot = match reservation.next() {
            Some(Ticket::Slot(slot)) => Some(slot),
            // There is one for each queue; should there not be, nothing is lost for it.
            None => None,
            Some(Ticket::Full) => match queue.try_reserve(batch.items()) {
                Some(slot) => Some(slot),
                None => {
                    holding.drop_for(DropReason::QueueFull);
                    return None;
                }
            },
        };
        let (answer, waiting) = match queue.delivery() {
            Delivery::Memory => (None, None),
            Delivery::EndToEnd => {
                let (answer, waiting) = oneshot::channel();
                (Some(answer), Some(Settling::Queued(waiting)))
            }
        };
        queue.push(QueueEntry { batch, holding, answer, slot });
        waiting
    }

    fn queue(&self) -> Option<&MemoryQueue> {
        match &self.outlet {
            Outlet::Direct(_) => None,
            Outlet::Queue(queue) => Some(queue),
        }
    }
}

impl<E: Export> Deliver for E {
    fn deliver(self: Arc<Self>, batch: Batch, holding: Holding) -> ExportFuture<'static> {
        Box::pin(async move { deliver(&*self, batch, holding).await })
    }
}
