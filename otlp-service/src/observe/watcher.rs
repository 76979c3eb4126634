//! A subscription at work: takes copies in at the edges, and shows them to the observer in a task of its own.

use super::copies::Copies;
use super::edge::EdgeState;
use super::{Inner, Lost, Observed, ObserverStats, Subscription, TelemetryObserver};
use crate::processor::text_of;
use otlp_protocol::view::Resource;
use otlp_protocol::{AttributeEdits, Batch, Decision, edit};
use otlp_transport::offload;
use parking_lot::Mutex;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use tokio::sync::Notify;

/// A subscription, shared by the edges, the task and the handle.
pub(super) struct Watcher {
    subscription: Subscription,
    copies: Mutex<Copies>,
    /// True from a copy that found no room among those that wait until the next one is taken: further copies are lost without
    /// a lock. Written with `copies` locked.
    is_full: AtomicBool,
    /// Batches and items of all copies that were lost so far.
    lost_batches: AtomicU64,
    lost_items: AtomicU64,
    /// Copies that were lost when the observer was called last. Locked by the task alone.
    told: Mutex<Lost>,
    /// Notified when a copy came in, and at the end.
    changed: Notify,
    stats: ObserverStats,
}

/// Ends a subscription when its task ends, also if the runtime drops the task.
struct Ending {
    watcher: Arc<Watcher>,
    subject: Weak<Inner>,
}

// === impl Watcher ===

impl Watcher {
    pub(super) fn new(subscription: Subscription, stats: ObserverStats) -> Self {
        let copies = Copies::new(subscription.max_queued_batches, subscription.max_queued_bytes);
        Self {
            subscription,
            copies: Mutex::new(copies),
            is_full: AtomicBool::new(false),
            lost_batches: AtomicU64::new(0),
            lost_items: AtomicU64::new(0),
            told: Mutex::default(),
            changed: Notify::new(),
            stats,
        }
    }

    /// True if the subscription listens at an edge.
    pub(super) fn is_for(&self, edge: &EdgeState) -> bool {
        self.subscription.edges.has(edge)
            && edge.signal.is_none_or(|signal| {
                self.subscription.signals.is_empty() || self.subscription.signals.contains(&signal)
            })
    }

    /// Takes a copy of a batch in, or counts the copy as lost.
    pub(super) fn offer(&self, edge: &Arc<str>, batch: &mut Batch) {
        let signals = &self.subscription.signals;
        if !signals.is_empty() && !signals.contains(&batch.signal()) {
            return;
        }
        let items = batch.items();
        if self.is_full.load(Ordering::Relaxed) {
            return self.lose(Lost { batches: 1, items });
        }
        let mut copies = self.copies.lock();
        if copies.is_closed {
            return;
        }
        let was_empty = copies.is_empty();
        let is_taken = copies.offer(edge, batch);
        // With no copy that waits, a smaller one may find room at any time.
        self.is_full.store(!is_taken && !was_empty, Ordering::Relaxed);
        drop(copies);
        if !is_taken {
            self.lose(Lost { batches: 1, items });
        } else if was_empty {
            self.changed.notify_one();
        }
    }

    /// Drops all copies that wait, since their memory is needed. Returns true if there were any.
    pub(super) fn shed(&self) -> bool {
        let lost = {
            let mut copies = self.copies.lock();
            self.is_full.store(false, Ordering::Relaxed);
            copies.shed()
        };
        self.lose(lost);
        lost.batches > 0
    }

    /// Takes no further copies in. Copies that wait are still shown.
    pub(super) fn end(&self) {
        let mut copies = self.copies.lock();
        copies.is_closed = true;
        self.is_full.store(false, Ordering::Relaxed);
        drop(copies);
        self.changed.notify_one();
    }

    /// Takes no further copies in, and drops those that wait.
    pub(super) fn stop(&self) {
        self.copies.lock().shed();
        self.end();
    }

    pub(super) fn lost(&self) -> Lost {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Lost { batches: read(&self.lost_batches), items: read(&self.lost_items) }
    }

    fn lose(&self, lost: Lost) {
        self.lost_batches.fetch_add(lost.batches, Ordering::Relaxed);
        self.lost_items.fetch_add(lost.items, Ordering::Relaxed);
        self.stats.lose(lost);
    }

    /// Returns the copies that were lost since the last call of the observer, which is about to be called.
    fn newly_lost(&self) -> Lost {
        let (now, mut told) = (self.lost(), self.told.lock());
        let before = std::mem::replace(&mut *told, now);
        Lost { batches: now.batches - before.batches, items: now.items - before.items }
    }

    /// Takes the oldest copy.
    fn take(&self) -> Option<(Arc<str>, Batch)> {
        let mut copies = self.copies.lock();
        self.is_full.store(false, Ordering::Relaxed);
        copies.take()
    }

    /// Waits until a copy is there. False at the end.
    async fn has_copies(&self) -> bool {
        loop {
            {
                let copies = self.copies.lock();
                if !copies.is_empty() || copies.is_closed {
                    return !copies.is_empty();
                }
            }
            self.changed.notified().await;
        }
    }

    /// Shows all copies that wait to the observer. False if the observer panicked.
    fn show(&self, observer: &dyn TelemetryObserver) -> bool {
        loop {
            let Some((edge, batch)) = self.take() else { return true };
            let Some(batch) = self.matching(batch) else { continue };
            let observed = Observed { edge, batch, lost: self.newly_lost() };
            if catch_unwind(AssertUnwindSafe(|| observed.show(observer))).is_err() {
                let edge = &*observed.edge;
                tracing::error!(edge, "an observer panicked; its subscription has ended");
                return false;
            }
        }
    }

    /// Removes the resources that the filter does not ask for. `None` if nothing is left.
    fn matching(&self, batch: Batch) -> Option<Batch> {
        let wanted = &self.subscription.resource;
        if wanted.is_empty() {
            return Some(batch);
        }
        let mut editor = edit::resources(|resource: &[u8], _: &mut AttributeEdits<'_>| {
            let attributes = Resource::new(resource).attributes();
            let has = |(key, value): &(String, String)| {
                attributes.get(key).is_some_and(|found| text_of(found) == *value)
            };
            if wanted.iter().all(has) { Decision::Keep } else { Decision::Drop }
        });
        match edit(batch.body(), &mut editor, batch.len()) {
            Ok(edited) if edited.body.count().entries == 0 => None,
            Ok(edited) => {
                let (body, mut batch) = (edited.body, batch);
                let charge = batch.take_charge();
                Some(batch.with_body(body, charge))
            }
            Err(_) => {
                self.lose(Lost { batches: 1, items: batch.items() });
                None
            }
        }
    }
}

/// Shows copies to the observer, until the subscription ends.
pub(super) async fn run(watcher: Arc<Watcher>, observer: Arc<dyn TelemetryObserver>, subject: Weak<Inner>) {
    let ending = Ending { watcher, subject };
    while ending.watcher.has_copies().await {
        let (watcher, observer) = (ending.watcher.clone(), observer.clone());
        let shown = offload::run(true, move || watcher.show(&*observer)).await;
        if !shown.unwrap_or(false) {
            break;
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        match self.subject.upgrade() {
            Some(subject) => subject.remove(&self.watcher),
            None => self.watcher.stop(),
        }
    }
}
