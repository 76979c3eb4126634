//! Writers of encoded requests: fields go straight into a buffer, without structs between.
//!
//! A writer borrows the buffer (a `Vec<u8>`, or one on loan from a [`BufferPool`](crate::BufferPool)) and appends to it.
//! What is nested is written in a closure, so that it ends when the closure does: what comes out always is a message that
//! [`validate`](crate::validate) finds sound, unless it is larger or deeper than its limits. Numbers that are zero and
//! strings that are empty are not written, as every proto3 encoder has it. A setter that is called twice writes the field
//! twice, and a decoder takes the last.
//!
//! ```
//! use otlp_protocol::encode::{RequestWriter, Spans};
//! use otlp_protocol::{Signal, count, view::RequestView};
//!
//! let mut body = Vec::new();
//! RequestWriter::<Spans>::new(&mut body).resource_group(|group| {
//!     group.resource(|resource| {
//!         resource.attribute("service.name", "cart");
//!     });
//!     group.scope_group(|scope| {
//!         scope.span(|span| {
//!             span.trace_id(&[7; 16]).span_id(&[8; 8]).name("GET /cart").kind(2);
//!             span.attribute("http.response.status_code", 200).attribute("cache.hit", true);
//!             span.event(|event| {
//!                 event.name("retry");
//!             });
//!         });
//!     });
//! });
//! assert_eq!(count(Signal::TRACES, &body)?.items, 1);
//! assert_eq!(RequestView::new(Signal::TRACES, &body).spans().next().unwrap().name(), "GET /cart");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A request's lengths stand before what they measure, and are known only after it. Room is left for a length of the
//! usual size; a message that needs less or more of it is moved. Small messages and very large ones are, so that what
//! moves is a few bytes or little against what was written.

mod declare;
mod field;
mod log;
mod metric;
mod point;
mod profile;
mod resource;
mod span;
mod value;

pub use log::LogRecordWriter;
pub use metric::{
    ExponentialHistogramWriter, GaugeWriter, HistogramWriter, MetricEnd, MetricWriter, SumWriter,
    SummaryWriter,
};
pub use point::{
    BucketsWriter, ExemplarWriter, ExponentialHistogramPointWriter, HistogramPointWriter, NumberPointWriter,
    QuantileWriter, SummaryPointWriter,
};
pub use profile::{
    DictionaryWriter, FunctionWriter, KeyValueAndUnitWriter, LineWriter, LocationWriter, MappingWriter,
    ProfileLinkWriter, ProfileWriter, SampleWriter, StackWriter, ValueTypeWriter,
};
pub use resource::{EntityRefWriter, ResourceWriter, ScopeWriter};
pub use span::{EventWriter, LinkWriter, SpanWriter, StatusWriter};
pub use value::{ArrayWriter, MapWriter};
pub(crate) use value::{any_value, plain_len};

use crate::validate::check_message;
use crate::wire::put_len_delimited;
use crate::{DecodeError, Signal};
use declare::writers;
use field::{LONG, MEDIUM, nested};
use std::marker::PhantomData;

/// What the entries of a request are: [`Spans`], [`LogRecords`], [`Metrics`] or [`Profiles`].
///
/// No other type can be this: a writer's methods are those of OTLP's signals.
pub trait Entries: sealed::Sealed {
    /// The signal whose requests hold them.
    const SIGNAL: Signal;
}

/// Entries that are spans.
#[derive(Debug)]
pub enum Spans {}

/// Entries that are log records.
#[derive(Debug)]
pub enum LogRecords {}

/// Entries that are metrics.
#[derive(Debug)]
pub enum Metrics {}

/// Entries that are profiles.
#[derive(Debug)]
pub enum Profiles {}

/// Writes a request.
#[derive(Debug)]
pub struct RequestWriter<'b, E> {
    out: &'b mut Vec<u8>,
    of: PhantomData<E>,
}

/// Writes what one resource sent: `ResourceSpans`, `ResourceLogs` and so on.
#[derive(Debug)]
pub struct ResourceGroupWriter<'b, E> {
    out: &'b mut Vec<u8>,
    of: PhantomData<E>,
}

/// Writes what one scope sent: `ScopeSpans`, `ScopeLogs` and so on.
#[derive(Debug)]
pub struct ScopeGroupWriter<'b, E> {
    out: &'b mut Vec<u8>,
    of: PhantomData<E>,
}

mod sealed {
    /// Only here a type can be named as entries.
    pub trait Sealed {}
}

impl sealed::Sealed for Spans {}
impl sealed::Sealed for LogRecords {}
impl sealed::Sealed for Metrics {}
impl sealed::Sealed for Profiles {}

// === impl Entries ===

impl Entries for Spans {
    const SIGNAL: Signal = Signal::TRACES;
}

impl Entries for LogRecords {
    const SIGNAL: Signal = Signal::LOGS;
}

impl Entries for Metrics {
    const SIGNAL: Signal = Signal::METRICS;
}

impl Entries for Profiles {
    const SIGNAL: Signal = Signal::PROFILES;
}

// === impl RequestWriter ===

impl<'b, E: Entries> RequestWriter<'b, E> {
    /// Appends a request to a buffer. To append one to another is to merge the two, for all signals but profiles, whose
    /// places in the dictionary would then be wrong.
    pub fn new(out: &'b mut Vec<u8>) -> Self {
        Self { out, of: PhantomData }
    }

    /// Which signal it is of.
    pub fn signal(&self) -> Signal {
        E::SIGNAL
    }

    /// What one resource sent.
    pub fn resource_group(&mut self, write: impl FnOnce(&mut ResourceGroupWriter<'_, E>)) -> &mut Self {
        nested(self.out, RESOURCE_GROUPS, LONG, |out| {
            write(&mut ResourceGroupWriter { out, of: PhantomData })
        });
        self
    }
}

impl RequestWriter<'_, Profiles> {
    /// What the profiles share.
    pub fn dictionary(&mut self, write: impl FnOnce(&mut DictionaryWriter<'_>)) -> &mut Self {
        nested(self.out, DICTIONARY, LONG, |out| write(&mut DictionaryWriter::new(out)));
        self
    }
}

// === impl ResourceGroupWriter ===

impl<E: Entries> ResourceGroupWriter<'_, E> {
    writers!(@setter
        /// The resource.
        resource nested(ResourceWriter = 1, MEDIUM));
    writers!(@setter
        /// Schema of the resource.
        schema_url string(3));

    /// What one of its scopes sent.
    pub fn scope_group(&mut self, write: impl FnOnce(&mut ScopeGroupWriter<'_, E>)) -> &mut Self {
        nested(self.out, SCOPE_GROUPS, LONG, |out| write(&mut ScopeGroupWriter { out, of: PhantomData }));
        self
    }
}

// === impl ScopeGroupWriter ===

impl<E: Entries> ScopeGroupWriter<'_, E> {
    writers!(@setter
        /// The scope.
        scope nested(ScopeWriter = 1, SHORT));
    writers!(@setter
        /// Schema of the scope and its entries.
        schema_url string(3));

    /// An entry that is encoded already, as [`Span::as_bytes`](crate::view::Span::as_bytes) has it. It is checked, and copied
    /// as it is.
    ///
    /// # Errors
    /// The first fault of the entry, with its path in the entry; also an unknown group, which not every decoder can skip.
    pub fn encoded(&mut self, entry: &[u8]) -> Result<&mut Self, DecodeError> {
        if let [_, _, Some(message)] = E::SIGNAL.levels() {
            check_message(message, entry)?;
        }
        put_len_delimited(self.out, ENTRIES, entry);
        Ok(self)
    }
}

impl ScopeGroupWriter<'_, Spans> {
    writers!(@setter
        /// A span.
        span nested(SpanWriter = 2, MEDIUM));
}

impl ScopeGroupWriter<'_, LogRecords> {
    writers!(@setter
        /// A log record.
        log_record nested(LogRecordWriter = 2, MEDIUM));
}

impl ScopeGroupWriter<'_, Metrics> {
    /// A metric, which ends with its points:
    ///
    /// ```
    /// # use otlp_protocol::encode::{Metrics, RequestWriter};
    /// # let mut body = Vec::new();
    /// # RequestWriter::<Metrics>::new(&mut body).resource_group(|group| {
    /// # group.scope_group(|scope| {
    /// scope.metric(|metric| {
    ///     metric.name("requests").unit("1").sum(|sum| {
    ///         sum.aggregation_temporality(2).is_monotonic(true).point(|point| {
    ///             point.time_unix_nano(1_700_000_000_000_000_000).int(3).attribute("status", 200);
    ///         });
    ///     })
    /// });
    /// # }); });
    /// ```
    pub fn metric(&mut self, write: impl FnOnce(MetricWriter<'_>) -> MetricEnd) -> &mut Self {
        let MetricEnd(()) = nested(self.out, ENTRIES, MEDIUM, |out| write(MetricWriter { out }));
        self
    }
}

impl ScopeGroupWriter<'_, Profiles> {
    writers!(@setter
        /// A profile.
        profile nested(ProfileWriter = 2, LONG));
}

// Field numbers, the same for all signals.
const RESOURCE_GROUPS: u32 = 1;
const SCOPE_GROUPS: u32 = 2;
const ENTRIES: u32 = 2;
/// In a request of profiles.
const DICTIONARY: u32 = 2;
