//! Events of a span.

use super::attributes::{AttributeLimits, Attributes};
use crate::client::engine::{Buffer, to_unix_nanos};
use crate::client::key::AttributeKey;
use otlp_protocol::ToValue;
use otlp_protocol::wire::varint_len;
use std::time::SystemTime;

/// An event of a span, while it is written.
#[derive(Debug)]
pub struct EventWriter<'a> {
    out: &'a mut Buffer,
    attributes: Attributes,
    limits: AttributeLimits,
    /// Position of the event's length.
    at: usize,
}

impl<'a> EventWriter<'a> {
    #[inline]
    pub(crate) fn begin(out: &'a mut Buffer, name: &str, time: u64, limits: AttributeLimits) -> Self {
        let at = out.len() + 1;
        let mut fields = out.append(START + varint_len(name.len() as u64) + name.len());
        if let Some(start) = fields.array::<START>() {
            start[..3].copy_from_slice(&[EVENT, 0, TIME]);
            start[3..START - 1].copy_from_slice(&time.to_le_bytes());
            start[START - 1] = NAME;
        }
        fields.put_varint(name.len() as u64).put_slice(name.as_bytes());
        Self { attributes: Attributes::from(at + 1), out, limits, at }
    }

    /// Adds an attribute. A later value of the same key replaces the former.
    #[inline]
    pub fn attribute(&mut self, key: impl AttributeKey, value: impl ToValue) -> &mut Self {
        self.attributes.put(self.out, ATTRIBUTE, &self.limits, &key, value);
        self
    }

    /// Sets the time of the event. Default: the time at which the event was begun.
    pub fn time(&mut self, time: SystemTime) -> &mut Self {
        self.out.rewrite(self.at + 2).put(&to_unix_nanos(time).to_le_bytes());
        self
    }
}

impl Drop for EventWriter<'_> {
    /// Ends the event, also if the code that writes it panics.
    #[inline]
    fn drop(&mut self) {
        self.out.put_uint(DROPPED, u64::from(self.attributes.dropped));
        self.out.end_message(self.at);
    }
}

/// Bytes of an event up to its name: tag and length of the event, the time, the tag of the name.
const START: usize = 12;

/// Tag of the events in a span.
pub(super) const EVENT: u8 = 0x5a;
// Tags in an event.
pub(super) const TIME: u8 = 0x09;
const NAME: u8 = 0x12;
const ATTRIBUTE: u8 = 0x1a;
const DROPPED: u8 = 0x20;
