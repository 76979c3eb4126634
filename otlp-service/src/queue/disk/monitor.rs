//! What an open store tells of itself: metrics, log lines and health.
//!
//! Each kind of warning is written once a minute at most, with the counts since the last line: a full disk must not be filled by
//! lines about it.

mod ages;
mod check;
mod metrics;

pub(crate) use check::StorageCheck;

use super::segments::{AppendError, Log, Recovery};
use crate::exporter::Losses;
use crate::ledger::DropReason;
use crate::telemetry::{Histogram, Registration};
use ages::Ages;
use otlp_transport::Clock;
use parking_lot::Mutex;
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Watches a store. The counters only grow.
pub(super) struct Monitor {
    clock: Arc<dyn Clock>,
    directory: PathBuf,
    appended_groups: AtomicU64,
    failed_appends: AtomicU64,
    /// Times that a limit kept a consumer from a batch that has waited.
    pub(super) backlog_pauses: AtomicU64,
    /// Items dropped of a full queue, for their age, and for damage.
    pub(super) dropped: [AtomicU64; 3],
    /// Registered with the other metrics.
    sync_duration: Mutex<Option<Histogram>>,
    ages: Mutex<Ages>,
    /// `None` while batches can be stored.
    trouble: Mutex<Option<Trouble>>,
    told: Mutex<Told>,
    /// Kept by the store, so that queues that share the store show it once; with the class that they show.
    metrics: Mutex<Option<Registered>>,
}

/// The class in the labels, and the metrics.
type Registered = (Option<Arc<str>>, Vec<Registration>);

/// The reason for which batches cannot be stored.
#[derive(Clone, Debug)]
struct Trouble {
    cause: String,
    /// The room that is left was the reason, and can be asked for without an append.
    is_room: bool,
}

/// Pace of the log lines, and the counters of the log as they were told.
#[derive(Default)]
struct Told {
    failed: Losses,
    overflowed: Losses,
    expired: Losses,
    damaged: Losses,
    unread: Losses,
    unwritten: Losses,
    damaged_records: u64,
    damaged_bytes: u64,
}

// === impl Monitor ===

impl Monitor {
    pub(super) fn new(clock: Arc<dyn Clock>, directory: PathBuf) -> Self {
        Self {
            clock,
            directory,
            appended_groups: AtomicU64::new(0),
            failed_appends: AtomicU64::new(0),
            backlog_pauses: AtomicU64::new(0),
            dropped: Default::default(),
            sync_duration: Mutex::default(),
            ages: Mutex::default(),
            trouble: Mutex::default(),
            told: Mutex::default(),
            metrics: Mutex::default(),
        }
    }

    /// Records what was found when the log was opened.
    pub(super) fn opened(&self, log: &Log, recovery: &Recovery) {
        let directory = self.directory.display();
        self.ages.lock().start(log.first_times());
        if recovery.is_cursor_damaged {
            tracing::warn!(
                %directory,
                "the cursor of the sending queue was damaged: batches may be delivered twice"
            );
        }
        let (mut batches, mut items, mut bytes) = (0, 0, 0);
        for left in recovery.left.first().into_iter().flatten() {
            batches += left.records;
            items += left.items;
            bytes += left.bytes;
        }
        let torn_bytes = log.counters.torn_bytes.load(Ordering::Relaxed);
        if batches > 0 || torn_bytes > 0 {
            tracing::info!(
                %directory,
                items,
                batches,
                bytes,
                torn_bytes,
                "batches of an earlier run are in the sending queue, and will be delivered"
            );
        }
    }

    /// Records a group that the device has. `first` is the number of its first record, `now` its time in milliseconds since 1970.
    pub(super) fn appended(&self, first: u64, now: u64, took: Duration) {
        self.appended_groups.fetch_add(1, Ordering::Relaxed);
        self.took(took);
        self.ages.lock().add(first, now);
        *self.trouble.lock() = None;
    }

    /// Records a group that could not be stored.
    pub(super) fn failed(&self, error: &AppendError, batches: u64, items: u64, took: Duration) {
        self.failed_appends.fetch_add(batches, Ordering::Relaxed);
        let is_room = matches!(error, AppendError::NoRoom { .. });
        if !is_room {
            self.took(took);
        }
        let cause = error.to_string();
        *self.trouble.lock() = Some(Trouble { cause: cause.clone(), is_room });
        let line = self.told.lock().failed.count_batches(self.clock.now(), items, batches);
        let Some((items, batches)) = line else { return };
        let directory = self.directory.display();
        tracing::warn!(%directory, cause, items, batches, "the sending queue cannot store requests: senders are told to retry");
    }

    /// Records the room on the file system: free bytes, and those that the log leaves free.
    pub(super) fn looked(&self, room: Option<(u64, u64)>) {
        let Some((free, reserve)) = room else { return };
        let mut trouble = self.trouble.lock();
        if free < reserve {
            let cause = AppendError::NoRoom { free, reserve }.to_string();
            *trouble = Some(Trouble { cause, is_room: true });
        } else if trouble.as_ref().is_some_and(|trouble| trouble.is_room) {
            *trouble = None;
        }
    }

    /// Records segments that were dropped to make room.
    pub(super) fn overflowed(&self, segments: u64, items: u64) {
        let line = self.told.lock().overflowed.count_batches(self.clock.now(), items, segments);
        let Some((items, segments)) = line.filter(|_| segments > 0) else { return };
        let directory = self.directory.display();
        tracing::warn!(%directory, items, segments, "the oldest segments of a full sending queue were dropped");
    }

    /// Records segments that were dropped for their age.
    pub(super) fn expired(&self, segments: u64, items: u64) {
        if items == 0 {
            return;
        }
        let line = self.told.lock().expired.count_batches(self.clock.now(), items, segments);
        let Some((items, segments)) = line else { return };
        let directory = self.directory.display();
        tracing::warn!(%directory, items, segments, "segments of the sending queue were older than max_age, and were dropped");
    }

    /// Tells of damage that the log has counted since the last line.
    pub(super) fn look_for_damage(&self, log: &Log) {
        let (all_records, all_bytes) = (
            log.counters.damaged_records.load(Ordering::Relaxed),
            log.counters.damaged_bytes.load(Ordering::Relaxed),
        );
        let mut told = self.told.lock();
        let (records, bytes) = (all_records - told.damaged_records, all_bytes - told.damaged_bytes);
        if (records, bytes) == (0, 0) || told.damaged.count(self.clock.now(), records).is_none() {
            return;
        }
        (told.damaged_records, told.damaged_bytes) = (all_records, all_bytes);
        drop(told);
        let directory = self.directory.display();
        tracing::warn!(%directory, records, bytes, "damaged records in the files of the sending queue were skipped");
    }

    /// Records a read that failed.
    pub(super) fn unread(&self, error: &dyn Display) {
        if self.told.lock().unread.count(self.clock.now(), 1).is_some() {
            let directory = self.directory.display();
            tracing::warn!(%directory, %error, "a file of the sending queue cannot be read");
        }
    }

    /// Records a cursor that could not be written.
    pub(super) fn unwritten(&self, error: &dyn Display) {
        if self.told.lock().unwritten.count(self.clock.now(), 1).is_some() {
            let directory = self.directory.display();
            tracing::warn!(
                %directory,
                %error,
                "the cursor of the sending queue cannot be written: after a crash, batches may be delivered twice"
            );
        }
    }

    /// Counts items that were dropped.
    pub(super) fn dropped(&self, reason: DropReason, items: u64) {
        let of_reason = DROPS.iter().position(|(known, _)| *known == reason);
        if let Some(dropped) = of_reason.and_then(|index| self.dropped.get(index)) {
            dropped.fetch_add(items, Ordering::Relaxed);
        }
    }

    fn took(&self, took: Duration) {
        if let Some(histogram) = &*self.sync_duration.lock() {
            histogram.record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
    }
}

/// Reasons for which a queue's files lose items, with the values of the label `reason`.
const DROPS: [(DropReason, &str); 3] = [
    (DropReason::QueueFull, "queue_full"),
    (DropReason::Expired, "expired"),
    (DropReason::Damaged, "damaged"),
];
