//! The fields of a message and where they are in a sound body: what cutting and editing work with.

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

/// The fields of a message that stands at `base` in the body. They end where a message is malformed, which none in a sound
/// body is.
pub(crate) struct Fields<'a> {
    cursor: Cursor<'a>,
    base: usize,
}

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

/// The pieces of a singular message, given once or several times as field `number` of a message.
pub(crate) fn pieces(body: &[u8], message: &Field, number: u32) -> Vec<Field> {
    message.fields(body).filter(|field| field.is(number)).collect()
}

/// The message of these pieces: to a decoder, it is one after the other.
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

/// Which arm of a `oneof` counts: the last one, with all that was given of it since another arm. Here alone is that rule.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LastArm {
    /// The field number of the arm that counts so far; 0 if there is none.
    pub(crate) number: u32,
    /// Where it starts to count.
    pub(crate) from: usize,
}

// === impl LastArm ===

impl LastArm {
    /// Takes note of the arm that stands at `at`. Whether the arm begins anew: what was given before it is forgotten.
    #[inline]
    pub(crate) fn see(&mut self, number: u32, at: usize) -> bool {
        let is_another = self.number != number;
        if is_another {
            *self = Self { number, from: at };
        }
        is_another
    }

    /// Whether what was given of an arm at `at` counts.
    #[inline]
    pub(crate) fn counts(self, number: u32, at: usize) -> bool {
        self.number == number && at >= self.from
    }
}
