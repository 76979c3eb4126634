//! Spans: `opentelemetry.proto.trace.v1`.

use super::declare::views;
use crate::{SpanKind, StatusCode};

views! {
    /// A span.
    repeated Span {
        /// Id of the trace; `None` if absent.
        trace_id: id(1, 16),
        /// Id of the span; `None` if absent.
        span_id: id(2, 8),
        /// W3C `tracestate`.
        trace_state: string(3),
        /// Id of the parent span; `None` for a root span.
        parent_span_id: id(4, 8),
        /// Name.
        name: string(5),
        /// Kind.
        kind: number(SpanKind = 6),
        /// Start, in nanoseconds since 1970.
        start_time_unix_nano: fixed64(7),
        /// End, in nanoseconds since 1970.
        end_time_unix_nano: fixed64(8),
        /// Attributes.
        attributes: attributes(9),
        /// Number of attributes that were dropped.
        dropped_attributes_count: uint32(10),
        /// Events in the span.
        events: many(Event = 11),
        /// Number of events that were dropped.
        dropped_events_count: uint32(12),
        /// Links to other spans.
        links: many(Link = 13),
        /// Number of links that were dropped.
        dropped_links_count: uint32(14),
        /// Status of the span.
        status: one(Status = 15),
        /// W3C trace flags; bits 8 and 9 tell if the parent is remote.
        flags: fixed32(16),
    }

    /// An event in a span.
    repeated Event {
        /// Time, in nanoseconds since 1970.
        time_unix_nano: fixed64(1),
        /// Name.
        name: string(2),
        /// Attributes.
        attributes: attributes(3),
        /// Number of attributes that were dropped.
        dropped_attributes_count: uint32(4),
    }

    /// A link to another span.
    repeated Link {
        /// Id of the trace; `None` if absent.
        trace_id: id(1, 16),
        /// Id of the span; `None` if absent.
        span_id: id(2, 8),
        /// W3C `tracestate`.
        trace_state: string(3),
        /// Attributes.
        attributes: attributes(4),
        /// Number of attributes that were dropped.
        dropped_attributes_count: uint32(5),
        /// As in [`Span::flags`].
        flags: fixed32(6),
    }

    /// Status of a span.
    singular Status {
        /// Error message for developers.
        message: string(2),
        /// Code.
        code: number(StatusCode = 3),
    }
}
