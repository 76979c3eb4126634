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
    let len = text.len();
    if len >= 0x80 - 3 - HEAD_BYTES {
        return put_long_text(out, tag, head, text);
    }
    put_short::<3>(out, tag, head, len + 3, [len as u8 + 2, STRING, len as u8], text.as_bytes());
}

#[cold]
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
    // In a register: a read of single bytes written before would wait.
    let (mut rest, mut varint, mut len) = (number as u64, 0_u128, 1);
    while rest >= 0x80 {
        varint |= u128::from(rest as u8 | 0x80) << (8 * (len + 1));
        rest >>= 7;
        len += 1;
    }
    varint |= u128::from(rest) << (8 * (len + 1));
    let value = varint | u128::from(INT) << 8 | (len + 1) as u128;
    put_short(out, tag, head, len + 2, value.to_le_bytes(), &[]);
}

#[inline(never)]
fn put_double(out: &mut Buffer, tag: u8, head: KeyHead, number: f64) {
    let bits = (u128::from(number.to_bits()) << 16 | u128::from(DOUBLE) << 8 | 9).to_le_bytes();
    put_short(out, tag, head, 10, bits, &[]);
}

#[inline(never)]
fn put_bool(out: &mut Buffer, tag: u8, head: KeyHead, is_true: bool) {
    put_short(out, tag, head, 3, [2, BOOL, u8::from(is_true)], &[]);
}

/// Writes an attribute whose lengths have one byte: the head, the length of the value and its first bytes, and the rest of the
/// value. Arrays are written whole, also where the first bytes of the next part replace them: copies of known length are faster.
/// `len` is the length of `first` and `rest` that counts.
#[inline(always)]
fn put_short<const N: usize>(
    out: &mut Buffer,
    tag: u8,
    head: KeyHead,
    len: usize,
    first: [u8; N],
    rest: &[u8],
) {
    let head_len = usize::from(head.len);
    let room = out.room(2 + HEAD_BYTES + N + rest.len());
    if let Some(start) = room.first_chunk_mut::<{ 2 + HEAD_BYTES }>() {
        start[0] = tag;
        start[1] = (head_len + len) as u8;
        start[2..].copy_from_slice(head.padded);
    }
    if let Some((start, room)) = room.get_mut(2 + head_len..).and_then(|room| room.split_first_chunk_mut()) {
        *start = first;
        if !rest.is_empty()
            && let Some(room) = room.get_mut(..rest.len())
        {
            room.copy_from_slice(rest);
        }
    }
    out.advance(2 + head_len + len);
}

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
