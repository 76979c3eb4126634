//! Additions to a span that are encoded outside of it.

use super::attributes::{AttributeLimits, Attributes};
use super::event::EVENT;
use super::open::{ERROR, OpenSpan};
use crate::client::engine::Buffer;

impl OpenSpan {
    /// The encoded fields, the list of the attributes in them, and the attributes' limits.
    #[inline]
    pub(crate) fn parts(&mut self) -> (&mut Buffer, &mut Attributes, AttributeLimits) {
        (&mut self.bytes, &mut self.attributes, self.limits)
    }

    /// Adds an encoded event, or counts its loss.
    #[inline]
    pub(crate) fn push_event(&mut self, event: &[u8]) {
        if self.events.admit(self.shared.config.span_limits.events, &self.bytes) {
            self.bytes.put_len_delimited(EVENT, event);
        }
    }

    /// Sets the status to Error, unless the status is set.
    pub(crate) fn set_error(&mut self) {
        if self.status == 0 {
            self.status = ERROR;
        }
    }
}
