//! A limit on log lines: events that are worth a line, but not a line for each request.

use parking_lot::Mutex;
use std::time::{Duration, Instant};

/// Counts events between two log lines.
#[derive(Debug)]
pub(crate) struct LogLimiter {
    interval: Duration,
    since: Mutex<Since>,
}

#[derive(Debug, Default)]
struct Since {
    last_line: Option<Instant>,
    count: u64,
}

impl LogLimiter {
    /// Allows at most one line in each `interval`.
    pub(crate) fn every(interval: Duration) -> Self {
        Self { interval, since: Mutex::default() }
    }

    /// Adds `count` events. Returns the number of events since the last line, if the next line is due.
    pub(crate) fn add(&self, count: u64, now: Instant) -> Option<u64> {
        let mut since = self.since.lock();
        since.count = since.count.saturating_add(count);
        if since.last_line.is_some_and(|last| now.saturating_duration_since(last) < self.interval) {
            return None;
        }
        since.last_line = Some(now);
        Some(std::mem::take(&mut since.count))
    }
}

#[cfg(test)]
mod tests;
