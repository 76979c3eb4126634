//! Spans.

use super::declare::writers;
use crate::{SpanKind, StatusCode};

writers! {
    /// Writes a span.
    SpanWriter {
        /// Id of the trace.
        trace_id: id(1, 16),
        /// Id of the span.
        span_id: id(2, 8),
        /// W3C `tracestate`.
        trace_state: string(3),
        /// Id of the parent span; not set for a root span.
        parent_span_id: id(4, 8),
        /// Name.
        name: string(5),
        /// Kind: a [`SpanKind`] or its number.
        kind: number(SpanKind = 6),
        /// Start, in nanoseconds since 1970.
        start_time_unix_nano: fixed64(7),
        /// End, in nanoseconds since 1970.
        end_time_unix_nano: fixed64(8),
        attribute: attribute(9),
        /// Number of attributes that were dropped.
        dropped_attributes_count: uint32(10),
        /// An event in the span.
        event: nested(EventWriter = 11, SHORT),
        /// Number of events that were dropped.
        dropped_events_count: uint32(12),
        /// A link to another span.
        link: nested(LinkWriter = 13, SHORT),
        /// Number of links that were dropped.
        dropped_links_count: uint32(14),
        /// Status of the span.
        status: nested(StatusWriter = 15, SHORT),
        /// W3C trace flags; bits 8 and 9 tell if the parent is remote.
        flags: fixed32(16),
    }

    /// Writes an event.
    EventWriter {
        /// Time, in nanoseconds since 1970.
        time_unix_nano: fixed64(1),
        /// Name.
        name: string(2),
        attribute: attribute(3),
        /// Number of attributes that were dropped.
        dropped_attributes_count: uint32(4),
    }

    /// Writes a link.
    LinkWriter {
        /// Id of the other span's trace.
        trace_id: id(1, 16),
        /// Id of the other span.
        span_id: id(2, 8),
        /// W3C `tracestate`.
        trace_state: string(3),
        attribute: attribute(4),
        /// Number of attributes that were dropped.
        dropped_attributes_count: uint32(5),
        /// As in [`SpanWriter::flags`].
        flags: fixed32(6),
    }

    /// Writes a status.
    StatusWriter {
        /// Error message for developers.
        message: string(2),
        /// Code: a [`StatusCode`] or its number.
        code: number(StatusCode = 3),
    }
}
