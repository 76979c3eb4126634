//! Orders to the engine's thread, and the answers.

use super::kind::Kind;
use parking_lot::{Condvar, Mutex};
use std::time::Instant;
use tokio::sync::{Notify, watch};

/// Orders and progress of an engine's thread.
#[derive(Debug)]
pub(crate) struct Control {
    orders: watch::Sender<Order>,
    /// Woken when enough items of a kind wait.
    pub(crate) enough: [Notify; Kind::ALL.len()],
    progress: Mutex<Progress>,
    changed: Condvar,
}

/// What the engine's thread shall do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Order {
    /// Number of flushes that were asked for.
    pub(crate) flushes: u64,
    /// The latest time to stop sending.
    pub(crate) stop: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// Number of flushes that each kind has done.
    flushed: [u64; Kind::ALL.len()],
    has_ended: bool,
}

/// Outcome of a wait for the engine's thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    Done,
    TimedOut,
    /// The thread has ended without the flush.
    Ended,
}

impl Control {
    pub(crate) fn new() -> Self {
        Self {
            orders: watch::Sender::new(Order::default()),
            enough: Default::default(),
            progress: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    pub(crate) fn orders(&self) -> watch::Receiver<Order> {
        self.orders.subscribe()
    }

    /// Orders a flush and returns its number.
    pub(crate) fn order_flush(&self) -> u64 {
        let mut flush = 0;
        self.orders.send_modify(|order| {
            order.flushes += 1;
            flush = order.flushes;
        });
        flush
    }

    /// Orders the thread to end, by `deadline` at the latest. The first order counts.
    pub(crate) fn order_stop(&self, deadline: Instant) {
        self.orders.send_modify(|order| order.stop = order.stop.or(Some(deadline)));
    }

    /// True once the thread was ordered to end.
    pub(crate) fn is_stopping(&self) -> bool {
        self.orders.borrow().stop.is_some()
    }

    /// Waits until all kinds have done a flush.
    pub(crate) fn wait_flushed(&self, flush: u64, deadline: Instant) -> Waited {
        self.wait(deadline, |progress| progress.flushed.iter().all(|&done| done >= flush))
    }

    /// Waits until the thread has ended.
    pub(crate) fn wait_ended(&self, deadline: Instant) -> Waited {
        self.wait(deadline, |progress| progress.has_ended)
    }

    fn wait(&self, deadline: Instant, is_done: impl Fn(&Progress) -> bool) -> Waited {
        let mut progress = self.progress.lock();
        loop {
            if is_done(&progress) {
                return Waited::Done;
            }
            if progress.has_ended {
                return Waited::Ended;
            }
            if self.changed.wait_until(&mut progress, deadline).timed_out() {
                return if is_done(&progress) { Waited::Done } else { Waited::TimedOut };
            }
        }
    }

    /// Reports that a kind has done all flushes up to a number.
    pub(crate) fn set_flushed(&self, kind: Kind, flush: u64) {
        self.progress.lock().flushed[kind.index()] = flush;
        self.changed.notify_all();
    }

    /// Reports that the thread has ended.
    pub(crate) fn set_ended(&self) {
        self.progress.lock().has_ended = true;
        self.changed.notify_all();
    }
}
