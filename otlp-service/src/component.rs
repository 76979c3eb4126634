//! The contract of processors, which read, change, filter or split batches between a receiver and the exporters.
//!
//! A processor uses CPU alone and never waits. A component that holds data over time or waits is an
//! [`Export`](otlp_transport::Export) or a [`Holder`](crate::Holder) instead. If any processor of a pipeline fails, the whole
//! request fails, and the sender gets the error.

mod editing;
mod metrics;

pub use metrics::ProcessorMetrics;

pub(crate) use editing::{Room, reserve};

use otlp_protocol::Batch;
use otlp_transport::{ExportError, TransportContext};
use std::pin::Pin;
use std::sync::Arc;

/// Reads or changes the batches of a pipeline.
///
/// ```
/// use otlp_protocol::encode::{LogRecords, RequestWriter};
/// use otlp_protocol::{
///     AttributeEdits, Batch, Charge, Decision, Editor, Item, SeverityNumber, Signal, ValidateLimits, view::Entry,
/// };
/// use otlp_service::{Access, Out, Processor};
/// use otlp_transport::ExportError;
///
/// /// Drops log records below the severity `WARN`, and tags the others.
/// struct Warnings;
///
/// impl Editor for Warnings {
///     fn item(&mut self, item: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Decision {
///         match Entry::new(Signal::LOGS, item.entry) {
///             Entry::LogRecord(record) if record.severity_number() < SeverityNumber::Warn => Decision::Drop,
///             _ => {
///                 attributes.upsert("alert", true);
///                 Decision::Keep
///             }
///         }
///     }
/// }
///
/// impl Processor for Warnings {
///     fn access(&self) -> Access {
///         Access::Edit
///     }
///
///     fn process(&self, batch: Batch, out: &mut Out) -> Result<(), ExportError> {
///         let max_bytes = batch.len() + 64 * batch.items() as usize;
///         out.edit(batch, &mut Warnings, max_bytes)
///     }
/// }
///
/// let mut body = Vec::new();
/// RequestWriter::<LogRecords>::new(&mut body).resource_group(|group| {
///     group.scope_group(|scope| {
///         for severity in [SeverityNumber::Info, SeverityNumber::Error] {
///             scope.log_record(|record| {
///                 record.severity_number(severity).body("disk full");
///             });
///         }
///     });
/// });
/// let batch = Batch::checked(Signal::LOGS, body, &ValidateLimits::default(), Charge::none())?;
/// let mut out = Out::new();
/// Warnings.process(batch, &mut out)?;
/// assert_eq!(out.into_batches()[0].items(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Processor: Send + Sync + 'static {
    /// Returns the processor's use of bodies. Large batches of a processor that reads bodies are processed on a thread for
    /// blocking work.
    fn access(&self) -> Access;

    /// Returns the headers and other metadata of requests that the processor reads from [`Batch::origin`]: the receivers of its
    /// pipelines keep these. Default none.
    fn needs(&self) -> Needs {
        Needs::default()
    }

    /// Registers the processor's own metrics for one pipeline. Returns the processor that runs in that pipeline and counts in these
    /// metrics. Default `None`: the processor has no metrics beside those that all processors have.
    fn with_metrics(&self, _metrics: &ProcessorMetrics<'_>) -> Option<Arc<dyn Processor>> {
        None
    }

    /// Starts background work, such as lookups, within the tokio runtime. Called for each pipeline with the processor, before the
    /// first batch; receivers start when the future has ended. The work ends when the processor is dropped. Default nothing.
    fn start(&self, _context: &TransportContext) -> Started {
        Box::pin(std::future::ready(()))
    }

    /// Processes one batch: sends batches on with [`Out::emit`] or [`Out::edit`], and accounts for removed items with
    /// [`Out::settle`]. Removed items without a call of `settle` count as dropped; additional items count as produced.
    ///
    /// The method must not block. A new body is charged to the batch's byte budget before the body is made: [`Out::edit`] does
    /// that. A panic fails the batch with a final error, and nothing else.
    ///
    /// # Errors
    /// The answer to the sender. The whole request fails.
    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), ExportError>;
}

/// Resolves when a processor has [started](Processor::start).
pub type Started = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Use of bodies by a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// The processor reads signal, counts and origin alone.
    None,
    /// The processor reads bodies.
    Read,
    /// The processor may change bodies.
    Edit,
}

/// Metadata of requests that a component reads from [`Batch::origin`]: receivers keep it
/// ([`OriginConfig`](otlp_transport::OriginConfig)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    /// Names of headers, in lower case.
    pub headers: Vec<Box<str>>,
    /// The authenticated identity of the sender.
    pub identity: bool,
    /// The address of the sender.
    pub peer: bool,
}

/// The results of a processor: batches to send on, and counts of removed items.
#[derive(Debug, Default)]
pub struct Out {
    pub(crate) batches: Vec<Batch>,
    pub(crate) tally: Tally,
}

/// Reason for which a processor removed items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Dropped by the processor: lost.
    Dropped,
    /// Removed by a filter.
    Filtered,
    /// Removed by sampling.
    Sampled,
}

/// Items that processors removed, by reason, and items that they added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) filtered: u64,
    pub(crate) sampled: u64,
    pub(crate) dropped: u64,
    pub(crate) produced: u64,
}

// === impl Needs ===

impl Needs {
    /// Adds the needs of another component.
    pub fn add(&mut self, other: &Self) {
        self.identity |= other.identity;
        self.peer |= other.peer;
        for name in &other.headers {
            if !self.headers.contains(name) {
                self.headers.push(name.clone());
            }
        }
    }

    /// Returns true if the component reads bodies alone.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

// === impl Out ===

impl Out {
    /// Creates an empty result, for callers of a processor such as its tests.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends a batch on to the next component. The batches of one request are sent on concurrently, and the sender gets one
    /// answer for all. A batch without entries is left out.
    pub fn emit(&mut self, batch: Batch) {
        if batch.count().entries > 0 {
            self.batches.push(batch);
        }
    }

    /// Counts `items` as removed for a reason.
    pub fn settle(&mut self, reason: Reason, items: u64) {
        self.tally.settle(reason, items);
    }

    /// Returns the number of items that were removed for a reason.
    pub fn removed(&self, reason: Reason) -> u64 {
        match reason {
            Reason::Dropped => self.tally.dropped,
            Reason::Filtered => self.tally.filtered,
            Reason::Sampled => self.tally.sampled,
        }
    }

    /// Returns the emitted batches, in order.
    pub fn into_batches(self) -> Vec<Batch> {
        self.batches
    }
}

// === impl Tally ===

impl Tally {
    /// Counts `items` as removed for a reason.
    pub(crate) fn settle(&mut self, reason: Reason, items: u64) {
        let counter = match reason {
            Reason::Dropped => &mut self.dropped,
            Reason::Filtered => &mut self.filtered,
            Reason::Sampled => &mut self.sampled,
        };
        *counter = counter.saturating_add(items);
    }

    /// Returns the number of removed items.
    pub(crate) fn settled(&self) -> u64 {
        self.filtered.saturating_add(self.sampled).saturating_add(self.dropped)
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.filtered = self.filtered.saturating_add(other.filtered);
        self.sampled = self.sampled.saturating_add(other.sampled);
        self.dropped = self.dropped.saturating_add(other.dropped);
        self.produced = self.produced.saturating_add(other.produced);
    }

    /// Accounts for items that the processor did not mention: it received `incoming` items and emitted `outgoing`.
    pub(crate) fn balance(&mut self, incoming: u64, outgoing: u64) {
        let accounted = outgoing.saturating_add(self.settled());
        self.dropped = self.dropped.saturating_add(incoming.saturating_sub(accounted));
        self.produced = self.produced.saturating_add(accounted.saturating_sub(incoming));
    }
}
