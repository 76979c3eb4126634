//! Encoding of one field by the schema, and its place in a message.

use crate::Value;
use crate::attribute::ANY_VALUE;
use crate::field::{Field as Placed, fields};
use crate::schema::{Field, Kind, Label, Message};
use crate::validate::check_message;
use crate::wire::{WireType, put_len_delimited, put_tag, put_varint};
use std::ops::Range;

/// A value for a field. A value of another type than the field's is not written.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum FieldValue<'v> {
    /// A value of a `bool`.
    Bool(bool),
    /// A value of a `bytes` field. An id must have the length of the field's ids, or none.
    Bytes(&'v [u8]),
    /// A value of a `double`.
    Double(f64),
    /// Values of a repeated `double`: all of them.
    Doubles(&'v [f64]),
    /// A value of an integer or an enum, truncated to the width of the field.
    Int(i64),
    /// An encoded message.
    Message(&'v [u8]),
    /// Encoded messages of a repeated field: all of them.
    Messages(&'v [&'v [u8]]),
    /// A value of a `string`.
    Text(&'v str),
    /// A value of an unsigned integer.
    Uint(u64),
    /// Values of a repeated integer: all of them.
    Uints(&'v [u64]),
    /// A value of an `AnyValue`, such as the body of a log record.
    Value(Value<'v>),
}

/// Places of the fields in a message that a change replaces.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) first: Option<Range<usize>>,
    /// Further places, which are cut. Nearly always none.
    pub(super) others: Vec<Range<usize>>,
}

// === impl Places ===

impl Places {
    /// Finds the fields of a message that `is_replaced` selects.
    pub(super) fn find(message: &[u8], mut is_replaced: impl FnMut(&Placed) -> bool) -> Self {
        let mut places = Self::default();
        for field in fields(message, 0) {
            if !is_replaced(&field) {
            } else if places.first.is_none() {
                places.first = Some(field.whole);
            } else {
                places.others.push(field.whole);
            }
        }
        places
    }

    /// True if the places hold `put` and nothing else.
    pub(super) fn hold(&self, message: &[u8], put: &[u8]) -> bool {
        let first = self.first.clone().and_then(|first| message.get(first)).unwrap_or_default();
        self.others.is_empty() && first == put
    }

    /// Writes `put` to the first place, or to the end of the message, and cuts the other places.
    pub(super) fn replace(self, message: &mut Vec<u8>, put: &[u8]) {
        for other in self.others.into_iter().rev() {
            message.drain(other);
        }
        match self.first {
            Some(first) => {
                let (rest, end) = (first.end..message.len(), first.start + put.len());
                message.resize(message.len().max(end + rest.len()), 0);
                message.copy_within(rest.clone(), end);
                message.truncate(end + rest.len());
                if let Some(place) = message.get_mut(first.start..end) {
                    place.copy_from_slice(put);
                }
            }
            None => message.extend_from_slice(put),
        }
    }
}

/// True if a value of field `number` replaces a field `other`: the same field, or another arm of the same `oneof`.
pub(super) fn replaces(schema: &Message, number: u32, other: u32) -> bool {
    if number == other {
        return true;
    }
    let arm = |number| match schema.field(number)?.label {
        Label::OneOf(index) => Some(index),
        _ => None,
    };
    arm(number).is_some() && arm(number) == arm(other)
}

/// Encodes the field at the start of `path`, with the value at the end of the path set; `None` clears that value. Messages on
/// the path keep their other fields. Returns false if there is nothing to clear, and `None` if the schema has no such field or
/// the value is of another type.
pub(super) fn encode(
    schema: &'static Message,
    message: &[u8],
    path: &[u32],
    value: Option<FieldValue<'_>>,
    out: &mut Vec<u8>,
) -> Option<bool> {
    let [number, below @ ..] = path else { return None };
    let field = schema.field(*number)?;
    let is_encoded = match (value, below) {
        (None, []) => return Some(is_set(schema, message, *number)),
        (Some(value), []) if field.is_repeated() => encode_all(field, value, out),
        (Some(value), []) => encode_one(field, value, out),
        (value, below) => {
            let child = field.message().filter(|_| !field.is_repeated())?;
            if value.is_none() && !is_set(schema, message, *number) {
                return Some(false);
            }
            let mut inner = joined(schema, message, *number);
            let mut put = Vec::new();
            encode(child, &inner, below, value, &mut put)?;
            let replaced = below.first().copied().unwrap_or_default();
            Places::find(&inner, |field| replaces(child, replaced, field.number)).replace(&mut inner, &put);
            put_len_delimited(out, *number, &inner);
            true
        }
    };
    is_encoded.then_some(true)
}

/// True if a field is present, and is the arm of its `oneof` that counts.
fn is_set(schema: &Message, message: &[u8], number: u32) -> bool {
    let last = fields(message, 0).filter(|field| replaces(schema, number, field.number)).last();
    last.is_some_and(|field| field.number == number)
}

/// Concatenates the pieces of a singular message, after the last other arm of its `oneof`.
fn joined(schema: &Message, message: &[u8], number: u32) -> Vec<u8> {
    let mut joined = Vec::new();
    for field in fields(message, 0) {
        if field.is(number) {
            joined.extend_from_slice(field.bytes(message));
        } else if replaces(schema, number, field.number) {
            joined.clear();
        }
    }
    joined
}

fn encode_one(field: &Field, value: FieldValue<'_>, out: &mut Vec<u8>) -> bool {
    let is_absent_if_zero = field.label == Label::Single;
    match (field.kind, value) {
        (Kind::String, FieldValue::Text(text)) => put_text(field, text.as_bytes(), out),
        (Kind::Bytes, FieldValue::Bytes(bytes)) => {
            let is_id = bytes.is_empty() || bytes.len() == usize::from(field.id_len);
            if field.is_id() && !is_id {
                return false;
            }
            put_text(field, bytes, out);
        }
        (Kind::Message(message), FieldValue::Value(value)) if std::ptr::eq(&*message, ANY_VALUE) => {
            let mut encoded = Vec::new();
            value.encode(&mut encoded);
            put_len_delimited(out, field.number, &encoded);
        }
        (Kind::Message(_), FieldValue::Message(bytes)) => return put_message(field, bytes, out),
        (kind, value) => match number_of(kind, value) {
            Some(0) if is_absent_if_zero => {}
            Some(number) => {
                put_tag(out, field.number, kind.wire_type());
                put_number(kind, number, out);
            }
            None => return false,
        },
    }
    true
}

fn encode_all(field: &Field, value: FieldValue<'_>, out: &mut Vec<u8>) -> bool {
    match value {
        FieldValue::Messages(messages) => messages.iter().all(|message| put_message(field, message, out)),
        FieldValue::Doubles(values) => put_packed(field, values.iter().copied().map(FieldValue::Double), out),
        FieldValue::Uints(values) => put_packed(field, values.iter().copied().map(FieldValue::Uint), out),
        _ => false,
    }
}

fn put_text(field: &Field, text: &[u8], out: &mut Vec<u8>) {
    if field.label != Label::Single || !text.is_empty() {
        put_len_delimited(out, field.number, text);
    }
}

fn put_message(field: &Field, bytes: &[u8], out: &mut Vec<u8>) -> bool {
    let is_valid = field.message().is_some_and(|message| check_message(message, bytes).is_ok());
    if is_valid {
        put_len_delimited(out, field.number, bytes);
    }
    is_valid
}

fn put_packed<'v>(field: &Field, values: impl Iterator<Item = FieldValue<'v>>, out: &mut Vec<u8>) -> bool {
    let mut packed = Vec::new();
    for value in values {
        let Some(number) = number_of(field.kind, value) else { return false };
        put_number(field.kind, number, &mut packed);
    }
    if !packed.is_empty() {
        put_len_delimited(out, field.number, &packed);
    }
    true
}

/// Returns the bits of a number as the wire has them; `None` if the value is not of this type.
fn number_of(kind: Kind, value: FieldValue<'_>) -> Option<u64> {
    let integer = match (kind, value) {
        (Kind::Bool, FieldValue::Bool(value)) => return Some(u64::from(value)),
        (Kind::Double, FieldValue::Double(value)) => return Some(value.to_bits()),
        (Kind::Float, FieldValue::Double(value)) => return Some(u64::from((value as f32).to_bits())),
        (_, FieldValue::Int(value)) => value,
        (_, FieldValue::Uint(value)) => value as i64,
        _ => return None,
    };
    match kind {
        Kind::Enum | Kind::Int32 => Some(i64::from(integer as i32) as u64),
        Kind::Uint32 | Kind::Fixed32 | Kind::Sfixed32 => Some(u64::from(integer as u32)),
        Kind::Int64 | Kind::Uint64 | Kind::Fixed64 | Kind::Sfixed64 => Some(integer as u64),
        Kind::Sint32 => {
            let integer = integer as i32;
            Some(u64::from((integer << 1 ^ integer >> 31) as u32))
        }
        Kind::Sint64 => Some((integer << 1 ^ integer >> 63) as u64),
        Kind::Bool | Kind::Bytes | Kind::Double | Kind::Float | Kind::Message(_) | Kind::String => None,
    }
}

fn put_number(kind: Kind, number: u64, out: &mut Vec<u8>) {
    match kind.wire_type() {
        WireType::Fixed64 => out.extend_from_slice(&number.to_le_bytes()),
        WireType::Fixed32 => out.extend_from_slice(&(number as u32).to_le_bytes()),
        _ => put_varint(out, number),
    }
}
