//! The messages around the field that a repair reads, and what becomes of them.

use crate::Signal;
use crate::schema::Message;
use crate::splice::Mark;
use crate::validate::Place;

/// The messages of a resource, a scope and an entry, which can be removed from a request.
pub(super) struct Levels([Option<&'static Message>; 3]);

/// A message that has begun.
pub(super) struct Envelope {
    pub(super) place: Place,
    pub(super) mark: Mark,
    /// Whether it is a resource, a scope or an entry.
    pub(super) is_level: bool,
    /// Whether it is an entry that is rejected.
    pub(super) is_rejected: bool,
    /// Whether a resource, scope or entry in it stays, and whether one goes.
    keeps: bool,
    loses: bool,
    /// Strings repaired before it.
    pub(super) strings_before: u64,
}

// === impl Levels ===

impl Levels {
    /// How many messages are around an entry: the resource and the scope.
    pub(super) const ENTRY: usize = 2;

    pub(super) fn of(signal: Signal) -> Self {
        Self(signal.levels())
    }

    /// Whether a message with `depth` messages around it is one of the levels.
    pub(super) fn has(&self, depth: usize, message: &'static Message) -> bool {
        self.0.get(depth).copied().flatten().is_some_and(|level| std::ptr::eq(level, message))
    }
}

// === impl Envelope ===

impl Envelope {
    pub(super) fn new(place: Place, mark: Mark, is_level: bool, strings_before: u64) -> Self {
        Self { place, mark, is_level, is_rejected: false, keeps: false, loses: false, strings_before }
    }

    /// Notes that a resource, scope or entry in it has ended.
    pub(super) fn add_child(&mut self, goes: bool) {
        self.keeps |= !goes;
        self.loses |= goes;
    }

    /// Whether it is removed: it is rejected, or nothing is left of it. An envelope that was empty stays.
    pub(super) fn goes(&self) -> bool {
        self.is_rejected || (self.loses && !self.keeps)
    }
}
