//! Additions to a span that are encoded outside of it.

use super::attributes::{AttributeLimits, Attributes};
use super::event::{EVENT, TIME};
use super::open::{ERROR, OpenSpan};
use crate::client::engine::Buffer;
use otlp_protocol::SpanKind;
use otlp_protocol::wire::varint_len;

impl OpenSpan {
    /// The encoded fields, the list of the attributes in them, and the attributes' limits.
    #[inline]
    pub(crate) fn parts(&mut self) -> (&mut Buffer, &mut Attributes, AttributeLimits) {
        (&mut self.bytes, &mut self.attributes, self.limits)
    }

    /// Returns the kind of the span.
    pub(crate) fn kind(&self) -> SpanKind {
        SpanKind::from(i32::from(self.kind))
    }

    /// Adds an event at a time in Unix nanoseconds, whose other fields are encoded, or counts its loss.
    #[inline]
    pub(crate) fn push_event(&mut self, time: u64, fields: [&[u8]; 2]) {
        if self.events.admit(self.shared.config.span_limits.events, &self.bytes) {
            let len = TIME_LEN + fields[0].len() + fields[1].len();
            let mut event = self.bytes.append(1 + varint_len(len as u64) + len);
            event.put(&[EVENT]).put_varint(len as u64);
            event.put(&[TIME]).put(&time.to_le_bytes()).put_slice(fields[0]).put_slice(fields[1]);
        }
    }

    /// Sets the status to Error, unless the status is set.
    pub(crate) fn set_error(&mut self) {
        if self.status == 0 {
            self.status = ERROR;
        }
    }
}

/// Length of an event's time, as a field.
const TIME_LEN: usize = 9;
