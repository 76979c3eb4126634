//! The delay that a destination asked for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The delay that a destination asked for, shared by all exports to that destination: no attempt starts before an instant.
#[derive(Debug)]
pub(crate) struct Throttle {
    base: Instant,
    /// Nanoseconds after `base`; 0 for none.
    not_before: AtomicU64,
}

// === impl Throttle ===

impl Throttle {
    pub(crate) fn new(base: Instant) -> Self {
        Self { base, not_before: AtomicU64::new(0) }
    }

    /// Starts a delay at `now`, of an hour at most.
    pub(super) fn extend(&self, now: Instant, delay: Duration) {
        let offset = (now + delay.min(MAX_DELAY)).saturating_duration_since(self.base);
        self.not_before.fetch_max(u64::try_from(offset.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Returns the end of the delay, if that is after `now`.
    pub(super) fn until(&self, now: Instant) -> Option<Instant> {
        match self.not_before.load(Ordering::Relaxed) {
            0 => None,
            offset => self.base.checked_add(Duration::from_nanos(offset)).filter(|&until| until > now),
        }
    }
}

/// Longest delay that a destination can ask for: a mistaken or hostile delay must not stop exports for good.
const MAX_DELAY: Duration = Duration::from_secs(60 * 60);
