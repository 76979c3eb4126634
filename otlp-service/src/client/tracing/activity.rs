//! Time that a span was entered for, and the rest of its time.

use super::open::Open;
use super::recorder::Recorder;
use crate::client::key::AttributeKey as _;

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
    /// Adds the attributes `busy_ns` and `idle_ns` to a span that ends at its exit, or else now. Their sum is its duration.
    #[cold]
    pub(super) fn put_activity(&mut self, recorder: &Recorder) {
        let (Some(callsite), Some(start)) = (self.callsite, self.span.as_ref().map(|span| span.start)) else {
            return;
        };
        if self.exit == 0 {
            self.exit = recorder.sink.now();
        }
        let duration = self.exit.saturating_sub(start);
        let busy = self.activity.busy.min(duration);
        let fingerprints = BUSY.fingerprint() | IDLE.fingerprint();
        if let Some(mut attributes) = self.writer(fingerprints, recorder.extras(callsite, &mut None)) {
            attributes.other(0, BUSY, busy);
            attributes.other(0, IDLE, duration - busy);
        }
    }
}

// Keys.
const BUSY: &str = "busy_ns";
const IDLE: &str = "idle_ns";
