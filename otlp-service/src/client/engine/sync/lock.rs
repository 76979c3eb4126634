//! A lock that is held for the copy of an entry and rarely contended.
//!
//! parking_lot releases a lock by an exchange that waits until all writes under the lock have reached the cache; this lock by a plain
//! write. In return the releasing thread does not wake a waiting thread: a waiting thread asks again, at last after naps, which also
//! let threads of lower priority run.

use std::hint::spin_loop;
use std::thread::{sleep, yield_now};
use std::time::Duration;
pub(crate) use try_lock::Locked;
use try_lock::TryLock;

/// A lock that is held for the copy of an entry and rarely contended.
#[derive(Debug, Default)]
pub(crate) struct Lock<T>(TryLock<T>);

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(TryLock::new(value))
    }

    /// Locks, unless another thread has the lock.
    #[inline(always)]
    pub(crate) fn try_lock(&self) -> Option<Locked<'_, T>> {
        self.0.try_lock()
    }

    /// Locks; waits while another thread has the lock.
    #[inline(always)]
    pub(crate) fn lock(&self) -> Locked<'_, T> {
        match self.try_lock() {
            Some(locked) => locked,
            None => self.wait(),
        }
    }

    #[cold]
    #[inline(never)]
    fn wait(&self) -> Locked<'_, T> {
        for _ in 0..SPINS {
            spin_loop();
            if let Some(locked) = self.try_lock() {
                return locked;
            }
        }
        for _ in 0..YIELDS {
            yield_now();
            if let Some(locked) = self.try_lock() {
                return locked;
            }
        }
        loop {
            sleep(NAP);
            if let Some(locked) = self.try_lock() {
                return locked;
            }
        }
    }
}

/// Tries before the thread gives up its turn.
const SPINS: u32 = 32;
/// Turns that the thread gives up before it sleeps.
const YIELDS: u32 = 16;
/// Sleep between tries.
const NAP: Duration = Duration::from_micros(50);

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn threads_wait_for_each_other() {
        let lock = Arc::new(Lock::new(0));
        let held = lock.lock();
        assert!(lock.try_lock().is_none());
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let lock = lock.clone();
                std::thread::spawn(move || (0..10_000).for_each(|_| *lock.lock() += 1))
            })
            .collect();
        // Long enough that the threads sleep.
        sleep(Duration::from_millis(20));
        assert_eq!(*held, 0);
        drop(held);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*lock.lock(), 40_000);
    }
}
