//! A holder in its pipeline: counted, started and drained.

use super::{Answers, BoxHolder, Emissions, HolderAccount};
use crate::fanout::{Delivery, caught, shutting_down};
use crate::ledger::Hop;
use crate::queue::{Queue, QueueEntry, QueueFuture, Size, Slot, Wait};
use otlp_protocol::Batch;
use otlp_transport::{Clock, Export, ExportError, ExportResult};
use parking_lot::RwLock;
use std::sync::Arc;
use std::time::Instant;

/// A holder or a connector that was made: an `Export` that counts what is refused, and that can be started and drained.
/// Cloning shares it.
///
/// The gateway makes one for each pipeline that a component stands in. Made by hand it needs no gateway, so that one's own
/// holder can be tested alone, together with its line in the ledger:
///
/// ```
/// use otlp_protocol::{Accepted, Batch, Charge, Count, Signal};
/// use otlp_service::{
///     Answers, Held, Holder, HolderAccount, HolderContext, HolderSpec, Ledger, NopExporter, Outlet,
/// };
/// use otlp_transport::{Clock, Export, ExportResult, TokioClock};
/// use std::sync::{Arc, Mutex};
///
/// /// Holds batches until it is flushed.
/// struct Hoard(HolderAccount, Outlet, Mutex<Vec<(Batch, Held)>>);
///
/// impl Export for Hoard {
///     async fn export(&self, batch: Batch) -> ExportResult {
///         let held = self.0.hold(batch.items());
///         self.2.lock().unwrap().push((batch, held));
///         Ok(Accepted::FULL)
///     }
/// }
///
/// impl Holder for Hoard {
///     async fn flush(&self) {
///         let held = std::mem::take(&mut *self.2.lock().unwrap());
///         for (batch, held) in held {
///             self.1.emit(batch, held).await;
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// let spec = HolderSpec::new(Answers::OnAdmission, |context: HolderContext| {
///     let outlet = context.outlets.first().ok_or("the hoard leads nowhere")?;
///     Ok(Hoard(context.account.clone(), outlet.clone(), Mutex::default()))
/// });
/// let (ledger, clock) = (Ledger::new(), Arc::new(TokioClock));
/// let context = spec.context(ledger.account("logs", "hoard"), Signal::LOGS, clock.clone());
/// let hoard = spec.make(context.with_outlet("logs", Signal::LOGS, NopExporter))?;
/// hoard.start();
/// let books = || {
///     let ledger = ledger.snapshot();
///     ledger.line("logs", "hoard").map_or((0, 0, 0), |line| (line.accepted, line.queued, line.sent))
/// };
///
/// let count = Count { items: 3, entries: 3 };
/// hoard.export(Batch::unchecked(Signal::LOGS, vec![], count, true, Charge::none())).await?;
/// assert_eq!(books(), (3, 3, 0));
///
/// hoard.drain(clock.now() + std::time::Duration::from_secs(1)).await;
/// assert_eq!(books(), (3, 0, 3));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HolderStage(Arc<Inner>);

struct Inner {
    /// `None` once it has been drained: what it still holds is given up then.
    holder: RwLock<Option<BoxHolder>>,
    account: HolderAccount,
    emissions: Emissions,
    clock: Arc<dyn Clock>,
}

/// A connector at the end of a pipeline, as a fan-out sends to it: a queue without room of its own.
struct ConnectorQueue {
    stage: HolderStage,
    delivery: Delivery,
}

struct ConnectorSlot(HolderStage);

// === impl HolderStage ===

impl HolderStage {
    pub(super) fn new(
        holder: BoxHolder,
        account: HolderAccount,
        emissions: Emissions,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(Arc::new(Inner { holder: RwLock::new(Some(holder)), account, emissions, clock }))
    }

    /// Its line in the ledger: what stands in front counts there.
    pub fn hop(&self) -> &Hop {
        &self.0.account.hop
    }

    /// A connector as a [`Destination::queued`](crate::Destination::queued) with its account sends to it. `behind` is when
    /// the pipelines answer that it leads into.
    pub fn as_queue(&self, behind: Delivery) -> Arc<dyn Queue> {
        let delivery = self.0.account.answers.delivery(behind);
        Arc::new(ConnectorQueue { stage: self.clone(), delivery })
    }

    /// Starts the holder's work beside the batches that come in. To be called once, within a tokio runtime.
    pub fn start(&self) {
        if let Some(holder) = self.holder() {
            holder.start();
        }
    }

    /// Has the holder emit what it holds.
    pub(crate) async fn flush(&self) {
        if let Some(holder) = self.holder() {
            holder.flush().await;
        }
    }

    /// Drains the holder, and waits for what it emits, but not beyond `deadline`. What it holds then is given up, and
    /// what comes later is refused.
    pub async fn drain(&self, deadline: Instant) {
        let Inner { holder: place, emissions, clock, .. } = &*self.0;
        if let Some(holder) = self.holder() {
            tokio::select! {
                biased;
                () = holder.drain(deadline) => {}
                () = clock.sleep_until(deadline) => {}
            }
        }
        emissions.finish(&**clock, deadline).await;
        drop(place.write().take());
    }

    fn holder(&self) -> Option<BoxHolder> {
        self.0.holder.read().clone()
    }
}

impl Export for HolderStage {
    async fn export(&self, batch: Batch) -> ExportResult {
        let unsent = self.0.account.hop.unsent(batch.items());
        let holder = self.holder().ok_or_else(shutting_down)?;
        if self.0.account.answers == Answers::AfterCommit {
            // What it refuses it counts itself, when it gives up what it held; also if the sender goes away.
            unsent.send();
            return caught(holder.export(batch)).await;
        }
        let result = caught(holder.export(batch)).await;
        if result.is_ok() {
            unsent.send();
        }
        result
    }
}

// === impl ConnectorQueue ===

impl Queue for ConnectorQueue {
    fn reserve(&self, _size: Size, _wait: Wait) -> QueueFuture<'_, Result<Box<dyn Slot>, ExportError>> {
        QueueFuture::ready(Ok(Box::new(ConnectorSlot(self.stage.clone()))))
    }

    fn delivery(&self) -> Delivery {
        self.delivery
    }

    fn len(&self) -> usize {
        0
    }

    fn size(&self) -> u64 {
        0
    }

    fn capacity(&self) -> u64 {
        u64::MAX
    }

    fn drain(&self, _deadline: Instant) -> QueueFuture<'_, ()> {
        // The gateway drains the connector itself, in its turn.
        QueueFuture::ready(())
    }
}

impl Slot for ConnectorSlot {
    fn commit(self: Box<Self>, entry: QueueEntry) -> QueueFuture<'static, Result<(), ExportError>> {
        let QueueEntry { batch, held, answer, receipts, .. } = entry;
        // The connector keeps the account.
        held.withdraw();
        QueueFuture::new(async move {
            let result = self.0.export(batch).await;
            receipts.settle();
            let Some(answer) = answer else { return result.map(drop) };
            // A caller that went away does not need the answer any more.
            drop(answer.send(result));
            Ok(())
        })
    }
}
