//! Inlets of a receiver: the pipelines that name the receiver, by signal.

use crate::batch::BatchProcessor;
use crate::component::Needs;
use crate::fanout::{FanOut, PatientFanOut};
use crate::holder::HolderStage;
use crate::observe::Edge;
use crate::own_spans::OwnSpans;
use crate::processor::ProcessorChain;
use crate::switch::Switch;
use crate::telemetry::{MemoryStats, ReceiverStats, Registry, RequestStats};
use otlp_protocol::{Batch, Signal};
use otlp_transport::{BoxExport, Export, ExportResult};
use std::sync::Arc;
use std::time::Instant;

/// The pipelines that name a receiver, by signal, and what they need of its requests.
pub struct Inlets {
    pub(crate) receiver: String,
    pub(crate) needs: Needs,
    pub(crate) pipelines: Vec<Pipelines>,
    pub(crate) registry: Registry,
    pub(crate) spans: OwnSpans,
}

/// The pipelines of a signal.
#[derive(Clone)]
pub(crate) struct Pipelines {
    pub(crate) signal: Signal,
    /// Leads to the pipelines, and is turned by a reload.
    pub(crate) switch: Switch,
    /// Shared by all receivers.
    pub(crate) memory: MemoryStats,
}

/// One signal of one transport of a receiver.
struct Inlet {
    pipelines: Switch,
    stats: ReceiverStats,
    spans: OwnSpans,
    /// The receiver's id and the transport, for the names of spans.
    names: Box<(String, String)>,
}

/// The rest of a pipeline, and the edge in front of it.
#[derive(Clone)]
pub(crate) struct Entrance {
    pub(crate) edge: Edge,
    /// Counts the requests, if a pipeline begins here.
    pub(crate) requests: Option<Arc<RequestStats>>,
    pub(crate) entry: PipelineEntry,
}

/// The first component of the rest of a pipeline.
#[derive(Clone)]
pub(crate) enum PipelineEntry {
    Processors(ProcessorChain),
    Batch(Arc<BatchProcessor>),
    Holder(HolderStage),
    FanOut(FanOut),
    /// For batches whose senders have their answer.
    PatientFanOut(PatientFanOut),
}

// === impl Inlets ===

impl Inlets {
    /// The id of the receiver.
    pub fn receiver(&self) -> &str {
        &self.receiver
    }

    /// Parts of a request beside its body that components behind the receiver need: the receiver puts them into
    /// [`Batch::origin`].
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// The signals that pipelines take from the receiver.
    pub fn signals(&self) -> impl Iterator<Item = Signal> {
        self.pipelines.iter().map(|pipelines| pipelines.signal)
    }

    /// Leads to all pipelines that take the signal from the receiver, also after a reload has changed the pipelines; `None`
    /// if no pipeline does. What goes through it is
    /// counted as `otelcol_receiver_*`, with `transport` as the label of that name.
    pub fn to(&self, signal: Signal, transport: &str) -> Option<BoxExport> {
        let pipelines = self.pipelines.iter().find(|pipelines| pipelines.signal == signal)?;
        let memory = pipelines.memory.clone();
        let stats = ReceiverStats::new(&self.registry, &self.receiver, transport, signal, memory);
        let (spans, names) = (self.spans.clone(), Box::new((self.receiver.clone(), transport.to_owned())));
        Some(BoxExport::new(Inlet { pipelines: pipelines.switch.clone(), stats, spans, names }))
    }

    /// The registry of the gateway's own metrics, for metrics of the receiver.
    pub fn metrics(&self) -> &Registry {
        &self.registry
    }
}

impl Export for Inlet {
    async fn export(&self, mut batch: Batch) -> ExportResult {
        let (signal, items) = (batch.signal(), batch.items());
        let begun = self.stats.now();
        let span = self.spans.received(&mut batch, &self.names.0, &self.names.1);
        let (result, ended) = self.pipelines.export_from(begun, batch).await;
        self.stats.count(begun, ended.unwrap_or_else(|| self.stats.now()), items, &result);
        if let Some(span) = span {
            span.end_receipt(signal, items, &result);
        }
        result
    }

    fn refuse(&self, items: u64) {
        self.stats.count_refused(items);
    }

    fn refuse_unread(&self) {
        self.stats.count_unread();
    }
}

// === impl Entrance ===

impl Entrance {
    /// Exports a batch that came at `begun`; `None`: now. Returns the time of the answer too, if requests are counted here.
    pub(crate) async fn export_from(
        &self,
        begun: Option<Instant>,
        mut batch: Batch,
    ) -> (ExportResult, Option<Instant>) {
        self.edge.observe(&mut batch);
        let Some(requests) = &self.requests else { return (self.entry.export(batch).await, None) };
        let (begun, items) = (begun.unwrap_or_else(|| requests.now()), batch.items());
        let result = self.entry.export(batch).await;
        let ended = requests.now();
        requests.ended(begun, ended, items, &result);
        (result, Some(ended))
    }
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
