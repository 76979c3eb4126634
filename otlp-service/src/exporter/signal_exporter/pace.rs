//! Schedule of log lines, without a clock or a log.

use std::time::{Duration, Instant};

/// A series of failed attempts.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    since: Option<Instant>,
    attempts: u64,
    /// Attempts since the last line.
    untold: u64,
    /// True once a line about the series was written.
    is_told: bool,
    next_line: Option<Instant>,
}

/// Contents of a line about failed attempts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FailureLine {
    /// Attempts that failed since the last line.
    pub(crate) attempts: u64,
    /// Time since the first failed attempt; `None` in the first line.
    pub(crate) lasts: Option<Duration>,
}

/// Items lost for one reason.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// Items and batches since the last line.
    items: u64,
    batches: u64,
    next_line: Option<Instant>,
}

// === impl Outage ===

impl Outage {
    /// Counts a failed attempt.
    pub(crate) fn failed(&mut self, now: Instant) -> Option<FailureLine> {
        let since = *self.since.get_or_insert(now);
        self.attempts += 1;
        self.untold += 1;
        if !is_due(&mut self.next_line, now) {
            return None;
        }
        let lasts = std::mem::replace(&mut self.is_told, true).then(|| now - since);
        Some(FailureLine { attempts: std::mem::take(&mut self.untold), lasts })
    }

    /// Ends the series after a successful attempt. Returns its duration and number of attempts, if a line about it was written. The
    /// interval between lines goes on, so that a destination that fails every other time does not get more lines.
    pub(crate) fn ended(&mut self, now: Instant) -> Option<(Duration, u64)> {
        let Self { since, attempts, is_told, next_line, .. } = std::mem::take(self);
        self.next_line = next_line;
        since.filter(|_| is_told).map(|since| (now - since, attempts))
    }
}

// === impl Losses ===

impl Losses {
    /// Counts items of a batch. Returns the items and batches since the last line, if a line is due.
    pub(crate) fn count(&mut self, now: Instant, items: u64) -> Option<(u64, u64)> {
        self.count_batches(now, items, 1)
    }

    /// Counts items of several batches, as [`count`](Self::count) does.
    pub(crate) fn count_batches(&mut self, now: Instant, items: u64, batches: u64) -> Option<(u64, u64)> {
        self.items = self.items.saturating_add(items);
        self.batches = self.batches.saturating_add(batches);
        let told = is_due(&mut self.next_line, now).then_some((self.items, self.batches))?;
        (self.items, self.batches) = (0, 0);
        Some(told)
    }
}

fn is_due(next_line: &mut Option<Instant>, now: Instant) -> bool {
    let is_due = next_line.is_none_or(|next| now >= next);
    if is_due {
        *next_line = now.checked_add(INTERVAL);
    }
    is_due
}

/// Time between two lines of one kind.
const INTERVAL: Duration = Duration::from_secs(60);
