//! Values of attributes, encoded once to be written into many messages.

use crate::attribute::ANY_VALUE;
use crate::validate::check_message;
use crate::view::AnyValue;
use crate::wire::put_len_delimited;
use crate::{DecodeError, ToValue, Value};
use std::fmt;

/// A value of any type, encoded as OTLP's `AnyValue`. The encoding is valid: it is made of values alone.
///
/// ```
/// use otlp_protocol::AttributeValue;
///
/// let list = AttributeValue::array(["a", "b"]);
/// assert_eq!(format!("{list:?}"), r#"["a", "b"]"#);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AttributeValue(Vec<u8>);

// === impl AttributeValue ===

impl AttributeValue {
    /// Encodes a value of any type that [`ToValue`] lists.
    pub fn new(value: impl ToValue) -> Self {
        let mut this = Self::default();
        this.set(value);
        this
    }

    /// Makes an `AnyValue` without a value.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Encodes a string.
    pub fn string(text: &str) -> Self {
        Self::new(text)
    }

    /// Encodes a boolean.
    pub fn bool(value: bool) -> Self {
        Self::new(value)
    }

    /// Encodes an integer.
    pub fn int(number: i64) -> Self {
        Self::new(number)
    }

    /// Encodes a double.
    pub fn double(number: f64) -> Self {
        Self::new(number)
    }

    /// Encodes a list of values.
    pub fn array(values: impl IntoIterator<Item = impl ToValue>) -> Self {
        let (mut list, mut element) = (Vec::new(), Self::default());
        for value in values {
            element.set(value);
            put_len_delimited(&mut list, ELEMENTS, &element.0);
        }
        Self::holding(ARRAY, &list)
    }

    /// Encodes a map: a list of keys and values.
    pub fn map<'k>(entries: impl IntoIterator<Item = (&'k str, impl ToValue)>) -> Self {
        let (mut list, mut entry, mut element) = (Vec::new(), Vec::new(), Self::default());
        for (key, value) in entries {
            element.set(value);
            entry.clear();
            put_len_delimited(&mut entry, KEY, key.as_bytes());
            put_len_delimited(&mut entry, VALUE, &element.0);
            put_len_delimited(&mut list, ELEMENTS, &entry);
        }
        Self::holding(MAP, &list)
    }

    /// Takes an encoded `AnyValue`.
    ///
    /// # Errors
    /// The first fault of the encoding.
    pub fn check(encoded: Vec<u8>) -> Result<Self, DecodeError> {
        check_message(ANY_VALUE, &encoded)?;
        Ok(Self(encoded))
    }

    /// Returns the encoded `AnyValue`.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Replaces the value.
    pub fn set(&mut self, value: impl ToValue) {
        self.0.clear();
        value.with_value(|value| value.encode(&mut self.0));
    }

    /// Returns a view of the value.
    pub fn view(&self) -> AnyValue<'_> {
        AnyValue::new(&self.0)
    }

    /// Returns the encoded `AnyValue`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn holding(number: u32, list: &[u8]) -> Self {
        let mut out = Vec::with_capacity(list.len() + 4);
        put_len_delimited(&mut out, number, list);
        Self(out)
    }
}

impl From<Value<'_>> for AttributeValue {
    fn from(value: Value<'_>) -> Self {
        Self::new(value)
    }
}

impl fmt::Debug for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

// Field numbers: the arms of `AnyValue` that hold lists, the elements of either, and `KeyValue`.
const ARRAY: u32 = 5;
const MAP: u32 = 6;
const ELEMENTS: u32 = 1;
const KEY: u32 = 1;
const VALUE: u32 = 2;
