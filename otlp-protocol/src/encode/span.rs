//! Spans.

use super::declare::writers;

writers! {
    /// Writes a span.
    SpanWriter {
        /// Its trace.
        trace_id: id(1, 16),
        /// Its own id.
        span_id: id(2, 8),
        /// W3C `tracestate`.
        trace_state: string(3),
        /// The span above it; not set for a root.
        parent_span_id: id(4, 8),
        /// Its name.
        name: string(5),
        /// `SpanKind`: 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
        kind: int32(6),
        /// Start, in nanoseconds since 1970.
        start_time_unix_nano: fixed64(7),
        /// End, in nanoseconds since 1970.
        end_time_unix_nano: fixed64(8),
        attribute: attribute(9),
        /// Attributes that were left out.
        dropped_attributes_count: uint32(10),
        /// What happened in it.
        event: nested(EventWriter = 11, SHORT),
        /// Events that were left out.
        dropped_events_count: uint32(12),
        /// A span that it refers to.
        link: nested(LinkWriter = 13, SHORT),
        /// Links that were left out.
        dropped_links_count: uint32(14),
        /// How it ended.
        status: nested(StatusWriter = 15, SHORT),
        /// W3C trace flags, and whether the parent is remote (bits 8 and 9).
        flags: fixed32(16),
    }

    /// Writes an event.
    EventWriter {
        /// When, in nanoseconds since 1970.
        time_unix_nano: fixed64(1),
        /// Its name.
        name: string(2),
        attribute: attribute(3),
        /// Attributes that were left out.
        dropped_attributes_count: uint32(4),
    }

    /// Writes a link.
    LinkWriter {
        /// The other span's trace.
        trace_id: id(1, 16),
        /// The other span.
        span_id: id(2, 8),
        /// W3C `tracestate`.
        trace_state: string(3),
        attribute: attribute(4),
        /// Attributes that were left out.
        dropped_attributes_count: uint32(5),
        /// As in [`SpanWriter::flags`].
        flags: fixed32(6),
    }

    /// Writes a status.
    StatusWriter {
        /// For people.
        message: string(2),
        /// `StatusCode`: 0 unset, 1 ok, 2 error.
        code: int32(3),
    }
}
