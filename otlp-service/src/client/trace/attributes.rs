//! Attributes, encoded into the buffer of an unfinished span, event, link or log record.
//!
//! A key is written once: a later value replaces the former. A bit set of fingerprints tells whether a key can be in the message
//! already, so that the message is scanned on a hit alone.

use super::value;
use crate::client::key::{AttributeKey, KEY, VALUE};
use otlp_protocol::wire::{Cursor, put_varint, varint_len};
use otlp_protocol::{ToValue, Value};
use std::ops::Range;

/// The attributes of an unfinished message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attributes {
    /// Start of the message's fields in the buffer.
    pub(crate) from: usize,
    /// Number of attributes in the message.
    count: u32,
    pub(crate) dropped: u32,
    /// Fingerprints of the keys.
    seen: u64,
}

/// The limits on the attributes of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttributeLimits {
    pub(crate) count: u32,
    pub(crate) value_length: Option<usize>,
}

/// Bytes of an unfinished message. Attributes, events and links beyond are dropped and counted in the message.
pub(crate) const MAX_MESSAGE_BYTES: usize = 4 << 20;

impl Attributes {
    /// Makes the empty list of a message whose fields start at `from`.
    pub(crate) fn from(from: usize) -> Self {
        Self { from, ..Self::default() }
    }

    /// Writes an attribute as field `tag`, or counts its loss.
    #[inline]
    pub(crate) fn put(
        &mut self,
        out: &mut Vec<u8>,
        tag: u8,
        limits: AttributeLimits,
        key: &(impl AttributeKey + ?Sized),
        value: impl ToValue,
    ) {
        value.with_value(|value| {
            let fingerprint = key.fingerprint();
            if self.seen & fingerprint != 0 {
                self.remove(out, tag, key.text());
            }
            if self.count >= limits.count || out.len() > MAX_MESSAGE_BYTES || key.text().is_empty() {
                self.dropped = self.dropped.saturating_add(1);
                return;
            }
            self.seen |= fingerprint;
            self.count += 1;
            match limits.value_length {
                None => put_attribute(out, tag, key, value),
                Some(max) => value::limited(value, max, |value| put_attribute(out, tag, key, value)),
            }
        });
    }

    #[cold]
    fn remove(&mut self, out: &mut Vec<u8>, tag: u8, key: &str) {
        if let Some(range) = find(out, self.from, tag, key) {
            out.drain(range);
            self.count -= 1;
        }
    }
}

/// Returns the range of the field `tag` with this key, in the fields from `from`.
fn find(out: &[u8], from: usize, tag: u8, key: &str) -> Option<Range<usize>> {
    let mut cursor = Cursor::new(out.get(from..)?);
    while !cursor.is_at_end() {
        let start = cursor.position();
        let (number, wire_type) = cursor.tag().ok()?;
        if (number << 3 | wire_type as u32) != u32::from(tag) {
            cursor.skip_value(number, wire_type).ok()?;
            continue;
        }
        let mut field = Cursor::new(cursor.len_delimited().ok()?);
        field.tag().ok()?;
        if field.len_delimited().ok()? == key.as_bytes() {
            return Some(from + start..from + cursor.position());
        }
    }
    None
}

/// Writes an attribute as field `tag`.
#[inline]
fn put_attribute(out: &mut Vec<u8>, tag: u8, key: &(impl AttributeKey + ?Sized), value: Value<'_>) {
    let value_len = value::encoded_len(&value);
    match key.head() {
        Some(head) => {
            put_lens(out, tag, head.len(), value_len);
            out.extend_from_slice(head);
        }
        None => {
            let key = key.text();
            put_lens(out, tag, 2 + varint_len(key.len() as u64) + key.len(), value_len);
            out.push(KEY);
            put_varint(out, key.len() as u64);
            out.extend_from_slice(key.as_bytes());
            out.push(VALUE);
        }
    }
    put_varint(out, value_len as u64);
    value::encode(out, value);
}

/// Writes the start of the field, up to the encoded key, which has `head` bytes.
#[inline]
fn put_lens(out: &mut Vec<u8>, tag: u8, head: usize, value_len: usize) {
    let len = head + varint_len(value_len as u64) + value_len;
    out.reserve(len + 11);
    out.push(tag);
    put_varint(out, len as u64);
}
