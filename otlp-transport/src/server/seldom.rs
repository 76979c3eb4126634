//! Things that are worth a line in the log, but not one for each request.

use crate::Clock;
use parking_lot::Mutex;
use std::time::{Duration, Instant};

/// Counts occurrences between two lines of the log.
#[derive(Debug, Default)]
pub(super) struct Seldom(Mutex<Since>);

#[derive(Debug, Default)]
struct Since {
    told: Option<Instant>,
    count: u64,
}

impl Seldom {
    /// Adds `count` occurrences. Returns how many there were since the last line, if it is time for another.
    pub(super) fn add(&self, count: u64, clock: &dyn Clock) -> Option<u64> {
        let now = clock.now();
        let mut since = self.0.lock();
        since.count = since.count.saturating_add(count);
        if since.told.is_some_and(|told| now.saturating_duration_since(told) < INTERVAL) {
            return None;
        }
        since.told = Some(now);
        Some(std::mem::take(&mut since.count))
    }
}

const INTERVAL: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
