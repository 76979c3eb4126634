//! Writers of encoded requests: fields go straight into a buffer, without structs.
//!
//! A writer borrows a buffer (a `Vec<u8>`, or a buffer of a [`BufferPool`](crate::BufferPool)) and appends to it;
//! [`Body::write`](crate::Body::write) makes the buffer itself. Nested messages are written in closures, which end the
//! message when they return. The result is always a message that [`validate`](crate::validate()) accepts, unless it exceeds
//! the limits on size or depth. Numbers that are zero and strings that are empty are not written, as by every proto3
//! encoder. A setter that is called twice writes the field twice; decoders take the last value.
//!
//! Setters return the writer, to be chained. A closure returns nothing: end its last call with a semicolon. Only the closure
//! of [`metric`](ScopeGroupWriter::metric) returns what the call that writes the points returns.
//!
//! ```
//! use otlp_protocol::encode::{RequestWriter, Spans};
//! use otlp_protocol::{Signal, SpanKind, count, view::RequestView};
//!
//! let mut body = Vec::new();
//! RequestWriter::<Spans>::new(&mut body).resource_group(|group| {
//!     group.resource(|resource| {
//!         resource.attribute("service.name", "cart");
//!     });
//!     group.scope_group(|scope| {
//!         scope.span(|span| {
//!             span.trace_id(&[7; 16]).span_id(&[8; 8]).name("GET /cart").kind(SpanKind::Server);
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
//! The length of a message stands before the message, and is known only after it. Writers leave room for a length of the
//! usual size. If a length needs more or less room, its message is moved: that happens to small messages and to very large
//! ones, so that few bytes are moved in proportion to the bytes written.

mod declare;
mod field;
mod log;
mod metric;
mod point;
mod profile;
mod resource;
mod span;
mod value;

pub(crate) use field::{MEDIUM, nested};
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
use declare::{debug_len, writers};
use field::LONG;
use std::marker::PhantomData;

/// Type of a request's entries: [`Spans`], [`LogRecords`], [`Metrics`] or [`Profiles`].
///
/// Sealed: writers have methods for the signals of OTLP alone.
pub trait Entries: sealed::Sealed {
    /// Signal of the requests with these entries.
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
pub struct RequestWriter<'b, E> {
    out: &'b mut Vec<u8>,
    of: PhantomData<E>,
}

/// Writes the telemetry of one resource: `ResourceSpans`, `ResourceLogs` and so on.
pub struct ResourceGroupWriter<'b, E> {
    out: &'b mut Vec<u8>,
    of: PhantomData<E>,
}

/// Writes the telemetry of one scope: `ScopeSpans`, `ScopeLogs` and so on.
pub struct ScopeGroupWriter<'b, E> {
    out: &'b mut Vec<u8>,
    of: PhantomData<E>,
}

debug_len!(RequestWriter<'_, E>, ResourceGroupWriter<'_, E>, ScopeGroupWriter<'_, E>);

mod sealed {
    /// Prevents implementations of [`Entries`](super::Entries) outside of this module.
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
    /// Makes a writer that appends a request to a buffer. Appending a request to another merges the two, except for
    /// profiles, whose indices into the dictionary would be wrong.
    pub fn new(out: &'b mut Vec<u8>) -> Self {
        Self { out, of: PhantomData }
    }

    /// Returns the signal of the request.
    pub fn signal(&self) -> Signal {
        E::SIGNAL
    }

    /// Writes the telemetry of one resource.
    pub fn resource_group(&mut self, write: impl FnOnce(&mut ResourceGroupWriter<'_, E>)) -> &mut Self {
        nested(self.out, RESOURCE_GROUPS, LONG, |out| {
            write(&mut ResourceGroupWriter { out, of: PhantomData })
        });
        self
    }
}

impl RequestWriter<'_, Profiles> {
    /// Writes the tables that the profiles share.
    pub fn dictionary(&mut self, write: impl FnOnce(&mut DictionaryWriter<'_>)) -> &mut Self {
        nested(self.out, DICTIONARY, LONG, |out| write(&mut DictionaryWriter::new(out)));
        self
    }
}

// === impl ResourceGroupWriter ===

impl<E: Entries> ResourceGroupWriter<'_, E> {
    writers!(@setter
        /// Writes the resource.
        resource nested(ResourceWriter = 1, MEDIUM));
    writers!(@setter
        /// Writes the schema URL of the resource.
        schema_url string(3));

    /// Writes the telemetry of one scope.
    pub fn scope_group(&mut self, write: impl FnOnce(&mut ScopeGroupWriter<'_, E>)) -> &mut Self {
        nested(self.out, SCOPE_GROUPS, LONG, |out| write(&mut ScopeGroupWriter { out, of: PhantomData }));
        self
    }
}

// === impl ScopeGroupWriter ===

impl<E: Entries> ScopeGroupWriter<'_, E> {
    writers!(@setter
        /// Writes the scope.
        scope nested(ScopeWriter = 1, SHORT));
    writers!(@setter
        /// Writes the schema URL of the scope and its entries.
        schema_url string(3));

    /// Writes an entry that is encoded already, such as [`Span::as_bytes`](crate::view::Span::as_bytes) of a view. The entry is
    /// validated and copied.
    ///
    /// # Errors
    /// The first fault of the entry, with its path in the entry. An unknown group is a fault: not every decoder can skip it.
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
        /// Writes a span.
        span nested(SpanWriter = 2, MEDIUM));
}

impl ScopeGroupWriter<'_, LogRecords> {
    writers!(@setter
        /// Writes a log record.
        log_record nested(LogRecordWriter = 2, MEDIUM));
}

impl ScopeGroupWriter<'_, Metrics> {
    /// Writes a metric, which ends with its points:
    ///
    /// ```
    /// # use otlp_protocol::AggregationTemporality;
    /// # use otlp_protocol::encode::{Metrics, RequestWriter};
    /// # let mut body = Vec::new();
    /// # RequestWriter::<Metrics>::new(&mut body).resource_group(|group| {
    /// # group.scope_group(|scope| {
    /// scope.metric(|metric| {
    ///     metric.name("requests").unit("1").sum(|sum| {
    ///         sum.aggregation_temporality(AggregationTemporality::Cumulative).is_monotonic(true).point(|point| {
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
        /// Writes a profile.
        profile nested(ProfileWriter = 2, LONG));
}

// Field numbers, the same for all signals.
const RESOURCE_GROUPS: u32 = 1;
const SCOPE_GROUPS: u32 = 2;
const ENTRIES: u32 = 2;
/// Dictionary in a request of profiles.
const DICTIONARY: u32 = 2;
