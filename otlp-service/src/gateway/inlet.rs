//! Where a receiver hands its batches: the pipelines of the signal that name it.

use crate::batch::BatchProcessor;
use crate::fanout::{FanOut, join_answers};
use crate::processor::ProcessorChain;
use crate::telemetry::ReceiverStats;
use futures_util::future::join_all;
use otlp_protocol::Batch;
use otlp_transport::{Export, ExportResult};
use std::sync::Arc;

/// One signal of one server of a receiver. Of several pipelines each gets the batch, at the same time; unlike the
/// destinations of one pipeline they do not wait for one another, so a refusal by one of them may leave duplicates in
/// the others when the sender tries again.
pub(super) struct Inlet {
    pub(super) pipelines: Vec<PipelineEntry>,
    pub(super) stats: ReceiverStats,
}

/// The first component of a pipeline.
#[derive(Clone)]
pub(super) enum PipelineEntry {
    Processors(ProcessorChain),
    Batch(Arc<BatchProcessor>),
    FanOut(FanOut),
}

impl Export for Inlet {
    async fn export(&self, mut batch: Batch) -> ExportResult {
        let items = batch.items();
        let result = match &*self.pipelines {
            [only] => only.export(batch).await,
            several => {
                let exports = several.iter().map(|pipeline| pipeline.export(batch.share()));
                join_answers(join_all(exports).await, u64::max)
            }
        };
        self.stats.count(items, &result);
        result
    }

    fn refuse(&self, items: u64) {
        self.stats.count_refused(items);
    }

    fn refuse_unread(&self) {
        self.stats.count_unread();
    }
}

impl Export for PipelineEntry {
    async fn export(&self, batch: Batch) -> ExportResult {
        match self {
            Self::Processors(chain) => chain.export(batch).await,
            Self::Batch(processor) => processor.export(batch).await,
            Self::FanOut(fanout) => fanout.export(batch).await,
        }
    }
}
