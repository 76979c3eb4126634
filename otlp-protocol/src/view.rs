//! Borrowed, lazy views of encoded messages: a field is read when it is asked for.
//!
//! Views are a slice each, `Copy`, and allocate nothing. They are meant for bodies that
//! [`validate`](crate::validate) found sound; of other bytes they read what can be read: what is malformed is absent, a
//! list ends there, a string that is not UTF-8 is empty; nothing panics, and every getter takes time in proportion to the
//! bytes at most.
//!
//! A view says what a decoder would: of a singular field given twice the last value counts, of a singular message given
//! twice the pieces are merged, of a `oneof` the last arm counts. A field that is absent reads as its default: zero,
//! empty, or a message with nothing in it.
//!
//! A getter walks the message once, some 5 ns a field: to read most fields of very many messages, iterate once and keep
//! what you need.
//!
//! ```
//! use otlp_protocol::Signal;
//! use otlp_protocol::view::{AnyValue, RequestView};
//!
//! // A resource with an attribute, one scope, one span named "get" with an attribute.
//! let body = b"\x0a\x24\x0a\x0c\x0a\x0a\x0a\x01k\x12\x05\x0a\x03svc\x12\x14\x12\x12\x2a\x03get\x4a\x0b\x0a\x04code\x12\x03\x18\xc8\x01";
//! for span in RequestView::new(Signal::TRACES, body).spans() {
//!     assert_eq!(span.name(), "get");
//!     assert_eq!(span.attributes().get("code"), Some(AnyValue::Int(200)));
//!     assert_eq!(span.resource().attributes().get("k"), Some(AnyValue::String("svc")));
//! }
//! ```

mod declare;
mod entry;
mod fields;
mod list;
mod log;
mod metric;
mod point;
mod profile;
mod resource;
mod span;
mod value;

pub use entry::Entry;
pub use fields::Pieces;
pub use list::{Scalars, Strings, Views};
pub use log::LogRecord;
pub use metric::{ExponentialHistogram, Gauge, Histogram, Metric, MetricData, Sum, Summary};
pub use point::{
    Buckets, DataPoint, Exemplar, ExponentialHistogramPoint, HistogramPoint, Number, NumberPoint, Quantile,
    SummaryPoint,
};
pub use profile::{
    Dictionary, Function, KeyValueAndUnit, Line, Location, Mapping, Profile, ProfileLink, Sample, Stack,
    ValueType,
};
pub use resource::{EntityRef, Resource, Scope};
pub use span::{Event, Link, Span, Status};
pub use value::{AnyValue, Array, Attributes, KeyValue, Values};

use crate::Signal;
pub(crate) use fields::text;

use declare::views;
use fields::Fields;
use std::fmt;
use std::ops::Deref;

/// A request of any signal.
#[derive(Clone, Copy)]
pub struct RequestView<'a> {
    signal: Signal,
    fields: Fields<'a>,
}

views! {
    /// What one resource sent: `ResourceSpans`, `ResourceLogs` and so on, which are alike.
    repeated ResourceGroup {
        /// The resource.
        resource: one(Resource = 1),
        /// What each of its scopes sent.
        scopes: many(ScopeGroup = 2),
        /// Schema of the resource.
        schema_url: string(3),
    }

    /// What one scope sent: `ScopeSpans`, `ScopeLogs` and so on, which are alike.
    repeated ScopeGroup {
        /// The scope.
        scope: one(Scope = 1),
        /// Schema of the scope and its entries.
        schema_url: string(3),
    }
}

/// An entry with the resource and the scope that it belongs to; dereferences to the entry.
#[derive(Clone, Copy, Debug)]
pub struct Scoped<'a, T> {
    entry: T,
    resource: Resource<'a>,
    scope: Scope<'a>,
}

// === impl RequestView ===

impl<'a> RequestView<'a> {
    /// A view of an encoded request; nothing is read yet.
    pub fn new(signal: Signal, body: &'a [u8]) -> Self {
        Self { signal, fields: Fields::new(body) }
    }

    /// Which signal it is of.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// The encoded request.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.fields.bytes()
    }

    /// What each resource sent.
    pub fn resources(&self) -> Views<'a, ResourceGroup<'a>> {
        self.fields.views(1)
    }

    /// Its entries, of whichever signal.
    pub fn entries(&self) -> impl Iterator<Item = Scoped<'a, Entry<'a>>> + Clone + use<'a> {
        let signal = self.signal;
        self.scoped(true).map(move |entry: Scoped<'a, &[u8]>| entry.map(|bytes| Entry::new(signal, bytes)))
    }

    /// Its spans; none if it is of another signal. So it is with the following.
    pub fn spans(&self) -> impl Iterator<Item = Scoped<'a, Span<'a>>> + Clone + use<'a> {
        self.scoped(self.signal == Signal::TRACES)
    }

    /// Its log records.
    pub fn log_records(&self) -> impl Iterator<Item = Scoped<'a, LogRecord<'a>>> + Clone + use<'a> {
        self.scoped(self.signal == Signal::LOGS)
    }

    /// Its metrics.
    pub fn metrics(&self) -> impl Iterator<Item = Scoped<'a, Metric<'a>>> + Clone + use<'a> {
        self.scoped(self.signal == Signal::METRICS)
    }

    /// Its profiles.
    pub fn profiles(&self) -> impl Iterator<Item = Scoped<'a, Profile<'a>>> + Clone + use<'a> {
        self.scoped(self.signal == Signal::PROFILES)
    }

    /// What its profiles share.
    pub fn dictionary(&self) -> Dictionary<'a> {
        if self.signal == Signal::PROFILES {
            Dictionary(self.fields.message(2))
        } else {
            Dictionary::default()
        }
    }

    fn scoped<T: From<&'a [u8]> + Clone>(
        &self,
        wanted: bool,
    ) -> impl Iterator<Item = Scoped<'a, T>> + Clone + use<'a, T> {
        let body = if wanted { self.fields } else { Fields::default() };
        body.views(1).flat_map(|group: ResourceGroup<'a>| {
            let resource = group.resource();
            group.scopes().flat_map(move |group| {
                let scope = group.scope();
                group.entries_as().map(move |entry| Scoped { entry, resource, scope })
            })
        })
    }
}

impl fmt::Debug for RequestView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries()).finish()
    }
}

// === impl ScopeGroup ===

impl<'a> ScopeGroup<'a> {
    /// Its entries, encoded.
    pub fn entries(&self) -> Views<'a, &'a [u8]> {
        self.entries_as()
    }

    /// Its spans, if that is what the signal's entries are. So it is with the following.
    pub fn spans(&self) -> Views<'a, Span<'a>> {
        self.entries_as()
    }

    /// Its log records.
    pub fn log_records(&self) -> Views<'a, LogRecord<'a>> {
        self.entries_as()
    }

    /// Its metrics.
    pub fn metrics(&self) -> Views<'a, Metric<'a>> {
        self.entries_as()
    }

    /// Its profiles.
    pub fn profiles(&self) -> Views<'a, Profile<'a>> {
        self.entries_as()
    }

    fn entries_as<T>(&self) -> Views<'a, T> {
        self.0.views(2)
    }
}

// === impl Scoped ===

impl<'a, T> Scoped<'a, T> {
    /// The resource that sent it.
    pub fn resource(&self) -> Resource<'a> {
        self.resource
    }

    /// The scope that made it.
    pub fn scope(&self) -> Scope<'a> {
        self.scope
    }

    fn map<U>(self, change: impl FnOnce(T) -> U) -> Scoped<'a, U> {
        Scoped { entry: change(self.entry), resource: self.resource, scope: self.scope }
    }
}

impl<T> Deref for Scoped<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.entry
    }
}
