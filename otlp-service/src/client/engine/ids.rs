//! Random ids of traces and spans: wyrand, seeded per thread from the operating system's random numbers.

use super::fork;
use std::cell::Cell;
use std::hash::{BuildHasher as _, RandomState};

/// A thread's generator of ids.
#[derive(Debug)]
pub(crate) struct Ids {
    /// State of wyrand; 0 until the first id.
    state: Cell<u64>,
    /// Distinguishes the trace ids of two threads that come to the same state.
    salt: Cell<u64>,
    /// Number of forks before the seed: both processes of a fork must not make the same ids.
    forks: Cell<u32>,
}

impl Ids {
    pub(crate) const fn new() -> Self {
        Self { state: Cell::new(0), salt: Cell::new(0), forks: Cell::new(0) }
    }

    /// Seeds the generator.
    #[cold]
    pub(crate) fn seed(&self) {
        let random = RandomState::new();
        self.forks.set(fork::count());
        self.state.set(random.hash_one((std::process::id(), 0)));
        self.salt.set(random.hash_one((std::process::id(), 1)));
    }

    #[inline]
    pub(crate) fn span_id(&self) -> [u8; 8] {
        self.next().to_be_bytes()
    }

    #[inline]
    pub(crate) fn trace_id(&self) -> [u8; 16] {
        let (low, high) = (self.next(), self.next() ^ self.salt.get());
        (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
    }

    /// Returns a random number that is not 0.
    #[inline]
    fn next(&self) -> u64 {
        if self.state.get() == 0 || self.forks.get() != fork::count() {
            self.seed();
        }
        loop {
            let state = self.state.get().wrapping_add(0x2d35_8dcc_aa6c_78a5);
            self.state.set(state);
            let product = u128::from(state) * u128::from(state ^ 0x8bb8_4b93_962e_acc9);
            let id = (product as u64) ^ (product >> 64) as u64;
            if id != 0 {
                return id;
            }
        }
    }
}
