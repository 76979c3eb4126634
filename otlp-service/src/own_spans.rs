//! Own traces: spans of the gateway's work on sampled requests, with the Collector's names.
//!
//! A sampled request has a span of its receipt; spans of processors, of the wait in the sending queue and of exports are
//! its children. Batches carry the context in [`Batch::trace`], also through the batch processor: an export of a merged batch
//! is a child of the first request's span, and has links to the spans of the others. While own traces are off a request
//! costs one load. The gateway's own telemetry is never traced: its batches carry an id by which every receiver of the process
//! knows them.

mod live;
mod sampler;
mod span;

pub use sampler::{ParentBased, Sampler};
pub use span::OwnSpan;

pub(crate) use live::LiveSpan;

use crate::own_queue::OwnQueue;
use otlp_protocol::{Batch, BatchTrace, HopId, Hops, SpanContext, SpanKind};
use otlp_transport::{BoxExport, Clock, Export, ExportResult, TokioClock, TransportContext};
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The recorder of a gateway's own spans: off until [`record`](Self::record). Cloning shares the recorder.
///
/// ```
/// use otlp_service::{OwnQueue, OwnQueueConfig, OwnSpans, Registry, Sampler};
/// use otlp_transport::TransportContext;
///
/// let spans = OwnSpans::of(&TransportContext::tcp(1 << 20));
/// let queue = OwnQueue::new(OwnQueueConfig::default(), &Registry::new());
/// let recording = spans.record(Sampler::default(), true, vec![queue]);
/// assert!(spans.is_on());
/// drop(recording);
/// assert!(!spans.is_on());
/// ```
#[derive(Clone)]
pub struct OwnSpans(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    is_on: AtomicBool,
    /// True while servers read the senders' spans.
    reads_traceparent: Arc<AtomicBool>,
    /// The last one records. Others are about to stop, or go on if the last one stops.
    recorders: Mutex<Vec<Arc<Recorder>>>,
    /// The hops of own telemetry.
    own: Arc<Hops>,
    own_id: HopId,
}

/// Settings of own spans, and the queues that take them.
pub(crate) struct Recorder {
    sampler: Sampler,
    is_propagated: bool,
    queues: Vec<OwnQueue<Arc<OwnSpan>>>,
}

/// Records own spans until it is dropped.
#[must_use = "dropping it ends the recording"]
pub struct Recording {
    spans: OwnSpans,
    recorder: Arc<Recorder>,
}

/// Marks what passes through it as own telemetry.
struct Marked<E> {
    export: E,
    own: Arc<Hops>,
}

// === impl OwnSpans ===

impl OwnSpans {
    /// Makes a recorder that is off, with the clock of `context`. Servers of `context` read the senders' spans while the recorder
    /// wants them.
    pub fn of(context: &TransportContext) -> Self {
        Self::new(context.clock.clone(), context.reads_traceparent.clone())
    }

    fn new(clock: Arc<dyn Clock>, reads_traceparent: Arc<AtomicBool>) -> Self {
        let own_id = HopId::random();
        Self(Arc::new(Shared {
            clock,
            is_on: AtomicBool::new(false),
            reads_traceparent,
            recorders: Mutex::default(),
            own: Arc::new(Hops::of(own_id)),
            own_id,
        }))
    }

    /// Records the spans of the requests that `sampler` chooses into all `queues`, until the guard is dropped. With `is_propagated` the senders'
    /// `traceparent` is read, and destinations get one. A later recording takes the place of an earlier one while both last.
    pub fn record(
        &self,
        sampler: Sampler,
        is_propagated: bool,
        queues: Vec<OwnQueue<Arc<OwnSpan>>>,
    ) -> Recording {
        let recorder = Arc::new(Recorder { sampler, is_propagated, queues });
        let mut recorders = self.0.recorders.lock();
        recorders.push(recorder.clone());
        self.0.switch(&recorders);
        Recording { spans: self.clone(), recorder }
    }

    /// Returns true while spans are recorded.
    pub fn is_on(&self) -> bool {
        self.0.is_on.load(Ordering::Relaxed)
    }

    /// Marks the batches of an export as own telemetry, which no receiver of this process traces.
    pub fn mark(&self, export: impl Export) -> BoxExport {
        BoxExport::new(Marked { export, own: self.0.own.clone() })
    }

    /// Begins the span of a request that was received, if the request is sampled: the batch belongs to the span from now on.
    #[inline]
    pub(crate) fn received(
        &self,
        batch: &mut Batch,
        receiver: &str,
        transport: &str,
    ) -> Option<Box<LiveSpan>> {
        if self.is_on() { self.begin(batch, receiver, transport) } else { None }
    }

    #[cold]
    fn begin(&self, batch: &mut Batch, receiver: &str, transport: &str) -> Option<Box<LiveSpan>> {
        let sender = batch.trace.take();
        let is_own = |hops: &Arc<Hops>| hops.ids().contains(&self.0.own_id);
        if batch.hops.as_ref().is_some_and(is_own) {
            return None;
        }
        let recorder = self.0.recorder()?;
        let parent = sender.as_deref().and_then(|trace| trace.spans().first()).copied();
        let trace_id = parent.map_or_else(|| fastrand::u128(1..).to_be_bytes(), |parent| parent.trace_id);
        if !recorder.sampler.samples(&trace_id, parent) {
            return None;
        }
        let name = format!("receiver/{receiver}/{}", batch.signal().received_name);
        let mut span = self.live(recorder, trace_id, parent, name, SpanKind::Server);
        span.attribute("receiver", receiver);
        span.attribute("transport", transport);
        batch.trace = Some(Arc::new(span.trace()));
        Some(span)
    }

    /// Begins a child of the span that a batch belongs to. `None` if the batch is not traced.
    #[inline]
    pub(crate) fn child(
        &self,
        trace: Option<&Arc<BatchTrace>>,
        kind: SpanKind,
        name: impl FnOnce() -> String,
    ) -> Option<Box<LiveSpan>> {
        self.child_of(trace?, kind, name())
    }

    #[cold]
    fn child_of(&self, trace: &BatchTrace, kind: SpanKind, name: String) -> Option<Box<LiveSpan>> {
        let recorder = self.0.recorder()?;
        let (parent, others) = trace.spans().split_first()?;
        let mut span = self.live(recorder, parent.trace_id, Some(*parent), name, kind);
        span.link_to(others);
        Some(span)
    }

    /// Begins the span of an export, as the batch's span from now on; also records the wait in the queue.
    #[inline]
    pub(crate) fn sending(&self, batch: &mut Batch, exporter: &str) -> Option<Box<LiveSpan>> {
        let trace = batch.trace.clone()?;
        self.send(batch, &trace, exporter)
    }

    #[cold]
    fn send(&self, batch: &mut Batch, trace: &BatchTrace, exporter: &str) -> Option<Box<LiveSpan>> {
        let signal = batch.signal();
        if let Some(queued_at) = trace.queued_at {
            let name = format!("exporter/{exporter}/queue");
            self.child_of(trace, SpanKind::Internal, name)?.since(queued_at);
        }
        let span = self.child_of(trace, SpanKind::Internal, format!("exporter/{exporter}/{signal}"))?;
        batch.trace = Some(Arc::new(span.trace()));
        Some(span)
    }

    /// Begins the span of one attempt to send a batch.
    #[inline]
    pub(crate) fn attempting(&self, batch: &Batch, exporter: &str) -> Option<Box<LiveSpan>> {
        self.child(batch.trace.as_ref(), SpanKind::Client, || format!("exporter/{exporter}/attempt"))
    }

    fn live(
        &self,
        recorder: Arc<Recorder>,
        trace_id: [u8; 16],
        parent: Option<SpanContext>,
        name: String,
        kind: SpanKind,
    ) -> Box<LiveSpan> {
        let context = SpanContext { trace_id, span_id: fastrand::u64(1..).to_be_bytes(), is_sampled: true };
        Box::new(LiveSpan::begin(recorder, self.0.clock.clone(), context, parent, name, kind))
    }
}

impl Default for OwnSpans {
    /// A recorder on real time, which servers know nothing of.
    fn default() -> Self {
        Self::new(Arc::new(TokioClock), Arc::default())
    }
}

impl fmt::Debug for OwnSpans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnSpans").field("is_on", &self.is_on()).finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    fn recorder(&self) -> Option<Arc<Recorder>> {
        self.recorders.lock().last().cloned()
    }

    /// Turns recording, and the reading of `traceparent`, on or off.
    fn switch(&self, recorders: &[Arc<Recorder>]) {
        let last = recorders.last();
        self.reads_traceparent.store(last.is_some_and(|last| last.is_propagated), Ordering::Relaxed);
        self.is_on.store(last.is_some(), Ordering::Relaxed);
    }
}

// === impl Recording ===

impl Drop for Recording {
    fn drop(&mut self) {
        let mut recorders = self.spans.0.recorders.lock();
        recorders.retain(|known| !Arc::ptr_eq(known, &self.recorder));
        self.spans.0.switch(&recorders);
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("sampler", &self.recorder.sampler).finish_non_exhaustive()
    }
}

impl<E: Export> Export for Marked<E> {
    async fn export(&self, mut batch: Batch) -> ExportResult {
        batch.hops = Some(self.own.clone());
        self.export.export(batch).await
    }
}

#[cfg(test)]
mod tests;
