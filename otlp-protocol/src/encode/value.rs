//! Attributes and their values.

use super::declare::debug_len;
use super::field::{SHORT, bytes, nested};
use crate::attribute::{self, ANY_VALUE, KEY_VALUE};
use crate::schema::Message;
use crate::validate::check_message;
use crate::view::AnyValue;
use crate::wire::{put_len_delimited, put_varint, varint_len};
use crate::{ToValue, Value};

/// Writes the values of a list.
pub struct ArrayWriter<'b> {
    out: &'b mut Vec<u8>,
}

/// Writes the keys and values of a map.
pub struct MapWriter<'b> {
    out: &'b mut Vec<u8>,
}

debug_len!(ArrayWriter<'_>, MapWriter<'_>);

// === impl ArrayWriter ===

impl ArrayWriter<'_> {
    /// Writes a value.
    pub fn value(&mut self, value: impl ToValue) -> &mut Self {
        value.with_value(|value| nested(self.out, VALUES, SHORT, |out| value.encode(out)));
        self
    }

    /// Writes a list in the list.
    pub fn array(&mut self, write: impl FnOnce(&mut ArrayWriter<'_>)) -> &mut Self {
        nested(self.out, VALUES, SHORT, |out| array(out, write));
        self
    }

    /// Writes a map in the list.
    pub fn map(&mut self, write: impl FnOnce(&mut MapWriter<'_>)) -> &mut Self {
        nested(self.out, VALUES, SHORT, |out| map(out, write));
        self
    }
}

// === impl MapWriter ===

impl MapWriter<'_> {
    super::declare::writers!(@setter attribute attribute(1));
}

/// Writes a `KeyValue` in field `number`.
#[inline]
pub(super) fn attribute(out: &mut Vec<u8>, number: u32, key: &str, value: Value<'_>) {
    match value.encoded_len() {
        Some(value_len) => {
            attribute::put_head(out, number, key.as_bytes(), value_len);
            value.encode(out);
        }
        None => nested_attribute(out, number, key, |out| value.encode(out)),
    }
}

/// Writes a `KeyValue` in field `number`; `write` writes the value.
#[inline(never)]
pub(super) fn nested_attribute(out: &mut Vec<u8>, number: u32, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
    nested(out, number, SHORT, |out| {
        bytes(out, KEY, key.as_bytes());
        nested(out, VALUE, SHORT, write);
    });
}

/// Returns the length of an encoded `AnyValue`, in bytes; `None` for lists and maps.
#[inline]
pub(crate) fn plain_len(value: AnyValue<'_>) -> Option<usize> {
    match value {
        AnyValue::String(value) => Some(1 + varint_len(value.len() as u64) + value.len()),
        AnyValue::Bytes(value) => Some(1 + varint_len(value.len() as u64) + value.len()),
        AnyValue::Int(value) => Some(1 + varint_len(value as u64)),
        AnyValue::StringIndex(index) => Some(1 + varint_len(index as u64)),
        AnyValue::Bool(_) => Some(2),
        AnyValue::Double(_) => Some(9),
        AnyValue::Empty => Some(0),
        AnyValue::Array(_) | AnyValue::Map(_) => None,
    }
}

/// Writes the fields of an `AnyValue`.
#[inline]
pub(crate) fn any_value(out: &mut Vec<u8>, value: AnyValue<'_>) {
    match value {
        AnyValue::String(value) => put_len_delimited(out, 1, value.as_bytes()),
        AnyValue::Bool(value) => out.extend_from_slice(&[attribute::BOOL, u8::from(value)]),
        AnyValue::Int(value) => {
            out.push(attribute::INT);
            put_varint(out, value as u64);
        }
        AnyValue::Double(value) => super::field::some_fixed64(out, 4, value.to_bits()),
        AnyValue::Array(list) => {
            nested(out, 5, SHORT, |out| put_checked(out, ANY_VALUE, list.encoded()));
        }
        AnyValue::Map(map) => {
            let attributes = map.iter();
            nested(out, 6, SHORT, |out| {
                put_checked(out, KEY_VALUE, attributes.map(|attribute| attribute.as_bytes()));
            });
        }
        AnyValue::Bytes(value) => put_len_delimited(out, 7, value),
        AnyValue::StringIndex(index) => {
            out.push(8 << 3);
            put_varint(out, index as u64);
        }
        AnyValue::Empty => {}
    }
}

/// Copies the elements of a viewed list or map. Invalid elements are left out: a view can be of any bytes.
fn put_checked<'a>(out: &mut Vec<u8>, message: &'static Message, elements: impl Iterator<Item = &'a [u8]>) {
    elements
        .filter(|element| check_message(message, element).is_ok())
        .for_each(|element| put_len_delimited(out, VALUES, element));
}

/// Writes the fields of an `AnyValue` that is a list.
pub(super) fn array(out: &mut Vec<u8>, write: impl FnOnce(&mut ArrayWriter<'_>)) {
    nested(out, 5, SHORT, |out| write(&mut ArrayWriter { out }));
}

/// Writes the fields of an `AnyValue` that is a map.
pub(super) fn map(out: &mut Vec<u8>, write: impl FnOnce(&mut MapWriter<'_>)) {
    nested(out, 6, SHORT, |out| write(&mut MapWriter { out }));
}

/// Field number of the values in an `ArrayValue` and in a `KeyValueList`.
const VALUES: u32 = 1;
const KEY: u32 = 1;
const VALUE: u32 = 2;
