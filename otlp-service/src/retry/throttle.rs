//! The delay a destination asked for, obeyed by everything that sends to it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// No attempt starts before a shared instant.
#[derive(Debug)]
pub(crate) struct Throttle {
    base: Instant,
    /// Nanoseconds after `base`; 0 for none.
    not_before: AtomicU64,
}

impl Throttle {
    pub(crate) fn new(base: Instant) -> Self {
        Self { base, not_before: AtomicU64::new(0) }
    }

    /// Asks for `delay` from `now` on, of which an hour at most is granted.
    pub(super) fn extend(&self, now: Instant, delay: Duration) {
        let offset = (now + delay.min(MAX_DELAY)).saturating_duration_since(self.base);
        self.not_before.fetch_max(u64::try_from(offset.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Until when nothing may start, if that lies after `now`.
    pub(super) fn until(&self, now: Instant) -> Option<Instant> {
        match self.not_before.load(Ordering::Relaxed) {
            0 => None,
            offset => self.base.checked_add(Duration::from_nanos(offset)).filter(|&until| until > now),
        }
    }
}

/// A mistaken or hostile delay must not silence a destination for good.
const MAX_DELAY: Duration = Duration::from_secs(60 * 60);
