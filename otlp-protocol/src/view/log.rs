//! Log records: `opentelemetry.proto.logs.v1`.

use super::declare::views;

views! {
    /// A log record.
    repeated LogRecord {
        /// When it happened, in nanoseconds since 1970.
        time_unix_nano: fixed64(1),
        /// `SeverityNumber`: 1–4 trace, 5–8 debug, 9–12 info, 13–16 warn, 17–20 error, 21–24 fatal.
        severity_number: int32(2),
        /// The severity as the source has it.
        severity_text: string(3),
        /// What it says.
        body: value(5),
        /// Its attributes.
        attributes: attributes(6),
        /// Attributes that were left out.
        dropped_attributes_count: uint32(7),
        /// W3C trace flags.
        flags: fixed32(8),
        /// 16 bytes.
        trace_id: bytes(9),
        /// 8 bytes.
        span_id: bytes(10),
        /// When it was seen, in nanoseconds since 1970.
        observed_time_unix_nano: fixed64(11),
        /// What kind of event it is.
        event_name: string(12),
    }
}
