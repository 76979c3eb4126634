//! A holder in its pipeline: counted, started and drained by the gateway.

use super::{Answers, BoxHolder, Emissions, HolderAccount};
use crate::fanout::{Delivery, caught, shutting_down};
use crate::queue::{Queue, QueueEntry, QueueFuture, Slot, Wait};
use otlp_protocol::Batch;
use otlp_transport::{Clock, Export, ExportError, ExportResult};
use parking_lot::RwLock;
use std::sync::Arc;
use std::time::Instant;

/// A holder of a pipeline.
pub(crate) struct HolderStage {
    /// `None` once it has been drained: what it still holds is given up then.
    holder: RwLock<Option<BoxHolder>>,
    account: HolderAccount,
    emissions: Emissions,
}

/// A connector at the end of a pipeline, as a fan-out sends to it: a queue without room of its own.
pub(crate) struct ConnectorQueue {
    pub(crate) stage: Arc<HolderStage>,
    pub(crate) delivery: Delivery,
}

struct ConnectorSlot(Arc<HolderStage>);

// === impl HolderStage ===

impl HolderStage {
    pub(crate) fn new(holder: BoxHolder, account: HolderAccount, emissions: Emissions) -> Self {
        Self { holder: RwLock::new(Some(holder)), account, emissions }
    }

    pub(crate) fn start(&self) {
        if let Some(holder) = self.holder() {
            holder.start();
        }
    }

    /// Drains the holder, and waits for what it emits, but not beyond `deadline`. What it holds then is given up.
    pub(crate) async fn drain(&self, clock: &dyn Clock, deadline: Instant) {
        if let Some(holder) = self.holder() {
            tokio::select! {
                () = holder.drain(deadline) => {}
                () = clock.sleep_until(deadline) => {}
            }
        }
        self.emissions.finish(clock, deadline).await;
        drop(self.holder.write().take());
    }

    fn holder(&self) -> Option<BoxHolder> {
        self.holder.read().clone()
    }
}

impl Export for HolderStage {
    async fn export(&self, batch: Batch) -> ExportResult {
        let unsent = self.account.hop.unsent(batch.items());
        let holder = self.holder().ok_or_else(shutting_down)?;
        let result = caught(holder.export(batch)).await;
        // A holder that answers after the commit counts what it refuses when it gives up what it held.
        if result.is_ok() || self.account.answers == Answers::AfterCommit {
            unsent.send();
        }
        result
    }
}

// === impl ConnectorQueue ===

impl Queue for ConnectorQueue {
    fn reserve(&self, _items: u64, _wait: Wait) -> QueueFuture<'_, Result<Box<dyn Slot>, ExportError>> {
        QueueFuture::ready(Ok(Box::new(ConnectorSlot(self.stage.clone()))))
    }

    fn delivery(&self) -> Delivery {
        self.delivery
    }

    fn len(&self) -> usize {
        0
    }

    fn capacity(&self) -> usize {
        usize::MAX
    }

    fn drain(&self, _deadline: Instant) -> QueueFuture<'_, ()> {
        // The gateway drains the connector itself, in its turn.
        QueueFuture::ready(())
    }
}

impl Slot for ConnectorSlot {
    fn commit(self: Box<Self>, entry: QueueEntry) -> QueueFuture<'static, Result<(), ExportError>> {
        let QueueEntry { batch, held, answer } = entry;
        // The connector keeps the account.
        held.withdraw();
        QueueFuture::new(async move {
            let result = self.0.export(batch).await;
            let Some(answer) = answer else { return result.map(drop) };
            // A caller that went away does not need the answer any more.
            drop(answer.send(result));
            Ok(())
        })
    }
}
