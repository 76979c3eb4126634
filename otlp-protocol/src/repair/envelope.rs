//! The messages around the current field of a repair.

use crate::Signal;
use crate::schema::Message;
use crate::splice::Mark;
use crate::validate::Extent;

/// The messages of a resource, a scope and an entry, which can be removed from a request.
pub(super) struct Levels([Option<&'static Message>; 3]);

/// An open message.
pub(super) struct Envelope {
    pub(super) place: Extent,
    pub(super) mark: Mark,
    /// True for a resource, a scope or an entry.
    pub(super) is_level: bool,
    /// True for a rejected entry.
    pub(super) is_rejected: bool,
    /// True once a resource, scope or entry in the message is kept, or is removed.
    keeps: bool,
    loses: bool,
    /// Number of strings repaired before the message.
    pub(super) strings_before: u64,
}

// === impl Levels ===

impl Levels {
    /// Number of messages around an entry: the resource and the scope.
    pub(super) const ENTRY: usize = 2;

    pub(super) fn of(signal: Signal) -> Self {
        Self(signal.levels())
    }

    /// True if a message with `depth` messages around it is a resource, a scope or an entry.
    pub(super) fn has(&self, depth: usize, message: &'static Message) -> bool {
        self.0.get(depth).copied().flatten().is_some_and(|level| std::ptr::eq(level, message))
    }
}

// === impl Envelope ===

impl Envelope {
    pub(super) fn new(place: Extent, mark: Mark, is_level: bool, strings_before: u64) -> Self {
        Self { place, mark, is_level, is_rejected: false, keeps: false, loses: false, strings_before }
    }

    /// Adds a resource, scope or entry that has ended.
    pub(super) fn add_child(&mut self, goes: bool) {
        self.keeps |= !goes;
        self.loses |= goes;
    }

    /// True if the message is removed: it is rejected, or all its children were removed. An envelope that was empty before
    /// stays.
    pub(super) fn goes(&self) -> bool {
        self.is_rejected || (self.loses && !self.keeps)
    }
}
