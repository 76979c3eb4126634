//! What the consumers of a queue, the queue that follows after a reload, and the stores have in common.

use super::pace::Pace;
use super::settings::BacklogConfig;
use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::Notify;

/// Shared by the stores of a queue.
#[derive(Debug, Default)]
pub(super) struct Common {
    /// Wakes one consumer, which wakes the next if more batches wait.
    pub(super) ready: Notify,
    /// Wakes those that wait for room.
    pub(super) freed: Notify,
    /// Wakes queues that wait until they are the oldest.
    pub(super) turned: Notify,
    /// Set while what comes in is delivered first.
    pace: Mutex<Option<Pace>>,
    is_paced: AtomicBool,
    /// Bytes of batches that were let in, and whose parts are not stored yet: of queues with several stores.
    pub(super) reserved: AtomicU64,
    /// Held while segments of several stores are dropped to make room.
    pub(super) making_room: tokio::sync::Mutex<()>,
}

// === impl Common ===

impl Common {
    /// Sets the delivery of what has waited, for this number of consumers.
    pub(super) fn set_pace(&self, config: &BacklogConfig, consumers: usize) {
        let mut pace = self.pace.lock();
        let new = config.is_live_first().then(|| Pace::new(config, consumers));
        let old = pace.take();
        *pace = match (new, old) {
            (Some(new), Some(old)) => Some(new.after(old)),
            (new, _) => new,
        };
        self.is_paced.store(pace.is_some(), Ordering::Relaxed);
    }

    /// Returns the pace of what has waited; `None`: batches are delivered in their order, without limits.
    pub(super) fn pace(&self) -> Option<MappedMutexGuard<'_, Pace>> {
        if !self.is_paced.load(Ordering::Relaxed) {
            return None;
        }
        MutexGuard::try_map(self.pace.lock(), Option::as_mut).ok()
    }

    /// Ends a delivery that the pace limited.
    pub(super) fn end_delivery(&self) {
        if let Some(mut pace) = self.pace() {
            pace.end();
        }
        self.ready.notify_one();
    }
}
