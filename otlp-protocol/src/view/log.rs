//! Log records: `opentelemetry.proto.logs.v1`.

use super::declare::views;
use crate::SeverityNumber;

views! {
    /// A log record.
    repeated LogRecord {
        /// Time of the event, in nanoseconds since 1970.
        time_unix_nano: fixed64(1),
        /// Severity.
        severity_number: number(SeverityNumber = 2),
        /// Severity in the words of the source.
        severity_text: string(3),
        /// Body of the log record: text or data.
        body: value(5),
        /// Attributes.
        attributes: attributes(6),
        /// Number of attributes that were dropped.
        dropped_attributes_count: uint32(7),
        /// W3C trace flags.
        flags: fixed32(8),
        /// Id of the trace; `None` if absent.
        trace_id: id(9, 16),
        /// Id of the span; `None` if absent.
        span_id: id(10, 8),
        /// Time at which the record was observed, in nanoseconds since 1970.
        observed_time_unix_nano: fixed64(11),
        /// Name of the kind of event.
        event_name: string(12),
    }
}
