//! The backlog of a queue that delivers what comes in first: batches that have waited are on disk alone, and are delivered at a pace.

use super::{Backlog, Ready};
use crate::queue::disk::pace::{Limited, Order, Pace};
use crate::queue::disk::ranges::Ranges;
use std::ops::Range;
use std::time::{Duration, Instant};

// === impl Backlog ===

impl Backlog {
    /// Adds a record that was appended. It stays in memory, and older ones are left to the disk if more than `max_bytes` are in
    /// memory.
    pub(in crate::queue::disk) fn append_live(&mut self, ready: Ready, max_bytes: u64) {
        self.waiting.add(ready.amount());
        let (len, now) = (ready.entry.batch.len() as u64, ready.since);
        self.leave_older(now);
        while self.ready_bytes + len > max_bytes
            && let Some(oldest) = self.take_ready()
        {
            self.leave(oldest);
        }
        if len > max_bytes {
            return self.leave(ready);
        }
        self.ready_bytes += len;
        self.ready.push_back(ready);
    }

    /// Takes the next batch, which is being delivered from now on: one that has just come in, or one that has waited.
    ///
    /// # Errors
    /// The limit that keeps back the next batch, which has waited.
    pub(in crate::queue::disk) fn take_live_first(
        &mut self,
        now: Instant,
        pace: &mut Pace,
    ) -> Result<Option<Ready>, Limited> {
        self.leave_older(now);
        if let Some(ready) = self.take_ready() {
            return Ok(Some(self.deliver(ready, false)));
        }
        if self.read.is_empty() {
            return Ok(None);
        }
        if let Some(limited) = pace.limited(now) {
            return Err(limited);
        }
        let Some(ready) = self.take_read() else { return Ok(None) };
        pace.start(now, ready.entry.batch.len() as u64);
        Ok(Some(self.deliver(ready, true)))
    }

    /// Returns the time at which a batch can be taken: `now`, or a later time; `None` before something else happens.
    pub(in crate::queue::disk) fn due(&self, now: Instant, pace: &Pace) -> Option<Instant> {
        if !self.ready.is_empty() {
            return Some(now);
        }
        if self.read.is_empty() {
            return None;
        }
        match pace.limited(now) {
            None => Some(now),
            Some(Limited::Until(until)) => Some(until),
            Some(Limited::Deliveries) => None,
        }
    }

    /// Returns the records to read next, if less than `min_bytes` of those that have waited are in memory. `segment_of` finds the
    /// numbers of the segment with a record.
    pub(in crate::queue::disk) fn wanted_by(
        &self,
        order: Order,
        min_bytes: u64,
        segment_of: impl Fn(u64) -> Option<Range<u64>>,
    ) -> Option<Ranges> {
        if self.read_bytes >= min_bytes {
            return None;
        }
        let next = match order {
            Order::OldestFirst => self.stored.start()?,
            Order::NewestFirst => self.stored.end().checked_sub(1)?,
        };
        // Of a segment that is gone, the records are forgotten.
        let segment = segment_of(next).unwrap_or(next..next + 1);
        Some(self.stored.part(segment, MAX_RANGES))
    }

    /// Adds a batch that was read, to be delivered at the pace. Its items were fetched.
    pub(in crate::queue::disk) fn push_read(&mut self, ready: Ready) {
        self.read_bytes += ready.entry.batch.len() as u64;
        self.read.push_back(ready);
    }

    /// Leaves batches to the disk that came in some time ago.
    fn leave_older(&mut self, now: Instant) {
        let is_old = |oldest: &Ready| now.saturating_duration_since(oldest.since) > LIVE_TIME;
        while self.ready.front().is_some_and(is_old)
            && let Some(oldest) = self.take_ready()
        {
            self.leave(oldest);
        }
    }
}

/// A batch counts as one that comes in for so long.
pub(in crate::queue::disk) const LIVE_TIME: Duration = Duration::from_secs(10);
/// Of one read.
const MAX_RANGES: usize = 64;
