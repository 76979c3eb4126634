//! Orders to the engine's thread, and the answers.

use super::kind::Kind;
use super::sync::{CLOCK, Condvar, Mutex};
use otlp_transport::Clock;
use std::time::Instant;
use tokio::sync::{Notify, oneshot, watch};

/// Orders and progress of an engine's thread.
#[derive(Debug)]
pub(crate) struct Control {
    orders: watch::Sender<Order>,
    /// Woken when enough items of a kind wait.
    pub(crate) enough: [Notify; Kind::ALL.len()],
    progress: Mutex<Progress>,
    changed: Condvar,
    /// Woken when a task waits for a flush, and when a flush is done.
    pub(crate) waiting: Notify,
}

/// Orders to the engine's thread.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Order {
    /// Number of flushes that were asked for.
    pub(crate) flushes: u64,
    /// The latest time to stop sending.
    pub(crate) stop: Option<Instant>,
}

#[derive(Debug, Default)]
struct Progress {
    /// Number of flushes that each kind has done.
    flushed: [u64; Kind::ALL.len()],
    has_ended: bool,
    /// Tasks that wait for a flush.
    tasks: Vec<Task>,
}

/// A task that waits for a flush.
#[derive(Debug)]
struct Task {
    flush: u64,
    deadline: Instant,
    answer: oneshot::Sender<Waited>,
}

/// Tasks that wait for flushes at the same time.
const MAX_TASKS: usize = 1024;

/// Outcome of a wait for the engine's thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    Done,
    TimedOut,
    /// The thread has ended without the flush.
    Ended,
    /// Too many tasks wait.
    Refused,
}

impl Control {
    pub(crate) fn new() -> Self {
        Self {
            orders: watch::Sender::new(Order::default()),
            enough: Default::default(),
            progress: Mutex::default(),
            changed: Condvar::default(),
            waiting: Notify::new(),
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
        self.wait(deadline, |progress| progress.has_flushed(flush))
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
            let left = deadline.saturating_duration_since(CLOCK.now());
            let timed_out;
            (progress, timed_out) = self.changed.wait_for(progress, left);
            if timed_out {
                return if is_done(&progress) { Waited::Done } else { Waited::TimedOut };
            }
        }
    }

    /// Waits until all kinds have done a flush, in a task of any runtime. The engine's thread keeps the deadline.
    pub(crate) async fn flushed(&self, flush: u64, deadline: Instant) -> Waited {
        let (answer, answered) = oneshot::channel();
        {
            let mut progress = self.progress.lock();
            if progress.has_flushed(flush) {
                return Waited::Done;
            }
            if progress.has_ended {
                return Waited::Ended;
            }
            progress.tasks.retain(|task| !task.answer.is_closed());
            if progress.tasks.len() >= MAX_TASKS {
                return Waited::Refused;
            }
            progress.tasks.push(Task { flush, deadline, answer });
        }
        self.waiting.notify_one();
        answered.await.unwrap_or(Waited::Ended)
    }

    /// Answers the tasks whose flush is done or whose deadline has passed. Returns the next deadline.
    pub(crate) fn answer_tasks(&self, now: Instant) -> Option<Instant> {
        let mut progress = self.progress.lock();
        let flushed = progress.flushed;
        let is_done = |task: &Task| flushed.iter().all(|&done| done >= task.flush);
        for task in progress.tasks.extract_if(.., |task| is_done(task) || task.deadline <= now) {
            let answer = if is_done(&task) { Waited::Done } else { Waited::TimedOut };
            // A task that was dropped does not wait.
            let _ = task.answer.send(answer);
        }
        progress.tasks.iter().map(|task| task.deadline).min()
    }

    /// Reports that a kind has done all flushes up to a number.
    pub(crate) fn set_flushed(&self, kind: Kind, flush: u64) {
        self.progress.lock().flushed[kind.index()] = flush;
        self.changed.notify_all();
        self.waiting.notify_one();
    }

    /// Reports that the thread has ended.
    pub(crate) fn set_ended(&self) {
        let tasks = {
            let mut progress = self.progress.lock();
            progress.has_ended = true;
            std::mem::take(&mut progress.tasks)
        };
        self.changed.notify_all();
        // Without an answer, the tasks see that the thread has ended.
        drop(tasks);
    }
}

// === impl Progress ===

impl Progress {
    fn has_flushed(&self, flush: u64) -> bool {
        self.flushed.iter().all(|&done| done >= flush)
    }
}
