//! A store of a queue that delivers what comes in first.

use super::Store;
use crate::queue::disk::backlog::Ready;
use crate::queue::disk::pace::Pace;
use crate::queue::disk::ranges::Ranges;
use std::sync::atomic::Ordering;
use std::time::Instant;

// === impl Store ===

impl Store {
    /// Takes the next batch, and tells whether another one can be taken at once.
    pub(super) fn take_live_first(&self, pace: &mut Pace) -> (Option<Ready>, bool) {
        let now = self.clock().now();
        let mut backlog = self.backlog.lock();
        match backlog.take_live_first(now, pace) {
            Ok(taken) => {
                let is_more = backlog.due(now, pace).is_some_and(|due| due <= now);
                (taken, is_more)
            }
            Err(_) => {
                self.monitor.backlog_pauses.fetch_add(1, Ordering::Relaxed);
                (None, false)
            }
        }
    }

    /// Returns the time at which a batch can be taken that a limit keeps back; `None` if that takes another event than time.
    pub(in crate::queue::disk) fn due(&self) -> Option<Instant> {
        let pace = self.common.pace()?;
        self.backlog.lock().due(self.clock().now(), &pace)
    }

    /// Returns the records to read next.
    pub(super) fn wanted(&self) -> Option<Ranges> {
        match self.common.pace() {
            None => self.backlog.lock().wanted(self.memory_bytes / 2).map(Ranges::from),
            Some(pace) => {
                let min_bytes = READ_AHEAD_BYTES.min(self.memory_bytes / 2);
                self.backlog.lock().wanted_by(pace.order(), min_bytes, |record| self.log.segment_of(record))
            }
        }
    }
}

/// What is read later may be more urgent than what is read ahead.
const READ_AHEAD_BYTES: u64 = 1 << 20;
