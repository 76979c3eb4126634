//! A value to be written: the arms of `opentelemetry.proto.common.v1.AnyValue`.

use crate::wire::{WireType, put_tag, put_varint, varint_len};

/// The value that an attribute is given. Reading them is what [`view::AnyValue`](crate::view::AnyValue) is for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// No value.
    #[default]
    Empty,
    /// A boolean.
    Bool(bool),
    /// Any bytes.
    Bytes(&'a [u8]),
    /// A double.
    Double(f64),
    /// An `AnyValue` message: what [`AttributeEdits::get`](crate::AttributeEdits::get) gives, or [`encode`](Self::encode)
    /// made. It is not checked.
    Encoded(&'a [u8]),
    /// A 64-bit integer.
    Int(i64),
    /// A string.
    String(&'a str),
}

// === impl Value ===

impl Value<'_> {
    /// Appends the `AnyValue` message. A value that is put into many messages is best encoded once.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Empty => {}
            Self::Bool(value) => {
                put_tag(out, BOOL, WireType::Varint);
                out.push(u8::from(value));
            }
            Self::Bytes(value) => put_bytes(out, BYTES, value),
            Self::Double(value) => {
                put_tag(out, DOUBLE, WireType::Fixed64);
                out.extend_from_slice(&value.to_le_bytes());
            }
            Self::Encoded(message) => out.extend_from_slice(message),
            Self::Int(value) => {
                put_tag(out, INT, WireType::Varint);
                put_varint(out, value as u64);
            }
            Self::String(value) => put_bytes(out, STRING, value.as_bytes()),
        }
    }

    /// Length of the `AnyValue` message, in bytes.
    pub(crate) fn encoded_len(&self) -> usize {
        let with_length = |len: usize| 1 + varint_len(len as u64) + len;
        match *self {
            Self::Empty => 0,
            Self::Bool(_) => 2,
            Self::Bytes(value) => with_length(value.len()),
            Self::Double(_) => 9,
            Self::Encoded(message) => message.len(),
            Self::Int(value) => 1 + varint_len(value as u64),
            Self::String(value) => with_length(value.len()),
        }
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::String(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::String(value)
    }
}

/// Also when it is empty: an arm of a `oneof` is there or not.
fn put_bytes(out: &mut Vec<u8>, number: u32, value: &[u8]) {
    put_tag(out, number, WireType::Len);
    put_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

const STRING: u32 = 1;
const BOOL: u32 = 2;
const INT: u32 = 3;
const DOUBLE: u32 = 4;
const BYTES: u32 = 7;
