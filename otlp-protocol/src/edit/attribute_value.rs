//! Values of attributes, encoded once to be put into many messages.

use super::Value;
use crate::view::AnyValue;
use crate::wire::put_len_delimited;
use std::fmt;

/// A value of any type, encoded as OTLP's `AnyValue`. It is sound: it is only ever made of values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AttributeValue(Vec<u8>);

// === impl AttributeValue ===

impl AttributeValue {
    /// No value.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A string.
    pub fn string(text: &str) -> Self {
        Value::String(text).into()
    }

    /// `true` or `false`.
    pub fn bool(value: bool) -> Self {
        Value::Bool(value).into()
    }

    /// An integer.
    pub fn int(number: i64) -> Self {
        Value::Int(number).into()
    }

    /// A double.
    pub fn double(number: f64) -> Self {
        Value::Double(number).into()
    }

    /// A list of values.
    pub fn array(values: impl IntoIterator<Item = Self>) -> Self {
        let mut list = Vec::new();
        values.into_iter().for_each(|value| put_len_delimited(&mut list, ELEMENTS, &value.0));
        Self::holding(ARRAY, &list)
    }

    /// A list of keys and values.
    pub fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Self)>) -> Self {
        let (mut list, mut entry) = (Vec::new(), Vec::new());
        for (key, value) in entries {
            entry.clear();
            put_len_delimited(&mut entry, KEY, key.as_bytes());
            put_len_delimited(&mut entry, VALUE, &value.0);
            put_len_delimited(&mut list, ELEMENTS, &entry);
        }
        Self::holding(MAP, &list)
    }

    /// Takes another value.
    pub fn set<'v>(&mut self, value: impl Into<Value<'v>>) {
        self.0.clear();
        value.into().encode(&mut self.0);
    }

    /// The value, to be read.
    pub fn view(&self) -> AnyValue<'_> {
        AnyValue::new(&self.0)
    }

    /// The encoding.
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
        let mut out = Vec::with_capacity(value.encoded_len());
        value.encode(&mut out);
        Self(out)
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
