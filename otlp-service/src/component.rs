//! The contract of processors: what stands between a receiver and the exporters of a pipeline.
//!
//! A processor is CPU alone: it looks at a batch, changes it, takes items out, makes several of it. What holds data over
//! time or waits for something is an [`Export`](otlp_transport::Export) instead. It is all or nothing: if any processor of
//! a pipeline fails, nothing of the request goes on, and the sender gets the error.

mod editing;

pub(crate) use editing::reserve;

use otlp_protocol::Batch;
use otlp_transport::ExportError;

/// Looks at batches, or changes them, on their way through a pipeline.
///
/// ```
/// use otlp_protocol::encode::{LogRecords, RequestWriter};
/// use otlp_protocol::{
///     AttributeEdits, Batch, Charge, Editor, Fate, Item, Levels, Signal, ValidateLimits, view::Entry,
/// };
/// use otlp_service::{Access, Out, Processor};
/// use otlp_transport::ExportError;
///
/// /// Drops log records below the severity `WARN`, and tags the others.
/// struct Warnings;
///
/// impl Editor for Warnings {
///     fn levels(&self) -> Levels {
///         Levels { items: true, ..Levels::default() }
///     }
///
///     fn item(&mut self, item: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Fate {
///         match Entry::new(Signal::LOGS, item.entry) {
///             Entry::LogRecord(record) if record.severity_number() < 13 => Fate::Drop,
///             _ => {
///                 attributes.upsert("alert", true);
///                 Fate::Keep
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
///         for severity in [9, 17] {
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
    /// What it does with bodies. Large batches of a processor that looks into them are processed where they hold up nobody
    /// else.
    fn access(&self) -> Access;

    /// What it needs of a request beside its body: the receivers of its pipelines keep that. Default nothing.
    fn needs(&self) -> Needs {
        Needs::default()
    }

    /// Processes one batch: hands what goes on to [`Out::emit`], and says to [`Out::settle`] what became of the items that
    /// do not. Items it says nothing of count as dropped, items beyond those that came in as produced.
    ///
    /// It must not block or wait. A new body is charged on the batch's budget before it is made
    /// ([`Charge::another`](otlp_protocol::Charge::another), [`Batch::with_body`]). A panic fails the batch for good, and
    /// nothing else.
    ///
    /// # Errors
    /// Whatever the sender is to be told. Nothing of the request goes on then.
    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), ExportError>;
}

/// What a processor does with bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Nothing: what is known about the batch is enough.
    None,
    /// It reads them.
    Read,
    /// It may change them.
    Edit,
}

/// What a component needs of a request beside its body: receivers keep it for those behind them
/// ([`OriginConfig`](otlp_transport::OriginConfig)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    /// Names of headers, in lower case.
    pub headers: Vec<Box<str>>,
    /// Who the sender proved to be.
    pub identity: bool,
    /// The address the request came from.
    pub peer: bool,
}

/// Where a processor puts what it made of a batch.
#[derive(Debug, Default)]
pub struct Out {
    pub(crate) batches: Vec<Batch>,
    pub(crate) tally: Tally,
}

/// Why items do not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The processor gave them up.
    Dropped,
    /// Removed by a filter.
    Filtered,
    /// Removed by sampling: others stand for them.
    Sampled,
}

/// Items that do not go on, by reason, and items that did not come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) filtered: u64,
    pub(crate) sampled: u64,
    pub(crate) dropped: u64,
    pub(crate) produced: u64,
}

// === impl Needs ===

impl Needs {
    /// Adds what another component needs.
    pub fn add(&mut self, other: &Self) {
        self.identity |= other.identity;
        self.peer |= other.peer;
        for name in &other.headers {
            if !self.headers.contains(name) {
                self.headers.push(name.clone());
            }
        }
    }

    /// Whether a request's body is enough.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

// === impl Out ===

impl Out {
    /// An empty one: for those who call a processor themselves, such as its tests.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hands a batch on. The batches of one request go on at the same time, and the sender gets one answer for all. One
    /// without entries has nothing to go on with and is left out.
    pub fn emit(&mut self, batch: Batch) {
        if batch.count().entries > 0 {
            self.batches.push(batch);
        }
    }

    /// Says why `items` do not go on.
    pub fn settle(&mut self, reason: Reason, items: u64) {
        self.tally.settle(reason, items);
    }

    /// What was handed on, in order.
    pub fn into_batches(self) -> Vec<Batch> {
        self.batches
    }
}

// === impl Tally ===

impl Tally {
    /// Says why `items` do not go on.
    pub(crate) fn settle(&mut self, reason: Reason, items: u64) {
        let counter = match reason {
            Reason::Dropped => &mut self.dropped,
            Reason::Filtered => &mut self.filtered,
            Reason::Sampled => &mut self.sampled,
        };
        *counter = counter.saturating_add(items);
    }

    /// Items that came in and do not go on.
    pub(crate) fn settled(&self) -> u64 {
        self.filtered.saturating_add(self.sampled).saturating_add(self.dropped)
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.filtered = self.filtered.saturating_add(other.filtered);
        self.sampled = self.sampled.saturating_add(other.sampled);
        self.dropped = self.dropped.saturating_add(other.dropped);
        self.produced = self.produced.saturating_add(other.produced);
    }

    /// Accounts for items the processor did not mention: of `incoming` items, `outgoing` went on.
    pub(crate) fn balance(&mut self, incoming: u64, outgoing: u64) {
        let accounted = outgoing.saturating_add(self.settled());
        self.dropped = self.dropped.saturating_add(incoming.saturating_sub(accounted));
        self.produced = self.produced.saturating_add(accounted.saturating_sub(incoming));
    }
}
