//! What a walk through a body tells, and asks about, on its way.

use crate::DecodeErrorKind;
use crate::schema::Message;
use std::ops::Range;

/// Accompanies a walk through a body: is told of each message that is read field by field, and asked about strings and
/// ids that are not sound.
pub(crate) trait Companion {
    /// A message begins.
    fn enter(&mut self, message: &'static Message, place: &Place);

    /// The innermost message has ended.
    fn leave(&mut self);

    /// A string is not UTF-8.
    ///
    /// # Errors
    /// If that is a fault of the body.
    fn invalid_utf8(&mut self, place: &Place, text: &[u8]) -> Result<(), DecodeErrorKind>;

    /// An id has the wrong length; `kind` says so.
    ///
    /// # Errors
    /// If that is a fault of the body.
    fn invalid_id(&mut self, place: &Place, kind: DecodeErrorKind) -> Result<(), DecodeErrorKind>;
}

/// Where a field that has a length is in the body.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Where its tag starts.
    pub(crate) start: usize,
    /// Its length.
    pub(crate) prefix: Range<usize>,
    /// Where its value ends.
    pub(crate) end: usize,
}

// === impl Place ===

impl Place {
    /// Tag, length and value.
    pub(crate) fn whole(&self) -> Range<usize> {
        self.start..self.end
    }

    pub(crate) fn value(&self) -> Range<usize> {
        self.prefix.end..self.end
    }
}
