//! Locks and conditions that need nothing outside of themselves.
//!
//! parking_lot keeps the waiting threads of all its locks in one table. A process that forks while another thread changes that table
//! leaves its child with a table in which threads wait for ever.

#[cfg(all(test, shuttle))]
use shuttle::sync as threads;
#[cfg(not(all(test, shuttle)))]
use std::sync as threads;

use std::fmt;
use std::sync::PoisonError;
use std::time::Duration;

pub(crate) use threads::MutexGuard;

/// A lock. The panic of a thread that has the lock does not matter: no code of the user runs under a lock.
#[derive(Default)]
#[cfg_attr(
    not(shuttle),
    expect(clippy::disallowed_types, reason = "parking_lot's locks do not work in every child process")
)]
pub(crate) struct Mutex<T>(threads::Mutex<T>);

/// A condition that threads wait for.
#[derive(Debug, Default)]
pub(in crate::client::engine) struct Condvar(threads::Condvar);

// === impl Mutex ===

impl<T> Mutex<T> {
    #[cfg(all(test, shuttle))]
    pub(crate) fn new(value: T) -> Self {
        Self(threads::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(all(test, shuttle))]
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok()
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mutex")
    }
}

// === impl Condvar ===

impl Condvar {
    pub(in crate::client::engine) fn notify_all(&self) {
        self.0.notify_all();
    }

    /// Waits for a notice. Returns true if the time limit has passed; in the model of the engine the limit does not pass, so that what
    /// waits for ever is found.
    pub(in crate::client::engine) fn wait_for<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        limit: Duration,
    ) -> (MutexGuard<'a, T>, bool) {
        let (guard, waited) = self.0.wait_timeout(guard, limit).unwrap_or_else(PoisonError::into_inner);
        (guard, waited.timed_out())
    }
}
