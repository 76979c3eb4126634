//! Something that happens once, and that tasks wait for.
//!
//! The tasks wake in the order in which they began to wait. Those that wait for tokio's `watch` wake in random order, which would
//! make two runs of a simulation differ.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// Something that happens once. Cloning shares the event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Event(Arc<State>);

/// Lets an event happen when the guard is dropped.
#[derive(Debug)]
pub(crate) struct HappensOnDrop(Event);

#[derive(Debug, Default)]
struct State {
    has_happened: AtomicBool,
    happens: Notify,
}

// === impl Event ===

impl Event {
    /// Lets the event happen; again: changes nothing.
    pub(crate) fn happen(&self) {
        self.0.has_happened.store(true, Ordering::Release);
        self.0.happens.notify_waiters();
    }

    /// Returns a guard that lets the event happen when the guard is dropped.
    pub(crate) fn on_drop(&self) -> HappensOnDrop {
        HappensOnDrop(self.clone())
    }

    /// Waits until the event has happened. Cancel-safe.
    pub(crate) async fn wait(&self) {
        // Made before the look: an event in between is not missed.
        let happens = self.0.happens.notified();
        if !self.0.has_happened.load(Ordering::Acquire) {
            happens.await;
        }
    }
}

impl Drop for HappensOnDrop {
    fn drop(&mut self) {
        self.0.happen();
    }
}

#[cfg(test)]
mod tests;
