//! Encoding of attributes: `KeyValue` and `AnyValue` of `opentelemetry.proto.common.v1`, for the fast paths of validation,
//! JSON, edits and writers. The walks over [the schema table](crate::schema) do not need this module.
//!
//! Edits have a writer of their own (`edit/attribute.rs`), which copies within one buffer. The benches `protocol`, `json`,
//! `encode` and `edit` measure the fast paths.

use crate::schema::{self, Message, step};
use crate::wire::{WireType, put_tag, put_varint, varint_len};
use std::ops::Range;

pub(crate) static KEY_VALUE: &Message = schema::constant("opentelemetry.proto.common.v1.KeyValue");
pub(crate) static ANY_VALUE: &Message = schema::constant("opentelemetry.proto.common.v1.AnyValue");

/// Number of messages of an attribute with a plain value: `KeyValue` and `AnyValue`.
pub(crate) const MESSAGES: usize = 2;

/// Tags in a `KeyValue`.
pub(crate) const KEY: u8 = 0x0a;
pub(crate) const VALUE: u8 = 0x12;

/// Tags in an `AnyValue`.
pub(crate) const STRING: u8 = 0x0a;
pub(crate) const BOOL: u8 = 0x10;
pub(crate) const INT: u8 = 0x18;
pub(crate) const DOUBLE: u8 = 0x21;

/// Returns the ranges of key and value of the `KeyValue` at `bytes[from..to]`, if it has the common form: key and value in
/// this order, with lengths of one byte, and no other fields.
#[inline]
pub(crate) fn plain(bytes: &[u8], from: usize, to: usize) -> Option<(Range<usize>, Range<usize>)> {
    let key = short(bytes, from, to, KEY)?;
    let value = short(bytes, key.end, to, VALUE)?;
    (value.end == to).then_some((key, value))
}

/// Returns the range of the bytes of the field at `from`, before `to`, if it has this tag and a length of one byte.
#[inline]
pub(crate) fn short(bytes: &[u8], from: usize, to: usize, tag: u8) -> Option<Range<usize>> {
    match bytes.get(from..to)? {
        [found, len, rest @ ..] if *found == tag && *len < 0x80 && usize::from(*len) <= rest.len() => {
            Some(from + 2..from + 2 + usize::from(*len))
        }
        _ => None,
    }
}

/// Appends the start of a `KeyValue` in field `number`, up to the fields of its value, which have `value_len` bytes. An empty
/// key is the default and is not written.
#[inline]
pub(crate) fn put_head(out: &mut Vec<u8>, number: u32, key: &[u8], value_len: usize) {
    let len = value_len.saturating_add(4 + key.len());
    if len >= 0x80 || number >= 16 || key.is_empty() {
        return put_long_head(out, number, key, value_len);
    }
    // All lengths have one byte.
    out.reserve(2 + len);
    out.extend_from_slice(&[(number as u8) << 3 | WireType::Len as u8, len as u8, KEY, key.len() as u8]);
    out.extend_from_slice(key);
    out.extend_from_slice(&[VALUE, value_len as u8]);
}

#[inline(never)]
fn put_long_head(out: &mut Vec<u8>, number: u32, key: &[u8], value_len: usize) {
    let key_len = if key.is_empty() { 0 } else { 1 + varint_len(key.len() as u64) + key.len() };
    put_tag(out, number, WireType::Len);
    put_varint(out, (key_len + 1 + varint_len(value_len as u64) + value_len) as u64);
    if key_len > 0 {
        out.push(KEY);
        put_varint(out, key.len() as u64);
        out.extend_from_slice(key);
    }
    out.push(VALUE);
    put_varint(out, value_len as u64);
}

// Compares the tags with the schema table.
const _: () = {
    let (key_value, any_value) = (&KEY_VALUE.steps, &ANY_VALUE.steps);
    assert!(key_value[KEY as usize] == step::STRING && key_value[VALUE as usize] >= step::MESSAGE);
    assert!(any_value[STRING as usize] == step::STRING && any_value[DOUBLE as usize] == step::FIXED64);
    assert!(any_value[BOOL as usize] == step::VARINT && any_value[INT as usize] == step::VARINT);
};
