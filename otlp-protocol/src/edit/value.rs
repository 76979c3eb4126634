//! A value to be written: the arms of `opentelemetry.proto.common.v1.AnyValue`.

use super::AttributeValue;
use crate::encode::{any_value, plain_len};
use crate::view::AnyValue;

/// The value that an attribute is given; a list or a map as an [`AttributeValue`]. Reading them is what [`view::AnyValue`](crate::view::AnyValue) is for.
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
    /// A value that is encoded already.
    Encoded(&'a AttributeValue),
    /// A 64-bit integer.
    Int(i64),
    /// A string.
    String(&'a str),
}

// === impl Value ===

impl<'a> Value<'a> {
    /// Appends the `AnyValue` message.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match self.read() {
            Ok(value) => any_value(out, value),
            Err(encoded) => out.extend_from_slice(encoded.as_bytes()),
        }
    }

    /// Length of the `AnyValue` message, in bytes.
    pub(super) fn encoded_len(&self) -> usize {
        match self.read() {
            Ok(value) => plain_len(value).unwrap_or_default(),
            Err(encoded) => encoded.as_bytes().len(),
        }
    }

    /// The value, none of which is a list or a map; or what is encoded already.
    #[inline]
    fn read(self) -> Result<AnyValue<'a>, &'a AttributeValue> {
        Ok(match self {
            Self::Empty => AnyValue::Empty,
            Self::Bool(value) => AnyValue::Bool(value),
            Self::Bytes(value) => AnyValue::Bytes(value),
            Self::Double(value) => AnyValue::Double(value),
            Self::Encoded(encoded) => return Err(encoded),
            Self::Int(value) => AnyValue::Int(value),
            Self::String(value) => AnyValue::String(value),
        })
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
