//! Spans: `opentelemetry.proto.trace.v1`.

use super::declare::views;

views! {
    /// A span.
    repeated Span {
        /// 16 bytes.
        trace_id: bytes(1),
        /// 8 bytes.
        span_id: bytes(2),
        /// W3C `tracestate`.
        trace_state: string(3),
        /// 8 bytes; empty for a root.
        parent_span_id: bytes(4),
        /// Its name.
        name: string(5),
        /// `SpanKind`: 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
        kind: int32(6),
        /// Start, in nanoseconds since 1970.
        start_time_unix_nano: fixed64(7),
        /// End, in nanoseconds since 1970.
        end_time_unix_nano: fixed64(8),
        /// Its attributes.
        attributes: attributes(9),
        /// Attributes that were left out.
        dropped_attributes_count: uint32(10),
        /// What happened in it.
        events: many(Event = 11),
        /// Events that were left out.
        dropped_events_count: uint32(12),
        /// Spans that it refers to.
        links: many(Link = 13),
        /// Links that were left out.
        dropped_links_count: uint32(14),
        /// How it ended.
        status: one(Status = 15),
        /// W3C trace flags, and whether the parent is remote (bits 8 and 9).
        flags: fixed32(16),
    }

    /// Something that happened in a span.
    repeated Event {
        /// When, in nanoseconds since 1970.
        time_unix_nano: fixed64(1),
        /// Its name.
        name: string(2),
        /// Its attributes.
        attributes: attributes(3),
        /// Attributes that were left out.
        dropped_attributes_count: uint32(4),
    }

    /// A reference to another span.
    repeated Link {
        /// 16 bytes.
        trace_id: bytes(1),
        /// 8 bytes.
        span_id: bytes(2),
        /// W3C `tracestate`.
        trace_state: string(3),
        /// Its attributes.
        attributes: attributes(4),
        /// Attributes that were left out.
        dropped_attributes_count: uint32(5),
        /// As in [`Span::flags`].
        flags: fixed32(6),
    }

    /// How a span ended.
    singular Status {
        /// For people.
        message: string(2),
        /// `StatusCode`: 0 unset, 1 ok, 2 error.
        code: int32(3),
    }
}
