//! The rest of a pipeline as it is put together, and what of it is drained.

use crate::batch::BatchProcessor;
use crate::fanout::{Delivery, FanOut};
use crate::holder::HolderStage;
use crate::ledger::Hop;
use crate::receiver::PipelineEntry;
use std::sync::Arc;
use std::time::Instant;

/// The rest of a pipeline, from some stage on.
#[derive(Clone)]
pub(super) struct Rest {
    pub(super) entry: PipelineEntry,
    /// The accounts that are filled from here: those of the ends, or of the next holder.
    pub(super) hop: Hop,
    pub(super) delivery: Delivery,
    /// Components to drain one after the other, at most, from here to the ends.
    pub(super) rank: usize,
}

/// A component that works off what it holds when the gateway stops.
pub(super) enum Drained {
    Batch(Arc<BatchProcessor>),
    Holder(HolderStage),
    FanOut(FanOut),
}

impl Drained {
    /// Starts what has more to do than take batches.
    pub(super) fn start(&self) {
        if let Self::Holder(holder) = self {
            holder.start();
        }
    }

    pub(super) async fn drain(&self, deadline: Instant) {
        match self {
            Self::Batch(processor) => processor.drain(deadline).await,
            Self::Holder(holder) => holder.drain(deadline).await,
            Self::FanOut(fanout) => fanout.drain(deadline).await,
        }
    }
}
