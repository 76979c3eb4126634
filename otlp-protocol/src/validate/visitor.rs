//! Callbacks of the validation.

use crate::DecodeErrorKind;
use crate::schema::Message;
use std::ops::Range;

/// Callbacks of the validation: for each message that is read field by field, and for invalid strings and ids.
pub(crate) trait Visitor {
    /// Called when a message begins.
    fn enter(&mut self, message: &'static Message, place: &Extent);

    /// Called when the innermost message has ended.
    fn leave(&mut self);

    /// Called for a string that is not UTF-8.
    ///
    /// # Errors
    /// If the visitor does not accept the string.
    fn invalid_utf8(&mut self, place: &Extent, text: &[u8]) -> Result<(), DecodeErrorKind>;

    /// Called for an id of the wrong length, with the error to return.
    ///
    /// # Errors
    /// If the visitor does not accept the id.
    fn invalid_id(&mut self, place: &Extent, kind: DecodeErrorKind) -> Result<(), DecodeErrorKind>;
}

/// Position of a length-delimited field in the body.
#[derive(Clone, Debug)]
pub(crate) struct Extent {
    /// Start of the tag.
    pub(crate) start: usize,
    /// Range of the encoded length.
    pub(crate) prefix: Range<usize>,
    /// End of the value.
    pub(crate) end: usize,
}

// === impl Extent ===

impl Extent {
    /// Returns the range of tag, length and value.
    pub(crate) fn whole(&self) -> Range<usize> {
        self.start..self.end
    }

    pub(crate) fn value(&self) -> Range<usize> {
        self.prefix.end..self.end
    }
}
