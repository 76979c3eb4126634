//! Attributes, encoded into the buffer of an unfinished span, event, link or log record.
//!
//! A key is written once: a later value replaces the former. A bit set of fingerprints tells whether a key can be in the message
//! already, so that the message is scanned on a hit alone.

use super::put::{put_attribute, put_limited};
use crate::client::engine::Buffer;
use crate::client::key::AttributeKey;
use otlp_protocol::ToValue;
use otlp_protocol::wire::Cursor;
use std::ops::Range;

/// The attributes of an unfinished message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attributes {
    /// Start of the message's fields in the buffer.
    pub(crate) from: usize,
    /// Number of attributes in the message.
    pub(crate) count: u32,
    pub(crate) dropped: u32,
    /// Fingerprints of the keys.
    pub(crate) seen: u64,
}

/// The limits on the attributes of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttributeLimits {
    /// Attributes that need no further look at the limits: `count`, or 0 if the length of values is limited.
    plain: u32,
    pub(crate) count: u32,
    pub(crate) value_length: Option<usize>,
}

/// Bytes of an unfinished message. Attributes, events and links beyond are dropped and counted in the message.
pub(crate) const MAX_MESSAGE_BYTES: usize = 1 << 20;

impl AttributeLimits {
    #[inline]
    pub(crate) fn new(count: u32, value_length: Option<usize>) -> Self {
        Self { plain: if value_length.is_none() { count } else { 0 }, count, value_length }
    }
}

impl Attributes {
    /// Makes the empty list of a message whose fields start at `from`.
    pub(crate) fn from(from: usize) -> Self {
        Self { from, ..Self::default() }
    }

    /// Writes an attribute as field `tag`, or counts its loss.
    #[inline(always)]
    pub(crate) fn put(
        &mut self,
        out: &mut Buffer,
        tag: u8,
        limits: &AttributeLimits,
        key: &(impl AttributeKey + ?Sized),
        value: impl ToValue,
    ) {
        let fingerprint = key.fingerprint();
        let is_rare = (self.seen & fingerprint != 0)
            | (self.count >= limits.plain)
            | (out.len() > MAX_MESSAGE_BYTES)
            | key.text().is_empty();
        if is_rare {
            return self.put_rare(out, tag, limits, key, &value);
        }
        self.add(fingerprint);
        put_attribute(out, tag, key, &value);
    }

    /// As [`put`](Self::put), if the attribute may be of a key that the message has, or beyond a limit.
    #[cold]
    #[inline(never)]
    fn put_rare(
        &mut self,
        out: &mut Buffer,
        tag: u8,
        limits: &AttributeLimits,
        key: &(impl AttributeKey + ?Sized),
        value: &impl ToValue,
    ) {
        if self.admit(out, tag, limits.count, key) {
            match limits.value_length {
                None => put_attribute(out, tag, key, value),
                Some(max) => value.with_value(|value| put_limited(out, tag, key.text(), value, max)),
            }
        }
    }

    /// Counts a further attribute, or its loss. An attribute of the same key is removed.
    #[inline]
    pub(crate) fn admit(
        &mut self,
        out: &mut Buffer,
        tag: u8,
        most: u32,
        key: &(impl AttributeKey + ?Sized),
    ) -> bool {
        let fingerprint = key.fingerprint();
        if self.seen & fingerprint != 0 {
            self.remove(out, tag, key.text(), fingerprint);
        }
        if (self.count >= most) | (out.len() > MAX_MESSAGE_BYTES) | key.text().is_empty() {
            self.drop_attribute(fingerprint);
            return false;
        }
        self.add(fingerprint);
        true
    }

    /// Counts an attribute whose fingerprint is not set. An addition is compiled to a write of all 64 bits, where an `or` would
    /// write single bytes, and the next read of all bits would wait for them.
    #[inline(always)]
    fn add(&mut self, fingerprint: u64) {
        self.seen = self.seen.wrapping_add(fingerprint);
        self.count += 1;
    }

    /// Removes the attribute with this key, if there is one, and the fingerprint.
    #[cold]
    fn remove(&mut self, out: &mut Buffer, tag: u8, key: &str, fingerprint: u64) {
        self.seen &= !fingerprint;
        if let Some(range) = find(out.as_slice(), self.from, tag, key) {
            out.remove(range);
            self.count -= 1;
        }
    }

    /// Counts the loss of an attribute. Another attribute may have the fingerprint.
    fn drop_attribute(&mut self, fingerprint: u64) {
        self.seen |= fingerprint;
        self.dropped = self.dropped.saturating_add(1);
    }
}

#[cfg(feature = "tracing")]
impl Attributes {
    /// Counts encoded attributes that the caller writes, or their loss: all or none.
    #[inline]
    pub(crate) fn admit_encoded(&mut self, count: u32, most: u32) -> bool {
        let is_admitted = count <= most.saturating_sub(self.count);
        let counter = if is_admitted { &mut self.count } else { &mut self.dropped };
        *counter = counter.saturating_add(count);
        is_admitted
    }

    /// Writes encoded attributes of another message, whatever their tag.
    pub(crate) fn absorb(&mut self, out: &mut Buffer, tag: u8, most: u32, fields: &[u8]) {
        let mut cursor = Cursor::new(fields);
        while let (Ok(_), Ok(attribute)) = (cursor.tag(), cursor.len_delimited()) {
            let key = key_of(attribute).and_then(|key| std::str::from_utf8(key).ok());
            if let Some(key) = key
                && self.admit(out, tag, most, key)
            {
                out.put_len_delimited(tag, attribute);
            }
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
        if key_of(cursor.len_delimited().ok()?)? == key.as_bytes() {
            return Some(from + start..from + cursor.position());
        }
    }
    None
}

/// Returns the key of an encoded attribute.
fn key_of(attribute: &[u8]) -> Option<&[u8]> {
    let mut field = Cursor::new(attribute);
    field.tag().ok()?;
    field.len_delimited().ok()
}
