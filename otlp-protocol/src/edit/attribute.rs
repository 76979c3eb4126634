//! One attribute of a list that is being edited: its position in the body, and its new encoding.

use super::EditError;
use super::dictionary::Dictionary;
use crate::Value;
use crate::attribute::{KEY as KEY_TAG, VALUE as VALUE_TAG, plain, short};
use crate::field::fields;
use crate::splice::{Slice, Splices};
use crate::wire::{Cursor, MAX_TAG_AND_LENGTH, WireType, put_len_delimited, put_tag, put_varint, varint_len};
use std::ops::Range;

/// An attribute: in the body, or in the text that is inserted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attribute {
    /// The field in the body; empty for a new attribute.
    pub(super) whole: Slice,
    /// The field in the text that replaces the field in the body; empty if the attribute is unchanged.
    pub(super) written: Slice,
    key: AnySlice,
    /// `None` if the sender left it out.
    value: Option<AnySlice>,
    others: Others,
    /// False once the attribute was deleted.
    pub(super) is_live: bool,
}

/// Fields of an attribute besides key and value that stay when the attribute is rewritten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Others {
    #[default]
    None,
    All,
    /// All except the key's index in the dictionary: the key was looked up, and is written as a string.
    AllButKeyIndex,
}

/// A slice of the body or of the text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AnySlice {
    slice: Slice,
    pub(super) is_text: bool,
}

/// New key or value of an attribute that is rewritten.
#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    /// Absent, as in the request.
    Absent,
    /// The old key or value.
    Kept(AnySlice),
    /// A key, or an encoded value.
    Encoded(&'a [u8]),
    /// A value that is not a list or a map.
    Value(Value<'a>),
}

// === impl Attribute ===

impl Attribute {
    /// Reads an attribute of the common form, key and value with lengths of one byte. The field is at `at` in `bytes`, which
    /// are at `base` in the body. Returns the attribute and the end of the field.
    #[inline]
    pub(super) fn read_plain(bytes: &[u8], at: usize, base: usize, tag: u8) -> Option<(Self, usize)> {
        let Range { start, end } = short(bytes, at, bytes.len(), tag)?;
        let (key, value) = plain(bytes, start, end)?;
        let within = |range: Range<usize>| Slice::new(base + range.start..base + range.end);
        Some((Self::read_at(within(at..end), within(key), within(value)), end))
    }

    /// Makes an attribute with a key, a value and no other fields.
    #[inline]
    fn read_at(whole: Slice, key: Slice, value: Slice) -> Self {
        let value = Some(AnySlice::in_body(value));
        Self { whole, key: AnySlice::in_body(key), value, is_live: true, ..Self::default() }
    }

    /// Reads an attribute as [`read_plain`](Self::read_plain) does, with lengths of any size.
    pub(super) fn read_long(bytes: &[u8], at: usize, base: usize, tag: u8) -> Option<(Self, usize)> {
        if *bytes.get(at)? != tag {
            return None;
        }
        let mut cursor = Cursor::new(bytes.get(at + 1..)?);
        let message = cursor.len_delimited().ok()?;
        let end = at + 1 + cursor.position();
        let start = end - message.len();
        let (key, key_end) = range_of(message, 0, KEY_TAG)?;
        let (value, value_end) = range_of(message, key_end, VALUE_TAG)?;
        if value_end != message.len() {
            return None;
        }
        let whole = Slice::new(base + at..base + end);
        let key = Slice::new(base + start + key..base + start + key_end);
        let value = Slice::new(base + start + value..base + end);
        Some((Self::read_at(whole, key, value), end))
    }

    /// Reads an attribute of any form: the last key counts, the pieces of a value are joined, and references to the
    /// dictionary are looked up.
    #[cold]
    pub(super) fn read(
        body: &[u8],
        at: Range<usize>,
        whole: Slice,
        splices: &mut Splices,
        dictionary: &Dictionary,
    ) -> Result<Self, EditError> {
        let mut attribute = Self { whole, is_live: true, ..Self::default() };
        let mut key_index = 0;
        for field in fields(body.get(at.clone()).unwrap_or_default(), at.start) {
            match field.number {
                KEY if field.is_len => attribute.key = AnySlice::in_body(Slice::new(field.value)),
                VALUE if field.is_len => attribute.add_value(body, Slice::new(field.value), splices.text()),
                number => {
                    attribute.others = Others::All;
                    if number == KEY_INDEX {
                        key_index = varint_at(body, field.after_tag);
                    }
                }
            }
        }
        if !dictionary.is_empty() {
            attribute.look_up(body, key_index, splices, dictionary);
        }
        splices.check()?;
        Ok(attribute)
    }

    /// Adds a value, or a further piece of the value: the pieces of a message, concatenated, are the message.
    fn add_value(&mut self, body: &[u8], value: Slice, text: &mut Vec<u8>) {
        let Some(before) = self.value else {
            self.value = Some(AnySlice::in_body(value));
            return;
        };
        let mut start = before.slice.start as usize;
        if !before.is_text {
            start = text.len();
            text.extend_from_slice(before.slice.of(body));
        }
        text.extend_from_slice(value.of(body));
        self.value = Some(AnySlice { slice: Slice::new(start..text.len()), is_text: true });
    }

    #[inline]
    pub(super) fn key(&self) -> AnySlice {
        self.key
    }

    /// Position of the value; empty if the sender left the value out.
    #[inline]
    pub(super) fn value(&self) -> AnySlice {
        self.value.unwrap_or_default()
    }

    #[inline]
    pub(super) fn has_value(&self) -> bool {
        self.value.is_some()
    }

    /// Copies the fields that are neither key nor value.
    pub(super) fn others(&self, body: &[u8], text: &[u8]) -> Vec<u8> {
        if self.others == Others::None {
            return Vec::new();
        }
        let field = if self.written.len() > 0 { self.written.of(text) } else { self.whole.of(body) };
        let mut cursor = Cursor::new(field);
        let message = cursor.tag().and_then(|_| cursor.len_delimited()).unwrap_or_default();
        let is_other = |number| match number {
            KEY | VALUE => false,
            KEY_INDEX => self.others == Others::All,
            _ => true,
        };
        let others = fields(message, 0).filter(|field| is_other(field.number));
        others.flat_map(|field| message.get(field.whole).unwrap_or_default().iter().copied()).collect()
    }

    /// Replaces references to the dictionary by the strings.
    fn look_up(&mut self, body: &[u8], key_index: u64, splices: &mut Splices, dictionary: &Dictionary) {
        if self.key.len() == 0
            && let Some(key) = dictionary.string(key_index)
        {
            (self.key, self.others) = (AnySlice::in_body(key), Others::AllButKeyIndex);
        }
        let mut index = None;
        let value = self.value().of(body, splices.put_so_far());
        for field in fields(value, 0) {
            index = match field.number {
                STRING_INDEX => Some(varint_at(value, field.after_tag)),
                number if number < STRING_INDEX => None,
                _ => index,
            };
        }
        if let Some(string) = index.and_then(|index| dictionary.string(index)) {
            let text = splices.text();
            let start = text.len();
            put_len_delimited(text, STRING, string.of(body));
            self.value = Some(AnySlice { slice: Slice::new(start..text.len()), is_text: true });
        }
    }
}

// === impl AnySlice ===

impl AnySlice {
    #[inline]
    fn in_body(slice: Slice) -> Self {
        Self { slice, is_text: false }
    }

    #[inline]
    pub(super) fn of<'a>(self, body: &'a [u8], text: &'a [u8]) -> &'a [u8] {
        self.slice.of(if self.is_text { text } else { body })
    }

    #[inline]
    pub(super) fn len(self) -> usize {
        self.slice.len()
    }
}

// === impl Content ===

impl<'a> From<Value<'a>> for Content<'a> {
    fn from(value: Value<'a>) -> Self {
        match value {
            Value::Encoded(encoded) => Self::Encoded(encoded.as_bytes()),
            value => Self::Value(value),
        }
    }
}

impl Content<'_> {
    #[inline]
    fn len(&self) -> usize {
        match self {
            Self::Absent => 0,
            Self::Kept(slice) => slice.len(),
            Self::Encoded(bytes) => bytes.len(),
            Self::Value(value) => value.encoded_len().unwrap_or_default(),
        }
    }

    #[inline]
    fn write(&self, text: &mut Vec<u8>, body: &[u8]) {
        match self {
            Self::Absent => {}
            Self::Kept(AnySlice { slice, is_text: false }) => text.extend_from_slice(slice.of(body)),
            Self::Kept(AnySlice { slice, is_text: true }) => {
                text.extend_from_within(slice.start as usize..slice.end as usize);
            }
            Self::Encoded(bytes) => text.extend_from_slice(bytes),
            Self::Value(value) => value.encode(text),
        }
    }
}

/// Returns the start and the end of a field's bytes, if the field at `at` has this tag.
#[inline]
fn range_of(message: &[u8], at: usize, tag: u8) -> Option<(usize, usize)> {
    let (&found, rest) = message.get(at..)?.split_first()?;
    let mut cursor = Cursor::new(rest);
    let len = cursor.len_delimited().ok()?.len();
    let end = at + 1 + cursor.position();
    (found == tag).then_some((end - len, end))
}

/// Appends an attribute to the text as field `number`. `others` are its fields that are neither key nor value.
#[inline]
pub(super) fn write_field(
    text: &mut Vec<u8>,
    body: &[u8],
    number: u32,
    key: Content<'_>,
    value: Content<'_>,
    others: &[u8],
) -> Attribute {
    let has_value = !matches!(value, Content::Absent);
    let (key_len, value_len) = (key.len(), value.len());
    let value_field_len = if has_value { 1 + varint_len(value_len as u64) + value_len } else { 0 };
    let len = 1 + varint_len(key_len as u64) + key_len + value_field_len + others.len();
    let start = text.len();
    text.reserve(len + MAX_TAG_AND_LENGTH);
    put_tag(text, number, WireType::Len);
    put_varint(text, len as u64);
    text.push(KEY_TAG);
    put_varint(text, key_len as u64);
    let key_start = text.len();
    key.write(text, body);
    let key_end = text.len();
    if has_value {
        text.push(VALUE_TAG);
        put_varint(text, value_len as u64);
        value.write(text, body);
    }
    let value_end = text.len();
    text.extend_from_slice(others);
    Attribute {
        whole: Slice::default(),
        written: Slice::new(start..text.len()),
        key: AnySlice { slice: Slice::new(key_start..key_end), is_text: true },
        value: has_value
            .then(|| AnySlice { slice: Slice::new(value_end - value_len..value_end), is_text: true }),
        others: if others.is_empty() { Others::None } else { Others::All },
        is_live: true,
    }
}

/// Reads the varint at `at` in a valid message.
fn varint_at(message: &[u8], at: usize) -> u64 {
    Cursor::new(message.get(at..).unwrap_or_default()).varint().unwrap_or_default()
}

// `KeyValue` and `AnyValue` in the schema.
const KEY: u32 = 1;
const VALUE: u32 = 2;
const KEY_INDEX: u32 = 3;
const STRING: u32 = 1;
const STRING_INDEX: u32 = 8;
