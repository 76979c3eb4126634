//! Encoding of one attribute: tag, length, key, value.

use super::value::{self, BOOL, DOUBLE, INT, STRING};
use crate::client::engine::{Buffer, FieldWriter, MAX_SHORT, copy_short};
use crate::client::key::{AttributeKey, HEAD_BYTES, KEY, KeyHead, VALUE};
use otlp_protocol::view::AnyValue;
use otlp_protocol::wire::varint_len;
use otlp_protocol::{ToValue, Value};

/// Writes an attribute as field `tag`. Once the type of the value is known, this is one call.
#[inline(always)]
pub(super) fn put_attribute(
    out: &mut Buffer,
    tag: u8,
    key: &(impl AttributeKey + ?Sized),
    value: &(impl ToValue + ?Sized),
) {
    match (value.borrowed(), key.head()) {
        (Some(AnyValue::String(text)), Some(head)) => put_text(out, tag, head, text),
        (Some(AnyValue::Int(number)), Some(head)) => put_int(out, tag, head, number),
        (Some(AnyValue::Double(number)), Some(head)) => put_double(out, tag, head, number),
        (Some(AnyValue::Bool(is_true)), Some(head)) => put_bool(out, tag, head, is_true),
        _ => value.with_value(|value| put_any(out, tag, key.text(), value)),
    }
}

#[inline(never)]
fn put_text(out: &mut Buffer, tag: u8, head: KeyHead, text: &str) {
    let len = text.len();
    if len > MAX_SHORT {
        return put_long_text(out, tag, head, text);
    }
    let Some((room, at)) = begin_short(out, tag, head, len + 3) else {
        return grow_and_put_text(out, tag, head, text);
    };
    if let Some(room) = room.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<{ 3 + MAX_SHORT }>) {
        room[..3].copy_from_slice(&[len as u8 + 2, STRING, len as u8]);
        copy_short(&mut room[3..], text.as_bytes());
    }
    out.advance(at + 3 + len);
}

// Calls at the end of a function: the function saves no registers for them.
#[cold]
#[inline(never)]
fn grow_and_put_text(out: &mut Buffer, tag: u8, head: KeyHead, text: &str) {
    out.reserve(SHORT_ROOM);
    put_text(out, tag, head, text);
}

#[cold]
#[inline(never)]
fn grow_and_put_int(out: &mut Buffer, tag: u8, head: KeyHead, number: i64) {
    out.reserve(SHORT_ROOM);
    put_int(out, tag, head, number);
}

#[cold]
#[inline(never)]
fn grow_and_put_double(out: &mut Buffer, tag: u8, head: KeyHead, number: f64) {
    out.reserve(SHORT_ROOM);
    put_double(out, tag, head, number);
}

#[cold]
#[inline(never)]
fn grow_and_put_bool(out: &mut Buffer, tag: u8, head: KeyHead, is_true: bool) {
    out.reserve(SHORT_ROOM);
    put_bool(out, tag, head, is_true);
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
    if !put_short(out, tag, head, len, value.to_le_bytes()) {
        grow_and_put_int(out, tag, head, number);
    }
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
    let value = varint | u128::from(INT) << 8 | (len + 1) as u128;
    if !put_short(out, tag, head, len + 2, value.to_le_bytes()) {
        grow_and_put_int(out, tag, head, number);
    }
}

#[inline(never)]
fn put_double(out: &mut Buffer, tag: u8, head: KeyHead, number: f64) {
    let value = u128::from(number.to_bits()) << 16 | u128::from(DOUBLE) << 8 | 9;
    if !put_short(out, tag, head, 10, value.to_le_bytes()) {
        grow_and_put_double(out, tag, head, number);
    }
}

#[inline(never)]
fn put_bool(out: &mut Buffer, tag: u8, head: KeyHead, is_true: bool) {
    let value = u32::from(is_true) << 16 | u32::from(BOOL) << 8 | 2;
    if !put_short(out, tag, head, 3, value.to_le_bytes()) {
        grow_and_put_bool(out, tag, head, is_true);
    }
}

/// Writes an attribute whose lengths have one byte; false if there is no room. `value` begins with the length of the value and the
/// value, `len` bytes in all. It comes in a register: a read of single bytes written before would wait.
#[inline(always)]
fn put_short<const N: usize>(out: &mut Buffer, tag: u8, head: KeyHead, len: usize, value: [u8; N]) -> bool {
    let Some((room, at)) = begin_short(out, tag, head, len) else {
        return false;
    };
    if let Some(room) = room.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *room = value;
    }
    out.advance(at + len);
    true
}

/// Writes the tag, the length and the head of an attribute, and returns the room and the position of the value in it. The head is
/// written with its padding, also where the value replaces it: copies of known length are faster.
#[inline(always)]
fn begin_short(
    out: &mut Buffer,
    tag: u8,
    head: KeyHead,
    value_len: usize,
) -> Option<(&mut [u8; SHORT_ROOM], usize)> {
    let room = out.room::<SHORT_ROOM>()?;
    room[..2].copy_from_slice(&[tag, head.len + value_len as u8]);
    room[2..2 + SHORT_HEAD].copy_from_slice(&head.padded[..SHORT_HEAD]);
    if usize::from(head.len) > SHORT_HEAD {
        room[2 + SHORT_HEAD..2 + HEAD_BYTES].copy_from_slice(&head.padded[SHORT_HEAD..]);
    }
    // The mask changes nothing, but tells that the value is in the room.
    Some((room, 2 + usize::from(head.len & 63)))
}

/// Bytes of a head that are copied in any case.
const SHORT_HEAD: usize = 16;

/// Room for an attribute whose value has at most [`MAX_SHORT`] bytes.
const SHORT_ROOM: usize = 2 + 63 + 3 + MAX_SHORT;

/// Writes an attribute with a value whose length is limited.
#[inline(never)]
pub(super) fn put_limited(out: &mut Buffer, tag: u8, key: &str, value: Value<'_>, max: usize) {
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
