//! The model checker's threads, locks and time.
//!
//! Time stands still until someone sleeps: then some sleeps end at once, and the time is that of their end. Others never end. The
//! checker chooses.

pub(in crate::client::engine) use shuttle::sync::atomic;
pub(in crate::client::engine) use shuttle::{future::block_on, thread, thread_local};

use otlp_transport::{Clock, Sleep, TokioClock};
use shuttle::rand::{Rng as _, thread_rng};
use std::cell::Cell;
use std::fmt;
use std::future::{pending, ready};
use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;
use std::time::{Instant, SystemTime};

/// The model's clock.
pub(in crate::client::engine) const CLOCK: ModelClock = ModelClock;

/// Time of a model: each execution has its own.
#[derive(Clone, Copy, Debug)]
pub(in crate::client::engine) struct ModelClock;

/// Nothing is made in advance.
pub(in crate::client::engine) fn prepare() {}

pub(crate) use Mutex as Lock;
pub(crate) use MutexGuard as Locked;

/// A lock with the interface of parking_lot.
#[derive(Default)]
pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

/// The right to use what a lock protects; empty while a thread waits for a condition.
pub(crate) struct MutexGuard<'a, T>(Option<shuttle::sync::MutexGuard<'a, T>>);

/// A condition with the interface of parking_lot.
#[derive(Debug)]
pub(in crate::client::engine) struct Condvar(shuttle::sync::Condvar);

/// Outcome of a wait for a condition. In the model, time limits of threads do not pass: what waits forever is found.
pub(in crate::client::engine) struct Waited;

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

// === impl Mutex ===

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok().map(|guard| MutexGuard(Some(guard)))
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mutex")
    }
}

// === impl MutexGuard ===

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().unwrap()
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().unwrap()
    }
}

// === impl Condvar ===

impl Condvar {
    pub(in crate::client::engine) fn new() -> Self {
        Self(shuttle::sync::Condvar::new())
    }

    pub(in crate::client::engine) fn notify_all(&self) {
        self.0.notify_all();
    }

    pub(in crate::client::engine) fn wait_until<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        _: Instant,
    ) -> Waited {
        if let Some(held) = guard.0.take() {
            guard.0 = Some(self.0.wait(held).unwrap_or_else(PoisonError::into_inner));
        }
        Waited
    }
}

impl Waited {
    pub(in crate::client::engine) fn timed_out(&self) -> bool {
        false
    }
}
