//! Values that no longer refer to the messages.

use crate::ottl::error::EvalError;
use crate::ottl::value::{Map, Value};
use otlp_protocol::view::AnyValue;
use otlp_protocol::wire::put_len_delimited;
use std::borrow::Cow;

/// A value that was copied out of the messages, so that the messages can be changed.
#[derive(Clone, Debug)]
pub(crate) enum Detached {
    /// A list or a map, encoded.
    Encoded(Vec<u8>),
    Plain(Value<'static>),
}

// === impl Detached ===

impl Detached {
    /// Copies a value.
    ///
    /// # Errors
    /// If a list or a map has a value that attributes cannot have.
    pub(crate) fn new(value: Value<'_>) -> Result<Self, EvalError> {
        Ok(match value {
            Value::List(_) | Value::Map(_) => Self::Encoded(value.encoded()?),
            Value::Text(text) => Self::Plain(Value::Text(Cow::Owned(text.into_owned()))),
            Value::Bytes(bytes) => Self::Plain(Value::Bytes(Cow::Owned(bytes.into_owned()))),
            Value::Messages(_) => return Err(EvalError::wrong_type("a value that can be set", &value)),
            value => Self::Plain(value.into_owned()),
        })
    }

    pub(crate) fn value(&self) -> Value<'_> {
        match self {
            Self::Encoded(encoded) => Value::from_any(AnyValue::new(encoded)),
            Self::Plain(value) => value.borrow(),
        }
    }
}

/// Encodes the entries of a map, each as a `KeyValue`.
///
/// # Errors
/// If attributes cannot have a value.
pub(super) fn key_values(map: &Map<'_>) -> Result<Vec<Vec<u8>>, EvalError> {
    let entry = |(key, value): (&str, Value<'_>)| {
        let mut entry = Vec::new();
        if !key.is_empty() {
            put_len_delimited(&mut entry, KEY, key.as_bytes());
        }
        put_len_delimited(&mut entry, VALUE, &value.encoded()?);
        Ok(entry)
    };
    map.iter().map(entry).collect()
}

// Field numbers of `KeyValue`.
const KEY: u32 = 1;
const VALUE: u32 = 2;
