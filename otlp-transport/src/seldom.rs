//! Things that are worth a line in the log, but not one for each request.

use parking_lot::Mutex;
use std::time::{Duration, Instant};

/// Counts occurrences between two lines of the log.
#[derive(Debug)]
pub(crate) struct Seldom {
    interval: Duration,
    since: Mutex<Since>,
}

#[derive(Debug, Default)]
struct Since {
    told: Option<Instant>,
    count: u64,
}

impl Seldom {
    /// At most a line in each `interval`.
    pub(crate) fn every(interval: Duration) -> Self {
        Self { interval, since: Mutex::default() }
    }

    /// Adds `count` occurrences. Returns how many there were since the last line, if it is time for another.
    pub(crate) fn add(&self, count: u64, now: Instant) -> Option<u64> {
        let mut since = self.since.lock();
        since.count = since.count.saturating_add(count);
        if since.told.is_some_and(|told| now.saturating_duration_since(told) < self.interval) {
            return None;
        }
        since.told = Some(now);
        Some(std::mem::take(&mut since.count))
    }
}

#[cfg(test)]
mod tests;
