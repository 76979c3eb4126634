//! Attributes and their values: `opentelemetry.proto.common.v1`.

use super::declare::views;
use super::fields::{Fields, Raw, text};
use super::list::Views;
use std::fmt;

/// A value of any type, of an attribute or a log body. Scalars are read, lists and maps are views.
///
/// Lists and maps are equal if their encodings are equal.
#[derive(Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub enum AnyValue<'a> {
    /// No value.
    #[default]
    Empty,
    /// A list of values.
    Array(Array<'a>),
    /// `true` or `false`.
    Bool(bool),
    /// Any bytes.
    Bytes(&'a [u8]),
    /// A double.
    Double(f64),
    /// A 64-bit integer.
    Int(i64),
    /// A list of keys and values.
    Map(Attributes<'a>),
    /// A string.
    String(&'a str),
    /// A string by its index in the [`Dictionary`](super::Dictionary) of a profiles request.
    StringIndex(i32),
}

/// The values of an [`AnyValue::Array`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Array<'a>(Fields<'a>);

/// Iterator over the values of an [`Array`].
#[derive(Clone, Debug)]
pub struct Values<'a>(Views<'a, &'a [u8]>);

/// Keys and values: the attributes of a resource, scope or item, or an [`AnyValue::Map`].
///
/// ```
/// use otlp_protocol::encode::ResourceWriter;
/// use otlp_protocol::view::{AnyValue, Resource};
///
/// let mut message = Vec::new();
/// ResourceWriter::new(&mut message).attribute("name", "crate");
/// let resource = Resource::new(&message);
/// assert_eq!(resource.attributes().get("name"), Some(AnyValue::String("crate")));
/// let keys: Vec<&str> = resource.attributes().iter().map(|attribute| attribute.key()).collect();
/// assert_eq!(keys, ["name"]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Attributes<'a> {
    fields: Fields<'a>,
    number: u32,
}

views! {
    /// An attribute.
    repeated KeyValue {
        /// Key.
        key: string(1),
        /// Value.
        value: value(2),
        /// Index of the key in the [`Dictionary`](super::Dictionary) of a profiles request.
        key_strindex: int32(3),
    }
}

/// Depth from which on `Debug` does not show values.
const MAX_SHOWN_DEPTH: usize = 32;

// === impl AnyValue ===

impl<'a> AnyValue<'a> {
    /// Reads an encoded `AnyValue`.
    pub fn new(message: &'a [u8]) -> Self {
        Self::of(Fields::new(message))
    }

    /// Returns the string, if the value is a string.
    pub fn as_str(&self) -> Option<&'a str> {
        if let Self::String(value) = *self { Some(value) } else { None }
    }

    pub(super) fn of(fields: Fields<'a>) -> Self {
        let is_arm = |number, value| {
            matches!(
                (number, value),
                (1 | 5 | 6 | 7, Raw::Len(_)) | (2 | 3 | 8, Raw::Varint(_)) | (4, Raw::Fixed64(_))
            )
        };
        let Some(arm) = fields.one_of(is_arm) else { return Self::Empty };
        match (arm.number, arm.value) {
            (1, Raw::Len(value)) => Self::String(text(value)),
            (2, Raw::Varint(value)) => Self::Bool(value != 0),
            (3, Raw::Varint(value)) => Self::Int(value as i64),
            (4, Raw::Fixed64(value)) => Self::Double(f64::from_bits(value)),
            (5, _) => Self::Array(Array(arm.fields)),
            (6, _) => Self::Map(Attributes::in_field(arm.fields, 1)),
            (7, Raw::Len(value)) => Self::Bytes(value),
            (8, Raw::Varint(value)) => Self::StringIndex(value as i32),
            _ => Self::Empty,
        }
    }
}

impl<'a> From<&'a str> for AnyValue<'a> {
    fn from(value: &'a str) -> Self {
        Self::String(value)
    }
}

impl<'a> From<&'a String> for AnyValue<'a> {
    fn from(value: &'a String) -> Self {
        Self::String(value)
    }
}

impl<'a> From<&'a [u8]> for AnyValue<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

impl From<bool> for AnyValue<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for AnyValue<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for AnyValue<'_> {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl fmt::Debug for AnyValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown { value: *self, depth: 0 }.fmt(f)
    }
}

// === impl Array ===

impl<'a> Array<'a> {
    /// Iterates over the values in order.
    pub fn iter(&self) -> Values<'a> {
        Values(self.encoded())
    }

    /// Returns the number of values.
    pub fn count(&self) -> usize {
        self.encoded().count()
    }

    /// Iterates over the encoded values.
    pub(crate) fn encoded(&self) -> Views<'a, &'a [u8]> {
        self.0.views(1)
    }
}

impl<'a> IntoIterator for Array<'a> {
    type Item = AnyValue<'a>;
    type IntoIter = Values<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Array<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        AnyValue::Array(*self).fmt(f)
    }
}

// === impl Values ===

impl<'a> Iterator for Values<'a> {
    type Item = AnyValue<'a>;

    fn next(&mut self) -> Option<AnyValue<'a>> {
        self.0.next().map(AnyValue::new)
    }
}

impl std::iter::FusedIterator for Values<'_> {}

// === impl Attributes ===

impl<'a> Attributes<'a> {
    /// Iterates over the attributes in order.
    pub fn iter(&self) -> Views<'a, KeyValue<'a>> {
        self.fields.views(self.number)
    }

    /// Returns the value of the first attribute with a key. Values of other keys are not read.
    pub fn get(&self, key: &str) -> Option<AnyValue<'a>> {
        if let Ok(found) = self.fields.find(self.number, key.as_bytes()) {
            return found.map(|attribute| KeyValue::new(attribute).value());
        }
        self.iter().find(|attribute| attribute.has_key(key)).map(|attribute| attribute.value())
    }

    /// Returns the encoded message that the attributes are in. What a search does not find in these bytes is neither a key nor a text of
    /// the attributes.
    pub fn enclosing(&self) -> &'a [u8] {
        self.fields.bytes()
    }

    /// Returns the number of attributes.
    pub fn count(&self) -> usize {
        self.iter().count()
    }

    /// True if there are no attributes.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    pub(super) fn in_field(fields: Fields<'a>, number: u32) -> Self {
        Self { fields, number }
    }
}

impl<'a> IntoIterator for Attributes<'a> {
    type Item = KeyValue<'a>;
    type IntoIter = Views<'a, KeyValue<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Attributes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        AnyValue::Map(*self).fmt(f)
    }
}

// === impl KeyValue ===

impl KeyValue<'_> {
    /// True if the attribute has this key.
    #[inline]
    pub fn has_key(&self, key: &str) -> bool {
        self.0.len_delimited(1) == key.as_bytes()
    }
}

/// A value shown by `Debug`, with its depth: values can be nested deeper than the stack allows.
struct Shown<'a> {
    value: AnyValue<'a>,
    depth: usize,
}

// === impl Shown ===

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let depth = self.depth + 1;
        let below = |value| Shown { value, depth };
        match self.value {
            AnyValue::Array(_) | AnyValue::Map(_) if depth > MAX_SHOWN_DEPTH => f.write_str("…"),
            AnyValue::Array(array) => f.debug_list().entries(array.iter().map(below)).finish(),
            AnyValue::Bool(value) => value.fmt(f),
            AnyValue::Bytes(value) => value.fmt(f),
            AnyValue::Double(value) => value.fmt(f),
            AnyValue::Empty => f.write_str("Empty"),
            AnyValue::Int(value) => value.fmt(f),
            AnyValue::Map(attributes) => f
                .debug_map()
                .entries(attributes.iter().map(|attribute| (attribute.key(), below(attribute.value()))))
                .finish(),
            AnyValue::String(value) => value.fmt(f),
            AnyValue::StringIndex(index) => f.debug_tuple("StringIndex").field(&index).finish(),
        }
    }
}
