//! The fields of a message, with their positions in a valid body.

use crate::wire::{Cursor, WireError, WireType};
use std::borrow::Cow;
use std::ops::Range;

/// Position of a field in the body.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) number: u32,
    /// True if the field is length-delimited.
    pub(crate) is_len: bool,
    pub(crate) whole: Range<usize>,
    /// End of the tag: start of the length or of the value.
    pub(crate) after_tag: usize,
    pub(crate) value: Range<usize>,
}

// === impl Field ===

impl Field {
    /// True if the field is length-delimited and has this number.
    #[inline]
    pub(crate) fn is(&self, number: u32) -> bool {
        self.is_len && self.number == number
    }

    /// Returns the value. `body` is the body that the field is in.
    #[inline]
    pub(crate) fn bytes<'a>(&self, body: &'a [u8]) -> &'a [u8] {
        body.get(self.value.clone()).unwrap_or_default()
    }

    /// Iterates over the fields of the field's message.
    #[inline]
    pub(crate) fn fields<'a>(&self, body: &'a [u8]) -> Fields<'a> {
        fields(self.bytes(body), self.value.start)
    }

    /// Returns the range of the encoded length.
    #[inline]
    pub(crate) fn prefix(&self) -> Range<usize> {
        self.after_tag..self.value.start
    }
}

/// Iterator over the fields of a message, which starts at `base` in the body. Ends at malformed bytes, which a valid body
/// does not have.
pub(crate) struct Fields<'a> {
    cursor: Cursor<'a>,
    base: usize,
}

/// Iterates over the fields of a message, which starts at `base` in the body.
#[inline]
pub(crate) fn fields(message: &[u8], base: usize) -> Fields<'_> {
    Fields { cursor: Cursor::new(message), base }
}

// === impl Fields ===

impl Iterator for Fields<'_> {
    type Item = Field;

    #[inline]
    fn next(&mut self) -> Option<Field> {
        if self.cursor.is_at_end() {
            return None;
        }
        let field = self.read().ok();
        if field.is_none() {
            self.cursor = Cursor::new(&[]);
        }
        field
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

/// Returns the pieces of a singular message: the occurrences of field `number` in a message.
pub(crate) fn pieces(body: &[u8], message: &Field, number: u32) -> Vec<Field> {
    message.fields(body).filter(|field| field.is(number)).collect()
}

/// Concatenates the pieces of a message, as a decoder merges them.
pub(crate) fn joined<'a>(body: &'a [u8], pieces: &[Field]) -> Cow<'a, [u8]> {
    match pieces {
        [] => Cow::Borrowed(&[]),
        [only] => Cow::Borrowed(only.bytes(body)),
        pieces => Cow::Owned({
            crate::wire::count_work(pieces.len());
            pieces.iter().flat_map(|piece| piece.bytes(body)).copied().collect()
        }),
    }
}

/// Tracks the arm of a `oneof` that counts: the last arm, with its occurrences since the last other arm.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LastArm {
    /// Field number of the arm that counts so far; 0 before the first arm.
    pub(crate) number: u32,
    /// Position of the first occurrence that counts.
    pub(crate) from: usize,
}

// === impl LastArm ===

impl LastArm {
    /// Adds the arm at `at`. True if it replaces another arm: earlier occurrences do not count.
    #[inline]
    pub(crate) fn see(&mut self, number: u32, at: usize) -> bool {
        let is_another = self.number != number;
        if is_another {
            *self = Self { number, from: at };
        }
        is_another
    }

    /// True if the occurrence of an arm at `at` counts.
    #[inline]
    pub(crate) fn counts(self, number: u32, at: usize) -> bool {
        self.number == number && at >= self.from
    }
}
