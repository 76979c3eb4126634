//! Cells of which each thread has its own: threads that add to the same counter do not write to the same cache line.
//!
//! A counter has up to 16 shards, and a program may have more threads. At its first measurement a thread takes the number of a shard,
//! and uses the shard of this number of every counter. Half of the shards are for one thread alone each: such a thread adds by a read and a
//! write, which costs a third of an atomic addition. Other threads take the shared shard that the fewest living threads use.

use super::lock_wait;
use parking_lot::{Mutex, MutexGuard};
use std::cell::Cell;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};

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

/// Set in the number of a shard that no other living thread uses.
const ALONE: usize = 1 << 16;

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
        self.own_or_shared().0
    }

    /// Returns the value of the thread's shard; true if no other thread writes to the value.
    #[inline]
    pub(super) fn own_or_shared(&self) -> (&T, bool) {
        let shard = own_shard();
        (&self.0[shard & (self.0.len() - 1)].0, shard & ALONE != 0)
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
        if let Some(shard) = self.0.get() {
            // What is measured later, in destructors, must not be in a shard that another thread may have alone by then.
            SHARD.set(shared_shards().start);
            if let Some(users) = USERS.get(shard) {
                users.fetch_sub(1, Release);
            }
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
    let take = |lease: &Lease| {
        let shard = take_alone().unwrap_or_else(take_shared);
        lease.0.set(Some(shard & !ALONE));
        shard
    };
    // A thread that is ending has no lease.
    let shard = LEASE.try_with(take).unwrap_or_else(|_| shared_shards().start);
    SHARD.set(shard);
    shard
}

/// Takes a shard for this thread alone, if one is free. What its former thread wrote is visible from then on.
fn take_alone() -> Option<usize> {
    let is_taken = |users: &AtomicU32| users.compare_exchange(0, 1, Acquire, Relaxed).is_ok();
    let shard = USERS.iter().take(shared_shards().start).position(is_taken)?;
    Some(shard | ALONE)
}

/// Takes the shared shard that the fewest threads use.
fn take_shared() -> usize {
    let users = |shard: usize| USERS.get(shard).map_or(u32::MAX, |users| users.load(Relaxed));
    let shard = shared_shards().min_by_key(|&shard| users(shard)).unwrap_or_default();
    if let Some(users) = USERS.get(shard) {
        users.fetch_add(1, Relaxed);
    }
    shard
}

/// The shards that several threads may use.
fn shared_shards() -> Range<usize> {
    shard_count() / 2..shard_count()
}

fn shard_count() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        threads.next_power_of_two().clamp(MIN_SHARDS, MAX_SHARDS)
    })
}
