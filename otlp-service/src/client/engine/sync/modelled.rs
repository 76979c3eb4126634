//! The model checker's threads, locks and time.
//!
//! Time stands still until someone sleeps: then some sleeps end at once, and the time is that of their end. Others never end. The
//! checker chooses.

pub(in crate::client::engine) use super::mutex::{Condvar, Mutex};
pub(crate) use super::mutex::{Mutex as Lock, MutexGuard as Locked};
pub(in crate::client::engine) use shuttle::sync::atomic;
pub(in crate::client::engine) use shuttle::{future::block_on, thread, thread_local};

use otlp_transport::{Clock, Sleep, TokioClock};
use shuttle::rand::{Rng as _, thread_rng};
use std::cell::Cell;
use std::future::{pending, ready};
use std::time::{Instant, SystemTime};

/// The model's clock.
pub(in crate::client::engine) const CLOCK: ModelClock = ModelClock;

/// Time of a model: each execution has its own.
#[derive(Clone, Copy, Debug)]
pub(in crate::client::engine) struct ModelClock;

/// Nothing is made in advance.
pub(in crate::client::engine) fn prepare() {}

// === impl ModelClock ===

#[derive(Clone, Copy)]
struct Time {
    start: Instant,
    now: Instant,
    /// Sleeps that may still end.
    sleeps: u32,
}

// All threads of a model run on one thread of the operating system.
std::thread_local! {
    static TIME: Cell<Option<Time>> = const { Cell::new(None) };
}

impl ModelClock {
    /// Begins an execution in which up to `sleeps` sleeps end.
    pub(in crate::client::engine) fn begin(self, sleeps: u32) {
        let start = TIME.get().map_or_else(|| TokioClock.now(), |time| time.start);
        TIME.set(Some(Time { start, now: start, sleeps }));
    }
}

impl Clock for ModelClock {
    fn now(&self) -> Instant {
        TIME.get().map_or_else(|| TokioClock.now(), |time| time.now)
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn sleep_until(&self, instant: Instant) -> Sleep {
        let ends = TIME.get().filter(|time| time.sleeps > 0 && thread_rng().gen_bool(0.5));
        let Some(time) = ends else {
            return Box::pin(pending());
        };
        TIME.set(Some(Time { now: time.now.max(instant), sleeps: time.sleeps - 1, ..time }));
        Box::pin(ready(()))
    }
}
