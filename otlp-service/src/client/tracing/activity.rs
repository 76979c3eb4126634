//! Time that a span was entered for, and the rest of its time.

use super::attributes::Attributes;
use super::callsite::SPAN_ATTRIBUTE;
use super::key::put_key;
use super::open::Open;
use crate::client::SpanLimits;

/// Activity of an open span. A span is active while it is entered, on one thread or on several.
#[derive(Default)]
pub(super) struct Activity {
    /// Entries without exit.
    entered: u32,
    /// Begin of the current activity.
    since: u64,
    /// Nanoseconds of past activities.
    pub(super) busy: u64,
}

// === impl Activity ===

impl Activity {
    pub(super) fn enter(&mut self, now: u64) {
        if self.entered == 0 {
            self.since = now;
        }
        self.entered += 1;
    }

    pub(super) fn exit(&mut self, now: u64) {
        self.entered = self.entered.saturating_sub(1);
        if self.entered == 0 {
            self.busy += now.saturating_sub(self.since);
        }
    }
}

// === impl Open ===

impl Open {
    /// Adds the attributes `busy_ns` and `idle_ns`, whose sum is the duration of a span that ends at `end`.
    #[cold]
    pub(super) fn put_activity(&mut self, end: u64, limits: &SpanLimits, extras: &[u8]) {
        let duration = end.saturating_sub(self.start);
        let busy = self.activity.busy.min(duration);
        let (mut key, mut encoded) = (Vec::new(), Vec::new());
        let mut attributes = Attributes::new(&mut encoded, SPAN_ATTRIBUTE, 2, None);
        for (name, nanos) in [("busy_ns", busy), ("idle_ns", duration - busy)] {
            key.clear();
            put_key(&mut key, name);
            attributes.wide(&key, nanos);
        }
        self.merge(&encoded, limits, extras);
    }
}
