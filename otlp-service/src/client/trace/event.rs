//! Events of a span.

use super::attributes::{AttributeLimits, Attributes};
use super::message;
use crate::client::engine::to_unix_nanos;
use crate::client::key::AttributeKey;
use otlp_protocol::ToValue;
use otlp_protocol::wire::{put_len_delimited, put_uint};
use std::time::SystemTime;

/// An event of a span, while it is written.
#[derive(Debug)]
pub struct EventWriter<'a> {
    out: &'a mut Vec<u8>,
    attributes: Attributes,
    limits: AttributeLimits,
    /// Position of the event's length.
    at: usize,
}

impl<'a> EventWriter<'a> {
    #[inline]
    pub(crate) fn begin(out: &'a mut Vec<u8>, name: &str, time: u64, limits: AttributeLimits) -> Self {
        let at = message::begin(out, EVENT);
        out.push(TIME);
        out.extend_from_slice(&time.to_le_bytes());
        put_len_delimited(out, 2, name.as_bytes());
        Self { attributes: Attributes::from(at + 1), out, limits, at }
    }

    /// Adds an attribute. A later value of the same key replaces the former.
    #[inline]
    pub fn attribute(&mut self, key: impl AttributeKey, value: impl ToValue) -> &mut Self {
        self.attributes.put(self.out, ATTRIBUTE, self.limits, &key, value);
        self
    }

    /// Sets the time of the event. Default: the time at which the event was begun.
    pub fn time(&mut self, time: SystemTime) -> &mut Self {
        let from = self.at + 2;
        if let Some(field) = self.out.get_mut(from..from + 8) {
            field.copy_from_slice(&to_unix_nanos(time).to_le_bytes());
        }
        self
    }
}

impl Drop for EventWriter<'_> {
    /// Ends the event, also if the code that writes it panics.
    fn drop(&mut self) {
        put_uint(self.out, 4, u64::from(self.attributes.dropped));
        message::end(self.out, self.at);
    }
}

/// Tag of the events in a span.
const EVENT: u8 = 0x5a;
// Tags in an event.
const TIME: u8 = 0x09;
const ATTRIBUTE: u8 = 0x1a;
