//! One attribute of a list that is being edited: where it stands, and how it is written anew.

use super::dictionary::Dictionary;
use super::{EditError, Value};
use crate::field::fields;
use crate::splice::{Slice, Splices};
use crate::wire::{Cursor, WireType, put_len_delimited, put_tag, put_varint, varint_len};
use std::ops::Range;

/// An attribute: in the body, or in the text that is put there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attribute {
    /// The field as it stands in the body; empty if it is new.
    pub(super) whole: Slice,
    /// The message as it is now.
    pub(super) field: Place,
    /// The field that takes the place of the old one; empty if that stands.
    pub(super) written: Slice,
    pub(super) key: Place,
    pub(super) value: Place,
    pub(super) has_value: bool,
    /// It has more than key and value.
    pub(super) has_others: bool,
    /// Its key was looked up in the dictionary.
    pub(super) is_looked_up: bool,
    /// It has not been deleted.
    pub(super) is_live: bool,
}

/// A slice of the body or of the text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    slice: Slice,
    pub(super) is_text: bool,
}

/// Half of an attribute to be written.
pub(super) enum Part<'a> {
    /// Nothing: the sender left it out.
    None,
    /// What is there.
    Old(Place),
    New(&'a [u8]),
    Value(&'a Value<'a>),
}

// === impl Attribute ===

impl Attribute {
    /// Reads an attribute of the common form, key and value with lengths of one byte, that stands at `at` in the body.
    #[inline]
    pub(super) fn read_plain(message: &[u8], at: usize, whole: Slice) -> Option<Self> {
        let &[KEY_TAG, key_len, ref rest @ ..] = message else { return None };
        let (&[VALUE_TAG, value_len], value) = rest.get(usize::from(key_len)..)?.split_first_chunk()? else {
            return None;
        };
        if key_len >= 0x80 || value_len >= 0x80 || usize::from(value_len) != value.len() {
            return None;
        }
        let key = at + 2;
        let end = at + message.len();
        Some(Self {
            whole,
            field: Place::body(at..end),
            key: Place::body(key..key + usize::from(key_len)),
            value: Place::body(end - value.len()..end),
            has_value: true,
            is_live: true,
            ..Self::default()
        })
    }

    /// Reads an attribute of any form: the last key counts, a value in pieces is one, and what refers to the dictionary
    /// is looked up.
    #[cold]
    pub(super) fn read(
        body: &[u8],
        at: Range<usize>,
        whole: Slice,
        splices: &mut Splices,
        dictionary: &Dictionary,
    ) -> Result<Self, EditError> {
        let mut attribute = Self { whole, field: Place::body(at.clone()), is_live: true, ..Self::default() };
        let mut key_index = 0;
        let mut values: Vec<Range<usize>> = Vec::new();
        for field in fields(body.get(at.clone()).unwrap_or_default(), at.start) {
            let field = field?;
            match field.number {
                KEY if field.is_len => attribute.key = Place::body(field.value),
                VALUE if field.is_len => values.push(field.value),
                number => {
                    attribute.has_others = true;
                    if number == KEY_INDEX {
                        key_index = varint_at(body, field.after_tag)?;
                    }
                }
            }
        }
        attribute.has_value = !values.is_empty();
        attribute.value = match values.as_slice() {
            [] => Place::default(),
            [only] => Place::body(only.clone()),
            // Pieces of a message are one message, one after the other.
            pieces => Place::append(splices.text(), |text| {
                let pieces = pieces.iter().map(|piece| body.get(piece.clone()).unwrap_or_default());
                pieces.for_each(|piece| text.extend_from_slice(piece));
            }),
        };
        if !dictionary.is_empty() {
            attribute.look_up(body, key_index, splices, dictionary)?;
        }
        splices.check()?;
        Ok(attribute)
    }

    /// Its fields that are neither key nor value, if the message is this.
    pub(super) fn others(&self, message: &[u8]) -> Vec<u8> {
        if !self.has_others {
            return Vec::new();
        }
        let is_other = |number| match number {
            KEY | VALUE => false,
            // It is spelled out from now on.
            KEY_INDEX => !self.is_looked_up,
            _ => true,
        };
        let others = fields(message, 0).flatten().filter(|field| is_other(field.number));
        others.flat_map(|field| message.get(field.whole).unwrap_or_default().iter().copied()).collect()
    }

    /// Reads what refers to the dictionary as if it were spelled out.
    fn look_up(
        &mut self,
        body: &[u8],
        key_index: u64,
        splices: &mut Splices,
        dictionary: &Dictionary,
    ) -> Result<(), EditError> {
        if self.key.slice.len() == 0
            && let Some(key) = dictionary.string(key_index)
        {
            self.key = Place { slice: key, is_text: false };
            self.is_looked_up = true;
        }
        let mut index = None;
        let value = self.value.of(body, splices.put_so_far());
        for field in fields(value, 0) {
            let field = field?;
            index = match field.number {
                STRING_INDEX => Some(varint_at(value, field.after_tag)?),
                number if number < STRING_INDEX => None,
                _ => index,
            };
        }
        if let Some(string) = index.and_then(|index| dictionary.string(index)) {
            let string = string.of(body);
            self.value = Place::append(splices.text(), |text| put_len_delimited(text, STRING, string));
        }
        Ok(())
    }
}

// === impl Place ===

impl Place {
    #[inline]
    pub(super) fn of<'a>(self, body: &'a [u8], text: &'a [u8]) -> &'a [u8] {
        self.slice.of(if self.is_text { text } else { body })
    }

    #[inline]
    pub(super) fn len(self) -> usize {
        self.slice.len()
    }

    fn body(range: Range<usize>) -> Self {
        Self { slice: Slice::new(range), is_text: false }
    }

    fn append(text: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let start = text.len();
        write(text);
        Self { slice: Slice::new(start..text.len()), is_text: true }
    }
}

// === impl Part ===

impl Part<'_> {
    fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Old(place) => place.len(),
            Self::New(bytes) => bytes.len(),
            Self::Value(value) => value.encoded_len(),
        }
    }

    fn is_left_out(&self) -> bool {
        matches!(self, Self::None)
    }

    fn write(&self, text: &mut Vec<u8>, body: &[u8]) {
        match self {
            Self::None => {}
            Self::Old(Place { slice, is_text: false }) => text.extend_from_slice(slice.of(body)),
            Self::Old(Place { slice, is_text: true }) => {
                text.extend_from_within(slice.start as usize..slice.end as usize);
            }
            Self::New(bytes) => text.extend_from_slice(bytes),
            Self::Value(value) => value.encode(text),
        }
    }
}

/// Appends an attribute to the text as field `number`; `others` are fields of it that are neither key nor value.
pub(super) fn write_field(
    text: &mut Vec<u8>,
    body: &[u8],
    number: u32,
    key: Part<'_>,
    value: Part<'_>,
    others: &[u8],
) -> Attribute {
    let field_len = |part: &Part<'_>| {
        let len = part.len();
        if part.is_left_out() { 0 } else { 1 + varint_len(len as u64) + len }
    };
    let start = text.len();
    let len = field_len(&key) + field_len(&value) + others.len();
    text.reserve(len + 2 * MAX_VARINT_BYTES);
    put_tag(text, number, WireType::Len);
    put_varint(text, len as u64);
    let message = text.len();
    let mut put = |tag: u8, part: &Part<'_>| {
        if part.is_left_out() {
            return Place::default();
        }
        text.push(tag);
        put_varint(text, part.len() as u64);
        Place::append(text, |text| part.write(text, body))
    };
    let key = put(KEY_TAG, &key);
    let has_value = !value.is_left_out();
    let value = put(VALUE_TAG, &value);
    text.extend_from_slice(others);
    Attribute {
        whole: Slice::default(),
        field: Place { slice: Slice::new(message..text.len()), is_text: true },
        written: Slice::new(start..text.len()),
        key,
        value,
        has_value,
        has_others: !others.is_empty(),
        is_looked_up: false,
        is_live: true,
    }
}

fn varint_at(message: &[u8], at: usize) -> Result<u64, EditError> {
    Ok(Cursor::new(message.get(at..).unwrap_or_default()).varint()?)
}

const MAX_VARINT_BYTES: usize = 10;

// `KeyValue` and `AnyValue` in the schema.
const KEY: u32 = 1;
const VALUE: u32 = 2;
const KEY_INDEX: u32 = 3;
const STRING: u32 = 1;
const STRING_INDEX: u32 = 8;
const KEY_TAG: u8 = 0x0a;
const VALUE_TAG: u8 = 0x12;
