//! A message that statements read and change.

use std::borrow::Cow;

/// A message as it came, or as it is after changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlay<'s> {
    bytes: Cow<'s, [u8]>,
}

// === impl Overlay ===

impl<'s> Overlay<'s> {
    pub(crate) fn new(message: &'s [u8]) -> Self {
        Self { bytes: Cow::Borrowed(message) }
    }

    pub(crate) fn joined(message: Cow<'s, [u8]>) -> Self {
        Self { bytes: message }
    }

    /// Returns the encoded message with all changes so far.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
