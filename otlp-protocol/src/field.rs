//! The fields of a message and where they are in a body: what cutting and editing work with.

use crate::wire::{Cursor, WireError, WireType};
use std::borrow::Cow;
use std::ops::Range;

/// A field: where it is in the body, and where its value is.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) number: u32,
    /// Whether it is length-delimited.
    pub(crate) is_len: bool,
    pub(crate) whole: Range<usize>,
    /// Where its value starts, with the length if it has one.
    pub(crate) after_tag: usize,
    pub(crate) value: Range<usize>,
}

// === impl Field ===

impl Field {
    /// Whether it is the message of that number.
    #[inline]
    pub(crate) fn is(&self, number: u32) -> bool {
        self.is_len && self.number == number
    }

    /// Its value, in the body that it is in.
    #[inline]
    pub(crate) fn bytes<'a>(&self, body: &'a [u8]) -> &'a [u8] {
        body.get(self.value.clone()).unwrap_or_default()
    }

    /// The fields of the message that it is.
    #[inline]
    pub(crate) fn fields<'a>(&self, body: &'a [u8]) -> Fields<'a> {
        fields(self.bytes(body), self.value.start)
    }

    /// Where the length of a message stands.
    #[inline]
    pub(crate) fn prefix(&self) -> Range<usize> {
        self.after_tag..self.value.start
    }
}

/// The fields of a message that stands at `base` in the body; ends after an error.
pub(crate) struct Fields<'a> {
    cursor: Cursor<'a>,
    base: usize,
    failed: bool,
}

#[inline]
pub(crate) fn fields(message: &[u8], base: usize) -> Fields<'_> {
    Fields { cursor: Cursor::new(message), base, failed: false }
}

// === impl Fields ===

impl Iterator for Fields<'_> {
    type Item = Result<Field, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.cursor.is_at_end() {
            return None;
        }
        let field = self.read();
        self.failed = field.is_err();
        Some(field)
    }
}

impl Fields<'_> {
    #[inline]
    fn read(&mut self) -> Result<Field, WireError> {
        let start = self.base + self.cursor.position();
        let (number, wire_type) = self.cursor.tag()?;
        let after_tag = self.base + self.cursor.position();
        let is_len = wire_type == WireType::Len;
        let len = if is_len {
            self.cursor.len_delimited()?.len()
        } else {
            self.cursor.skip_value(number, wire_type)?;
            0
        };
        let end = self.base + self.cursor.position();
        Ok(Field { number, is_len, whole: start..end, after_tag, value: end - len..end })
    }
}

/// The pieces of a singular message, given once or several times as field `number` of a message.
pub(crate) fn pieces(body: &[u8], message: &Field, number: u32) -> Result<Vec<Field>, WireError> {
    let mut pieces = Vec::new();
    for field in message.fields(body) {
        let field = field?;
        if field.is(number) {
            pieces.push(field);
        }
    }
    Ok(pieces)
}

/// The message of these pieces: to a decoder, it is one after the other.
pub(crate) fn joined<'a>(body: &'a [u8], pieces: &[Field]) -> Cow<'a, [u8]> {
    match pieces {
        [] => Cow::Borrowed(&[]),
        [only] => Cow::Borrowed(only.bytes(body)),
        pieces => Cow::Owned({
            crate::work::count(pieces.len());
            pieces.iter().flat_map(|piece| piece.bytes(body)).copied().collect()
        }),
    }
}
