//! The outcome of stored batches.

use super::Store;
use crate::queue::Receipt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The receipt of a batch. Dropped unsettled, the batch is delivered again, by the queue that has the store then or after the next
/// start.
#[derive(Debug)]
pub(super) struct Settling {
    /// `None` once settled.
    pub(super) store: Option<Arc<Store>>,
    pub(super) sequence: u64,
    pub(super) pipeline: Arc<str>,
    pub(super) items: u64,
    pub(super) record_len: u64,
}

impl Receipt for Settling {
    fn settled(mut self: Box<Self>) {
        let Some(store) = self.store.take() else { return };
        store.log.settle(0, self.sequence, &self.pipeline, self.items, self.record_len);
        let is_paced = store.backlog.lock().settle(self.sequence);
        if is_paced {
            store.common.end_delivery();
        }
        if store.log.may_release() {
            store.wants_care.store(true, Ordering::Relaxed);
            store.appended.notify_one();
        }
    }
}

impl Drop for Settling {
    fn drop(&mut self) {
        if let Some(store) = self.store.take()
            && !store.is_closed()
        {
            let is_paced = store.backlog.lock().put_back(self.sequence, |pipeline| (store.hops)(pipeline));
            if is_paced {
                store.common.end_delivery();
            }
            store.wanted.notify_one();
        }
    }
}
