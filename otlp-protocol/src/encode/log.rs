//! Log records.

use super::declare::writers;
use super::field::{SHORT, nested};
use super::value::{MapWriter, map};

writers! {
    /// Writes a log record.
    LogRecordWriter {
        /// When it happened, in nanoseconds since 1970.
        time_unix_nano: fixed64(1),
        /// `SeverityNumber`: 1–4 trace, 5–8 debug, 9–12 info, 13–16 warn, 17–20 error, 21–24 fatal.
        severity_number: int32(2),
        /// The severity as the source has it.
        severity_text: string(3),
        /// What it says.
        body: value(5),
        attribute: attribute(6),
        /// Attributes that were left out.
        dropped_attributes_count: uint32(7),
        /// W3C trace flags.
        flags: fixed32(8),
        /// The trace it belongs to.
        trace_id: id(9, 16),
        /// The span it belongs to.
        span_id: id(10, 8),
        /// When it was seen, in nanoseconds since 1970.
        observed_time_unix_nano: fixed64(11),
        /// What kind of event it is.
        event_name: string(12),
    }
}

// === impl LogRecordWriter ===

impl LogRecordWriter<'_> {
    /// What it says, as a map.
    pub fn body_map(&mut self, write: impl FnOnce(&mut MapWriter<'_>)) -> &mut Self {
        nested(self.out, BODY, SHORT, |out| map(out, write));
        self
    }
}

const BODY: u32 = 5;
