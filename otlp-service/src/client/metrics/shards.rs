//! Cells of which each thread has its own: threads that add to the same counter do not write to the same cache line.
//!
//! There are fewer shards than there may be threads. A thread takes the shard that the fewest living threads use, when it first
//! measures something, and uses the shard of this number of every counter from then on. Cells stay correct if threads share them.

use super::lock_wait;
use parking_lot::{Mutex, MutexGuard};
use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A value in cache lines of its own: two lines of 64 bytes, because processors fetch lines in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Padded<T>(pub(super) T);

/// One value for each shard.
#[derive(Debug)]
pub(super) struct Shards<T>(Box<[Padded<T>]>);

/// Gives the thread's shard back when the thread ends.
struct Lease(Cell<Option<usize>>);

/// Lowest and highest number of shards. Between them it is the number of threads that run at once, as a power of two.
const MIN_SHARDS: usize = 4;
const MAX_SHARDS: usize = 16;

const NO_SHARD: usize = usize::MAX;

/// Number of living threads that use each shard.
static USERS: [AtomicU32; MAX_SHARDS] = [const { AtomicU32::new(0) }; MAX_SHARDS];

thread_local! {
    static SHARD: Cell<usize> = const { Cell::new(NO_SHARD) };
    static LEASE: Lease = const { Lease(Cell::new(None)) };
}

// === impl Shards ===

impl<T> Shards<T> {
    pub(super) fn new(mut make: impl FnMut() -> T) -> Self {
        Self((0..shard_count()).map(|_| Padded(make())).collect())
    }

    /// Returns the value of the thread's shard.
    #[inline]
    pub(super) fn own(&self) -> &T {
        &self.0[own_shard() & (self.0.len() - 1)].0
    }

    /// Iterates over the values of all shards.
    pub(super) fn all(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|Padded(value)| value)
    }
}

impl<T> Shards<Mutex<T>> {
    /// Locks a shard: the thread's own unless another thread holds its lock.
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        match self.own().try_lock() {
            Some(own) => own,
            None => self.lock_another(),
        }
    }

    /// Locks one shard after the other. A shard that a thread of another process holds is left out.
    pub(super) fn lock_each(&self) -> impl Iterator<Item = MutexGuard<'_, T>> {
        self.all().filter_map(|shard| shard.try_lock_for(lock_wait()))
    }

    #[cold]
    fn lock_another(&self) -> MutexGuard<'_, T> {
        self.all().find_map(Mutex::try_lock).unwrap_or_else(|| self.own().lock())
    }
}

// === impl Lease ===

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(users) = self.0.get().and_then(|shard| USERS.get(shard)) {
            users.fetch_sub(1, Relaxed);
        }
    }
}

#[inline]
fn own_shard() -> usize {
    match SHARD.get() {
        NO_SHARD => take_shard(),
        shard => shard,
    }
}

#[cold]
fn take_shard() -> usize {
    let least = USERS.iter().take(shard_count()).enumerate().min_by_key(|(_, users)| users.load(Relaxed));
    let (shard, users) = least.unwrap_or((0, &USERS[0]));
    SHARD.set(shard);
    // A thread that is ending keeps the shard without a lease.
    if LEASE.try_with(|lease| lease.0.set(Some(shard))).is_ok() {
        users.fetch_add(1, Relaxed);
    }
    shard
}

fn shard_count() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        threads.next_power_of_two().clamp(MIN_SHARDS, MAX_SHARDS)
    })
}
