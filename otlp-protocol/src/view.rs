//! Lazy views of encoded messages: a getter reads its field when it is called.
//!
//! A view is a slice: it is `Copy` and allocates nothing. Views are meant for valid bodies (see
//! [`validate`](crate::validate())). Views of other bytes do not panic: malformed fields read as absent, lists end at the
//! first fault, and strings that are not UTF-8 read as empty.
//!
//! A view reads what a decoder would read: the last value of a singular field counts, the pieces of a singular message are
//! merged, and the last arm of a `oneof` counts. An absent field reads as its default: zero, empty, or an empty message.
//!
//! A getter walks its message once, at about 5 ns a field. To read most fields of very many messages, call each getter once
//! and keep the result. `Debug` of a view shows the content of the message.
//!
//! ```
//! use otlp_protocol::encode::Spans;
//! use otlp_protocol::view::{AnyValue, RequestView};
//! use otlp_protocol::{Body, SpanKind};
//!
//! let body = Body::write::<Spans>(|request| {
//!     request.resource_group(|group| {
//!         group.resource(|resource| {
//!             resource.attribute("service.name", "cart");
//!         });
//!         group.scope_group(|scope| {
//!             scope.span(|span| {
//!                 span.name("GET /cart").kind(SpanKind::Server).attribute("code", 200);
//!             });
//!         });
//!     });
//! });
//! let bytes = body.to_bytes();
//! for span in RequestView::new(body.signal(), &bytes).spans() {
//!     assert_eq!((span.name(), span.kind()), ("GET /cart", SpanKind::Server));
//!     assert_eq!(span.attributes().get("code"), Some(AnyValue::Int(200)));
//!     assert_eq!(span.resource().attributes().get("service.name"), Some("cart".into()));
//! }
//! ```

mod declare;
mod entry;
mod fields;
mod list;
mod log;
mod metric;
mod plain;
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

/// View of a request of any signal.
#[derive(Clone, Copy)]
pub struct RequestView<'a> {
    signal: Signal,
    fields: Fields<'a>,
}

views! {
    /// Telemetry of one resource: `ResourceSpans`, `ResourceLogs` and so on.
    repeated ResourceGroup {
        /// The resource.
        resource: one(Resource = 1),
        /// Telemetry of each scope.
        scopes: many(ScopeGroup = 2),
        /// Schema URL of the resource.
        schema_url: string(3),
    }

    /// Telemetry of one scope: `ScopeSpans`, `ScopeLogs` and so on.
    repeated ScopeGroup {
        /// The scope.
        scope: one(Scope = 1),
        /// Schema URL of the scope and its entries.
        schema_url: string(3),
    }
}

/// An entry with its resource and its scope. Dereferences to the entry.
#[derive(Clone, Copy, Debug)]
pub struct Scoped<'a, T> {
    entry: T,
    resource: Resource<'a>,
    scope: Scope<'a>,
}

// === impl RequestView ===

impl<'a> RequestView<'a> {
    /// Makes a view of an encoded request, without reading the request.
    pub fn new(signal: Signal, body: &'a [u8]) -> Self {
        Self { signal, fields: Fields::new(body) }
    }

    /// Returns the signal of the request.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// Returns the encoded request.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.fields.bytes()
    }

    /// Iterates over the telemetry of each resource.
    pub fn resources(&self) -> Views<'a, ResourceGroup<'a>> {
        self.fields.views(1)
    }

    /// Iterates over the entries, of any signal.
    pub fn entries(&self) -> impl Iterator<Item = Scoped<'a, Entry<'a>>> + Clone + use<'a> {
        let signal = self.signal;
        self.scoped(true).map(move |entry: Scoped<'a, &[u8]>| entry.map(|bytes| Entry::new(signal, bytes)))
    }

    /// Iterates over the spans. Empty if the request is of another signal.
    pub fn spans(&self) -> impl Iterator<Item = Scoped<'a, Span<'a>>> + Clone + use<'a> {
        self.scoped(self.signal == Signal::TRACES)
    }

    /// Iterates over the log records. Empty if the request is of another signal.
    pub fn log_records(&self) -> impl Iterator<Item = Scoped<'a, LogRecord<'a>>> + Clone + use<'a> {
        self.scoped(self.signal == Signal::LOGS)
    }

    /// Iterates over the metrics. Empty if the request is of another signal.
    pub fn metrics(&self) -> impl Iterator<Item = Scoped<'a, Metric<'a>>> + Clone + use<'a> {
        self.scoped(self.signal == Signal::METRICS)
    }

    /// Iterates over the profiles. Empty if the request is of another signal.
    pub fn profiles(&self) -> impl Iterator<Item = Scoped<'a, Profile<'a>>> + Clone + use<'a> {
        self.scoped(self.signal == Signal::PROFILES)
    }

    /// Returns the tables that the profiles share. Empty if the request is of another signal.
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
    /// Iterates over the encoded entries.
    pub fn entries(&self) -> Views<'a, &'a [u8]> {
        self.entries_as()
    }

    /// Iterates over the entries as spans: use this in requests of traces only.
    pub fn spans(&self) -> Views<'a, Span<'a>> {
        self.entries_as()
    }

    /// Iterates over the entries as log records: use this in requests of logs only.
    pub fn log_records(&self) -> Views<'a, LogRecord<'a>> {
        self.entries_as()
    }

    /// Iterates over the entries as metrics: use this in requests of metrics only.
    pub fn metrics(&self) -> Views<'a, Metric<'a>> {
        self.entries_as()
    }

    /// Iterates over the entries as profiles: use this in requests of profiles only.
    pub fn profiles(&self) -> Views<'a, Profile<'a>> {
        self.entries_as()
    }

    fn entries_as<T>(&self) -> Views<'a, T> {
        self.0.views(2)
    }
}

// === impl Scoped ===

impl<'a, T> Scoped<'a, T> {
    /// Returns the resource of the entry.
    pub fn resource(&self) -> Resource<'a> {
        self.resource
    }

    /// Returns the scope of the entry.
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
