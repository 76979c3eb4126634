//! Attributes, encoded into the buffer of an unfinished span, event, link or log record.
//!
//! A key is written once: a later value replaces the former. A bit set of fingerprints tells whether a key can be in the message
//! already, so that the message is scanned on a hit alone.

use super::value::{self, BOOL, DOUBLE, INT, STRING};
use crate::client::engine::{Buffer, FieldWriter};
use crate::client::key::{AttributeKey, HEAD_BYTES, KEY, KeyHead, VALUE};
use otlp_protocol::view::AnyValue;
use otlp_protocol::wire::{Cursor, varint_len};
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
    #[inline(always)]
    pub(crate) fn put(
        &mut self,
        out: &mut Buffer,
        tag: u8,
        limits: AttributeLimits,
        key: &(impl AttributeKey + ?Sized),
        value: impl ToValue,
    ) {
        if self.admit(out, tag, limits.count, key) {
            value.with_value(|value| match limits.value_length {
                None => put_attribute(out, tag, key, value),
                Some(max) => put_limited(out, tag, key.text(), value, max),
            });
        }
    }

    /// Counts a further attribute, or its loss. An attribute of the same key is removed.
    #[inline(always)]
    fn admit(&mut self, out: &mut Buffer, tag: u8, most: u32, key: &(impl AttributeKey + ?Sized)) -> bool {
        let fingerprint = key.fingerprint();
        if self.seen & fingerprint != 0 {
            self.remove(out, tag, key.text());
        }
        if (self.count >= most) | (out.len() > MAX_MESSAGE_BYTES) | key.text().is_empty() {
            self.dropped = self.dropped.saturating_add(1);
            return false;
        }
        self.seen |= fingerprint;
        self.count += 1;
        true
    }

    #[cold]
    fn remove(&mut self, out: &mut Buffer, tag: u8, key: &str) {
        if let Some(range) = find(out.as_slice(), self.from, tag, key) {
            out.remove(range);
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

/// Writes an attribute as field `tag`. Once the type of the value is known, the match is one call.
#[inline(always)]
fn put_attribute(out: &mut Buffer, tag: u8, key: &(impl AttributeKey + ?Sized), value: Value<'_>) {
    match (value, key.head()) {
        (Value::Any(AnyValue::String(text)), Some(head)) => put_text(out, tag, head, text),
        (Value::Any(AnyValue::Int(number)), Some(head)) => put_int(out, tag, head, number),
        (Value::Any(AnyValue::Double(number)), Some(head)) => put_double(out, tag, head, number),
        (Value::Any(AnyValue::Bool(is_true)), Some(head)) => put_bool(out, tag, head, is_true),
        (value, _) => put_any(out, tag, key.text(), value),
    }
}

#[inline(never)]
fn put_text(out: &mut Buffer, tag: u8, head: KeyHead, text: &str) {
    let (len, head_len) = (text.len(), usize::from(head.len));
    if len > MAX_SHORT {
        return put_long_text(out, tag, head, text);
    }
    let room = out.room(SHORT_ROOM);
    put_head(room, tag, head, len + 3);
    if let Some((start, room)) = room.get_mut(2 + head_len..).and_then(|room| room.split_first_chunk_mut()) {
        *start = [len as u8 + 2, STRING, len as u8];
        copy_short(room, text.as_bytes());
    }
    out.advance(5 + head_len + len);
}

/// Copies up to 16 bytes, without a call.
#[inline(always)]
fn copy_short(room: &mut [u8], bytes: &[u8]) {
    /// Copies the first and the last `N` bytes, which may overlap.
    #[inline(always)]
    fn ends<const N: usize>(room: &mut [u8], bytes: &[u8]) -> bool {
        let (Some(first), Some(last)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) else {
            return false;
        };
        if let Some(room) = room.first_chunk_mut() {
            *room = *first;
        }
        if let Some(room) = room.get_mut(bytes.len() - N..).and_then(|room| room.first_chunk_mut()) {
            *room = *last;
        }
        true
    }
    if !ends::<8>(room, bytes) && !ends::<4>(room, bytes) && !ends::<2>(room, bytes) {
        ends::<1>(room, bytes);
    }
}

#[inline(never)]
fn put_long_text(out: &mut Buffer, tag: u8, head: KeyHead, text: &str) {
    let head = head.padded.get(..usize::from(head.len)).unwrap_or_default();
    let value_len = 1 + varint_len(text.len() as u64) + text.len();
    let len = head.len() + varint_len(value_len as u64) + value_len;
    let mut field = out.append(1 + varint_len(len as u64) + len);
    field.put(&[tag]).put_varint(len as u64).put_slice(head).put_varint(value_len as u64);
    field.put(&[STRING]).put_varint(text.len() as u64).put_slice(text.as_bytes());
}

#[inline(never)]
fn put_int(out: &mut Buffer, tag: u8, head: KeyHead, number: i64) {
    let value = match u32::try_from(number) {
        Ok(number) if number < 0x80 => number << 16 | u32::from(INT) << 8 | 2,
        Ok(number) if number < 0x4000 => {
            (number & 0x7f | 0x80 | number >> 7 << 8) << 16 | u32::from(INT) << 8 | 3
        }
        _ => return put_long_int(out, tag, head, number),
    };
    let len = if number < 0x80 { 3 } else { 4 };
    put_short(out, tag, head, len, u128::from(value));
}

#[inline(never)]
fn put_long_int(out: &mut Buffer, tag: u8, head: KeyHead, number: i64) {
    let (mut rest, mut varint, mut len) = (number as u64, 0_u128, 1);
    while rest >= 0x80 {
        varint |= u128::from(rest as u8 | 0x80) << (8 * (len + 1));
        rest >>= 7;
        len += 1;
    }
    varint |= u128::from(rest) << (8 * (len + 1));
    put_short(out, tag, head, len + 2, varint | u128::from(INT) << 8 | (len + 1) as u128);
}

#[inline(never)]
fn put_double(out: &mut Buffer, tag: u8, head: KeyHead, number: f64) {
    let value = u128::from(number.to_bits()) << 16 | u128::from(DOUBLE) << 8 | 9;
    put_short(out, tag, head, 10, value);
}

#[inline(never)]
fn put_bool(out: &mut Buffer, tag: u8, head: KeyHead, is_true: bool) {
    let value = u32::from(is_true) << 16 | u32::from(BOOL) << 8 | 2;
    put_short(out, tag, head, 3, u128::from(value));
}

/// Writes an attribute whose lengths have one byte. `value` is the length of the value and the value, `len` bytes of 16. It comes
/// in a register: a read of single bytes written before would wait.
#[inline(always)]
fn put_short(out: &mut Buffer, tag: u8, head: KeyHead, len: usize, value: u128) {
    let head_len = usize::from(head.len);
    let room = out.room(SHORT_ROOM);
    put_head(room, tag, head, len);
    if let Some(room) = room.get_mut(2 + head_len..).and_then(|room| room.first_chunk_mut()) {
        *room = value.to_le_bytes();
    }
    out.advance(2 + head_len + len);
}

/// Writes the tag, the length and the head of an attribute. The head is written whole, also where the value replaces its end: a
/// copy of known length is faster.
#[inline(always)]
fn put_head(room: &mut [u8], tag: u8, head: KeyHead, value_len: usize) {
    if let Some(start) = room.first_chunk_mut::<{ 2 + HEAD_BYTES }>() {
        start[0] = tag;
        start[1] = head.len + value_len as u8;
        start[2..].copy_from_slice(head.padded);
    }
}

/// Longest text that is copied without a call.
const MAX_SHORT: usize = 16;

/// Room for an attribute whose value has at most [`MAX_SHORT`] bytes.
const SHORT_ROOM: usize = 2 + HEAD_BYTES + 3 + MAX_SHORT;

/// Writes an attribute with a value whose length is limited.
#[inline(never)]
fn put_limited(out: &mut Buffer, tag: u8, key: &str, value: Value<'_>, max: usize) {
    value::limited(value, max, |value| put_any(out, tag, key, value));
}

/// Writes an attribute with a value of any type and length.
#[inline(never)]
fn put_any(out: &mut Buffer, tag: u8, key: &str, value: Value<'_>) {
    match value {
        Value::Any(AnyValue::String(text)) => {
            let len = 1 + varint_len(text.len() as u64) + text.len();
            let mut value = put_start(out, tag, key, len);
            value.put(&[STRING]).put_varint(text.len() as u64).put_slice(text.as_bytes());
        }
        Value::Any(AnyValue::Int(number)) => {
            let len = 1 + varint_len(number as u64);
            put_start(out, tag, key, len).put(&[INT]).put_varint(number as u64);
        }
        Value::Any(AnyValue::Double(number)) => {
            put_start(out, tag, key, 9).put(&[DOUBLE]).put(&number.to_bits().to_le_bytes());
        }
        Value::Any(AnyValue::Bool(is_true)) => {
            put_start(out, tag, key, 2).put(&[BOOL, u8::from(is_true)]);
        }
        other => {
            let mut bytes = Buffer::default();
            value::encode(&mut bytes, other);
            put_start(out, tag, key, bytes.len()).put_slice(bytes.as_slice());
        }
    }
}

/// Writes the attribute up to its value, which has `value_len` bytes, and returns the writer of the value.
#[inline]
fn put_start<'a>(out: &'a mut Buffer, tag: u8, key: &str, value_len: usize) -> FieldWriter<'a> {
    let key_len = 2 + varint_len(key.len() as u64) + key.len();
    let len = key_len + varint_len(value_len as u64) + value_len;
    let mut field = out.append(1 + varint_len(len as u64) + len);
    field.put(&[tag]).put_varint(len as u64);
    field.put(&[KEY]).put_varint(key.len() as u64).put_slice(key.as_bytes()).put(&[VALUE]);
    field.put_varint(value_len as u64);
    field
}
