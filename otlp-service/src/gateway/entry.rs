//! The way into a pipeline, or into the rest of a pipeline.

use crate::batch::BatchProcessor;
use crate::fanout::{Delivery, FanOut, PatientFanOut};
use crate::holder::HolderStage;
use crate::ledger::Hop;
use crate::processor::ProcessorChain;
use otlp_protocol::Batch;
use otlp_transport::{Clock, Export, ExportResult};
use std::sync::Arc;
use std::time::Instant;

/// The first component of the rest of a pipeline.
#[derive(Clone)]
pub(crate) enum PipelineEntry {
    Processors(ProcessorChain),
    Batch(Arc<BatchProcessor>),
    Holder(Arc<HolderStage>),
    FanOut(FanOut),
    /// For what has been answered for.
    PatientFanOut(PatientFanOut),
}

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
    Holder(Arc<HolderStage>),
    FanOut(FanOut),
}

impl Export for PipelineEntry {
    async fn export(&self, batch: Batch) -> ExportResult {
        match self {
            Self::Processors(chain) => chain.export(batch).await,
            Self::Batch(processor) => processor.export(batch).await,
            Self::Holder(holder) => holder.export(batch).await,
            Self::FanOut(fanout) => fanout.export(batch).await,
            Self::PatientFanOut(fanout) => fanout.export(batch).await,
        }
    }
}

impl Drained {
    /// Starts what has more to do than take batches.
    pub(super) fn start(&self) {
        if let Self::Holder(holder) = self {
            holder.start();
        }
    }

    pub(super) async fn drain(&self, clock: &dyn Clock, deadline: Instant) {
        match self {
            Self::Batch(processor) => processor.drain(deadline).await,
            Self::Holder(holder) => holder.drain(clock, deadline).await,
            Self::FanOut(fanout) => fanout.drain(deadline).await,
        }
    }
}
