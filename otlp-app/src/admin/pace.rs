//! The limits of a tap: items in a second, and items in all. Time is passed in.

use std::time::{Duration, Instant};

/// Items that may still be shown.
pub(super) struct Pace {
    rate: u64,
    /// End of the current second.
    ends: Option<Instant>,
    left_in_second: u64,
    /// `None` without a limit.
    left: Option<u64>,
}

// === impl Pace ===

impl Pace {
    /// `rate` items in a second, `count` in all.
    pub(super) fn new(rate: u64, count: Option<u64>) -> Self {
        Self { rate, ends: None, left_in_second: 0, left: count }
    }

    /// Returns the number of items that may be shown now.
    pub(super) fn room(&mut self, now: Instant) -> u64 {
        if self.ends.is_none_or(|ends| now >= ends) {
            self.ends = now.checked_add(SECOND);
            self.left_in_second = self.rate;
        }
        self.left.unwrap_or(u64::MAX).min(self.left_in_second)
    }

    /// Counts items that were shown.
    pub(super) fn take(&mut self, items: u64) {
        self.left_in_second = self.left_in_second.saturating_sub(items);
        self.left = self.left.map(|left| left.saturating_sub(items));
    }

    /// True if all items were shown.
    pub(super) fn is_over(&self) -> bool {
        self.left == Some(0)
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
