//! Values of attributes, made from settings.

use otlp_protocol::view::AnyValue;
use otlp_protocol::wire::{WireType, put_len_delimited, put_tag, put_varint};
use std::fmt;

/// A value of any type, encoded as OTLP's `AnyValue`.
#[derive(Clone, PartialEq, Eq)]
pub struct AttributeValue(Box<[u8]>);

// === impl AttributeValue ===

impl AttributeValue {
    /// No value.
    pub fn empty() -> Self {
        Self(Box::default())
    }

    /// A string.
    pub fn string(text: &str) -> Self {
        Self::len_delimited(1, text.as_bytes())
    }

    /// `true` or `false`.
    pub fn bool(value: bool) -> Self {
        Self::varint(2, u64::from(value))
    }

    /// An integer.
    pub fn int(number: i64) -> Self {
        Self::varint(3, number as u64)
    }

    /// A double.
    pub fn double(number: f64) -> Self {
        let mut out = Vec::with_capacity(9);
        put_tag(&mut out, 4, WireType::Fixed64);
        out.extend_from_slice(&number.to_le_bytes());
        Self(out.into())
    }

    /// A list of values.
    pub fn array(values: impl IntoIterator<Item = Self>) -> Self {
        let mut list = Vec::new();
        values.into_iter().for_each(|value| put_len_delimited(&mut list, 1, &value.0));
        Self::len_delimited(5, &list)
    }

    /// A list of keys and values.
    pub fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Self)>) -> Self {
        let (mut list, mut entry) = (Vec::new(), Vec::new());
        for (key, value) in entries {
            entry.clear();
            put_len_delimited(&mut entry, 1, key.as_bytes());
            put_len_delimited(&mut entry, 2, &value.0);
            put_len_delimited(&mut list, 1, &entry);
        }
        Self::len_delimited(6, &list)
    }

    /// The value, to be read.
    pub fn view(&self) -> AnyValue<'_> {
        AnyValue::new(&self.0)
    }

    /// The encoding.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn len_delimited(number: u32, value: &[u8]) -> Self {
        let mut out = Vec::with_capacity(value.len() + 4);
        put_len_delimited(&mut out, number, value);
        Self(out.into())
    }

    /// Also zero: the arm that is set says the type.
    fn varint(number: u32, value: u64) -> Self {
        let mut out = Vec::new();
        put_tag(&mut out, number, WireType::Varint);
        put_varint(&mut out, value);
        Self(out.into())
    }
}

impl fmt::Debug for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}
