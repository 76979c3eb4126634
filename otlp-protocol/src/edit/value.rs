//! A value to be written: the arms of `opentelemetry.proto.common.v1.AnyValue`.

use crate::encode::{any_value, plain_len};
use crate::view::AnyValue;

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

impl<'a> Value<'a> {
    /// Appends the `AnyValue` message. A value that is put into many messages is best encoded once.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self.read() {
            Ok(value) => any_value(out, value),
            Err(message) => out.extend_from_slice(message),
        }
    }

    /// Length of the `AnyValue` message, in bytes.
    pub(crate) fn encoded_len(&self) -> usize {
        match self.read() {
            Ok(value) => plain_len(value).unwrap_or_default(),
            Err(message) => message.len(),
        }
    }

    /// The value, none of which is a list or a map; or the message that it is already.
    #[inline]
    fn read(self) -> Result<AnyValue<'a>, &'a [u8]> {
        Ok(match self {
            Self::Empty => AnyValue::Empty,
            Self::Bool(value) => AnyValue::Bool(value),
            Self::Bytes(value) => AnyValue::Bytes(value),
            Self::Double(value) => AnyValue::Double(value),
            Self::Encoded(message) => return Err(message),
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
