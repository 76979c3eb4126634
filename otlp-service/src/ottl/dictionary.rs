//! The dictionary of a profiles request: profiles name their attributes by index.

use super::value::Value;
use otlp_protocol::Signal;
use otlp_protocol::view::{AnyValue, KeyValueAndUnit, Profile, RequestView};
use otlp_protocol::wire::{Cursor, WireType};
use std::borrow::Cow;

/// The strings and attributes of a dictionary, found by index without a walk.
#[derive(Debug)]
pub(crate) struct Dictionary<'a> {
    bytes: Cow<'a, [u8]>,
    /// Positions of the fields in the bytes.
    strings: Vec<u32>,
    attributes: Vec<u32>,
}

/// The attributes of a profile. Attributes that the dictionary does not have are left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProfileAttributes<'a> {
    profile: Profile<'a>,
    dictionary: Option<&'a Dictionary<'a>>,
}

// === impl Dictionary ===

impl<'a> Dictionary<'a> {
    /// Finds the entries of a request's dictionary, which requests of other signals do not have. `reserve` is called with the number of bytes that are allocated next, in all.
    ///
    /// # Errors
    /// Of `reserve`.
    pub(crate) fn new<E>(
        signal: Signal,
        request: &'a [u8],
        mut reserve: impl FnMut(u64) -> Result<(), E>,
    ) -> Result<Self, E> {
        let pieces = RequestView::new(signal, request).dictionary().pieces();
        let bytes = match pieces.clone().nth(1) {
            None => Cow::Borrowed(pieces.clone().next().unwrap_or_default()),
            Some(_) => {
                reserve(pieces.clone().map(<[u8]>::len).sum::<usize>() as u64)?;
                Cow::Owned(pieces.collect::<Vec<_>>().concat())
            }
        };
        let copied = if let Cow::Owned(copy) = &bytes { copy.len() } else { 0 };
        let count = |wanted| entries(&bytes).filter(|(number, _)| *number == wanted).count();
        let (strings, attributes) = (count(STRINGS), count(ATTRIBUTES));
        reserve((copied + (strings + attributes) * size_of::<u32>()) as u64)?;
        let (mut strings, mut attributes) = (Vec::with_capacity(strings), Vec::with_capacity(attributes));
        for (number, position) in entries(&bytes) {
            if number == STRINGS { strings.push(position) } else { attributes.push(position) }
        }
        Ok(Self { bytes, strings, attributes })
    }

    fn string(&self, index: i32) -> Option<&str> {
        std::str::from_utf8(self.entry(&self.strings, index)?).ok()
    }

    fn attribute(&self, index: i32) -> Option<KeyValueAndUnit<'_>> {
        self.entry(&self.attributes, index).map(KeyValueAndUnit::new)
    }

    /// Returns the value of the field at a position.
    fn entry(&self, positions: &[u32], index: i32) -> Option<&[u8]> {
        let position = *positions.get(usize::try_from(index).ok()?)?;
        let mut field = Cursor::new(self.bytes.get(usize::try_from(position).ok()?..)?);
        field.tag().ok()?;
        field.len_delimited().ok()
    }
}

/// Iterates over the strings and attributes of a dictionary: field number and position.
fn entries(dictionary: &[u8]) -> impl Iterator<Item = (u32, u32)> {
    let mut cursor = Cursor::new(dictionary);
    std::iter::from_fn(move || {
        while !cursor.is_at_end() {
            let position = u32::try_from(cursor.position()).ok()?;
            let (number, wire_type) = cursor.tag().ok()?;
            cursor.skip_value(number, wire_type).ok()?;
            if wire_type == WireType::Len && [STRINGS, ATTRIBUTES].contains(&number) {
                return Some((number, position));
            }
        }
        None
    })
}

// === impl ProfileAttributes ===

impl<'a> ProfileAttributes<'a> {
    pub(super) fn new(profile: Profile<'a>, dictionary: Option<&'a Dictionary<'a>>) -> Self {
        Self { profile, dictionary }
    }

    /// Iterates over the keys and values, in order.
    pub(super) fn iter(self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        let dictionary = self.dictionary;
        self.profile.attribute_indices().filter_map(move |index| {
            let dictionary = dictionary?;
            let attribute = dictionary.attribute(index)?;
            Some((dictionary.string(attribute.key_strindex())?, value(dictionary, attribute)))
        })
    }

    /// Returns the value of the last attribute with a key, as the Collector does.
    pub(super) fn get(self, key: &str) -> Option<Value<'a>> {
        let dictionary = self.dictionary?;
        let attributes = self.profile.attribute_indices().filter_map(|index| dictionary.attribute(index));
        let found =
            attributes.filter(|attribute| dictionary.string(attribute.key_strindex()) == Some(key)).last()?;
        Some(value(dictionary, found))
    }
}

fn value<'a>(dictionary: &'a Dictionary<'a>, attribute: KeyValueAndUnit<'a>) -> Value<'a> {
    match attribute.value() {
        AnyValue::StringIndex(index) => dictionary.string(index).map_or(Value::Nil, Value::text),
        value => Value::from_any(value),
    }
}

// Field numbers of `ProfilesDictionary`.
const STRINGS: u32 = 5;
const ATTRIBUTES: u32 = 6;
