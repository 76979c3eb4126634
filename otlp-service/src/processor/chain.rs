//! Processors in a row, in front of the next component of their pipeline.

use crate::component::{Access, Out, Processor, Tally};
use crate::fanout::join_answers;
use crate::ledger::Hop;
use crate::observe::Edge;
use crate::own_spans::OwnSpans;
use crate::telemetry::ProcessorStats;
use futures_util::future::join_all;
use otlp_protocol::{Accepted, Batch, ErrorKind, Retry, SpanKind};
use otlp_transport::{BoxExport, Clock, Export, ExportError, ExportResult, offload};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Runs each batch through processors, in order, and exports the resulting batches.
///
/// Cancel-safety: dropping the future of an export before the processors have ended undoes the export; after that the resulting
/// batches are with the next component.
///
/// A chain in front of a batch processor, which is shared by an `Arc` so that it can be drained:
///
/// ```
/// use otlp_protocol::encode::{LogRecords, RequestWriter};
/// use otlp_protocol::{Batch, Charge, Signal, ValidateLimits};
/// use otlp_service::{
///     ActionConfig, ActionKind, AttributesProcessor, BatchConfig, BatchProcessor, BatchStats, Destination, FanOut, Ledger,
///     MatchConfig, NopExporter, Processor, ProcessorChain, ProcessorStats, Registry,
/// };
/// use otlp_transport::{BoxExport, Clock, Export, TokioClock};
/// use std::{sync::Arc, time::Duration};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (ledger, registry, clock) = (Ledger::new(), Registry::new(), Arc::new(TokioClock));
/// let destination = Destination::direct(ledger.account("logs", "nop"), NopExporter);
/// let fanout = FanOut::new(vec![destination], clock.clone());
/// let stats = BatchStats::new(&registry, "batch", "logs", Signal::LOGS);
/// let batcher = Arc::new(BatchProcessor::start_before(BatchConfig::default(), &fanout, clock.clone(), stats));
///
/// let mut action = ActionConfig::default();
/// (action.key, action.action) = ("password".into(), ActionKind::Delete);
/// let processor: Arc<dyn Processor> = Arc::new(AttributesProcessor::new(&[action], MatchConfig::default())?);
/// let stats = ProcessorStats::new(&registry, "attributes", "logs", Signal::LOGS);
/// let processors = [("attributes".to_owned(), processor, stats)];
/// let next = BoxExport::new(batcher.clone());
/// let chain = ProcessorChain::new(processors, next, fanout.hop().clone(), clock.clone());
///
/// let mut body = Vec::new();
/// RequestWriter::<LogRecords>::new(&mut body).resource_group(|group| {
///     group.scope_group(|scope| {
///         scope.log_record(|record| {
///             record.body("login").attribute("password", "hunter2");
///         });
///     });
/// });
/// chain.export(Batch::checked(Signal::LOGS, body, &ValidateLimits::default(), Charge::none())?).await?;
/// batcher.drain(clock.now() + Duration::from_secs(5)).await;
/// assert_eq!(ledger.snapshot().line("logs", "nop").map(|line| line.sent), Some(1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ProcessorChain {
    links: Arc<[Link]>,
    access: Access,
    next: BoxExport,
    hop: Hop,
    clock: Arc<dyn Clock>,
    spans: OwnSpans,
}

/// A processor with its name and counters.
struct Link {
    id: String,
    processor: Arc<dyn Processor>,
    stats: ProcessorStats,
    /// Behind the processor.
    edge: Option<Edge>,
}

// === impl ProcessorChain ===

impl ProcessorChain {
    /// Creates a chain of `processors` by id, in front of `next`. Removed and produced items are counted in the accounts of `hop`,
    /// in which `next` counts too. `clock` measures processing times.
    pub fn new(
        processors: impl IntoIterator<Item = (String, Arc<dyn Processor>, ProcessorStats)>,
        next: BoxExport,
        hop: Hop,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let processors = processors.into_iter().map(|(id, processor, stats)| (id, processor, stats, None));
        Self::observed(processors, next, hop, clock)
    }

    /// Creates a chain as [`new`](Self::new) does, whose processors may have an edge behind them.
    pub(crate) fn observed(
        processors: impl IntoIterator<Item = (String, Arc<dyn Processor>, ProcessorStats, Option<Edge>)>,
        next: BoxExport,
        hop: Hop,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let link = |(id, processor, stats, edge)| Link { id, processor, stats, edge };
        let links: Arc<[Link]> = processors.into_iter().map(link).collect();
        let access = links.iter().map(|link| link.processor.access()).max().unwrap_or(Access::None);
        Self { links, access, next, hop, clock, spans: OwnSpans::default() }
    }

    /// Records own spans of the processors. Default: none.
    #[must_use]
    pub fn with_spans(mut self, spans: OwnSpans) -> Self {
        self.spans = spans;
        self
    }

    /// Runs a batch through the processors; a large batch on a thread for blocking work, if a processor reads bodies.
    async fn process(&self, batch: Batch) -> Result<(Vec<Batch>, Tally), ExportError> {
        if self.access == Access::None || !offload::is_large(&batch) {
            return process(&self.links, batch, &*self.clock, &self.spans);
        }
        let (links, clock, spans) = (self.links.clone(), self.clock.clone(), self.spans.clone());
        let processed = offload::run(true, move || process(&links, batch, &*clock, &spans)).await;
        // The task is cancelled only when the runtime shuts down.
        processed.unwrap_or_else(|error| {
            Err(failed("processing was cancelled: the runtime is shutting down").with_source(error))
        })
    }
}

impl Export for ProcessorChain {
    async fn export(&self, batch: Batch) -> ExportResult {
        let unsent = self.hop.unsent(batch.items());
        let (mut batches, tally) = self.process(batch).await?;
        unsent.send();
        // The next component counts the resulting batches. Removed items are refused if these batches are.
        let settled = self.hop.unsent(tally.settled());
        let accepted = match (batches.pop(), batches.is_empty()) {
            (None, _) => Accepted::FULL,
            (Some(only), true) => self.next.export(only).await?,
            (Some(last), false) => {
                let exports = batches.into_iter().chain([last]).map(|batch| self.next.export(batch));
                join_answers(join_all(exports).await, u64::saturating_add)?
            }
        };
        settled.send();
        if tally != Tally::default() {
            self.hop.settle(&tally);
        }
        Ok(accepted)
    }
}

impl fmt::Debug for ProcessorChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.links.iter().map(|link| &*link.id).collect();
        f.debug_struct("ProcessorChain")
            .field("processors", &ids)
            .field("hop", &self.hop)
            .finish_non_exhaustive()
    }
}

// === impl Link ===

impl Link {
    fn process(&self, batches: Vec<Batch>, tally: &mut Tally) -> Result<Vec<Batch>, ExportError> {
        self.stats.incoming.add(items(&batches));
        let mut out = run(&*self.processor, &self.id, batches)?;
        self.stats.outgoing.add(items(&out.batches));
        tally.add(&out.tally);
        if let Some(edge) = &self.edge {
            out.batches.iter_mut().for_each(|batch| edge.observe(batch));
        }
        Ok(out.batches)
    }
}

/// Runs batches through one processor, and accounts for all of their items. A panic is an error that names `id`.
pub(crate) fn run(processor: &dyn Processor, id: &str, batches: Vec<Batch>) -> Result<Out, ExportError> {
    let mut out = Out::new();
    let incoming = items(&batches);
    for batch in batches {
        let outcome = catch_unwind(AssertUnwindSafe(|| processor.process(batch, &mut out)));
        outcome.unwrap_or_else(|_| Err(failed(format!("the processor {id} panicked; see the log"))))?;
    }
    let outgoing = items(&out.batches);
    out.tally.balance(incoming, outgoing);
    Ok(out)
}

fn process(
    links: &[Link],
    batch: Batch,
    clock: &dyn Clock,
    spans: &OwnSpans,
) -> Result<(Vec<Batch>, Tally), ExportError> {
    let (trace, signal) = (batch.trace.clone(), batch.signal());
    let mut tally = Tally::default();
    let mut batches = vec![batch];
    for link in links {
        let begin = clock.now();
        let name = || format!("processor/{}/{signal}", link.id);
        let span = spans.child(trace.as_ref(), SpanKind::Internal, name);
        let incoming = span.as_ref().map_or(0, |_| items(&batches));
        let processed = link.process(batches, &mut tally);
        link.stats.took(clock.now().saturating_duration_since(begin));
        if let Some(span) = span {
            span.end_processing(incoming, processed.as_ref().map(|batches| items(batches)));
        }
        batches = processed?;
    }
    Ok((batches, tally))
}

fn items(batches: &[Batch]) -> u64 {
    batches.iter().map(Batch::items).sum()
}

fn failed(message: impl Into<String>) -> ExportError {
    ExportError::new(ErrorKind::Internal, Retry::Never, message)
}
