//! Log records.

use super::declare::writers;
use super::field::{SHORT, nested};
use super::value::{MapWriter, map};
use crate::SeverityNumber;

writers! {
    /// Writes a log record.
    LogRecordWriter {
        /// Time of the event, in nanoseconds since 1970.
        time_unix_nano: fixed64(1),
        /// Severity: a [`SeverityNumber`] or its number.
        severity_number: number(SeverityNumber = 2),
        /// Severity in the words of the source.
        severity_text: string(3),
        /// Body of the log record: text or data.
        body: value(5),
        attribute: attribute(6),
        /// Number of attributes that were dropped.
        dropped_attributes_count: uint32(7),
        /// W3C trace flags.
        flags: fixed32(8),
        /// Id of the trace.
        trace_id: id(9, 16),
        /// Id of the span.
        span_id: id(10, 8),
        /// Time at which the record was observed, in nanoseconds since 1970.
        observed_time_unix_nano: fixed64(11),
        /// Name of the kind of event.
        event_name: string(12),
    }
}

// === impl LogRecordWriter ===

impl LogRecordWriter<'_> {
    /// Writes the body as a map.
    pub fn body_map(&mut self, write: impl FnOnce(&mut MapWriter<'_>)) -> &mut Self {
        nested(self.out, BODY, SHORT, |out| map(out, write));
        self
    }
}

const BODY: u32 = 5;
