//! The limit on open spans. Threads take permits in blocks, so that the shared counter is touched once for many spans.

use super::sync::atomic::{AtomicU32, Ordering};

/// Permits for open spans.
#[derive(Debug)]
pub(crate) struct Leases {
    limit: u32,
    free: AtomicU32,
}

/// Permits that a thread takes at once, while at least half of all permits are free. The other half is taken one by one: idle
/// threads keep at most half of the permits.
pub(crate) const BLOCK: u32 = 64;

impl Leases {
    pub(crate) fn new(limit: u32) -> Self {
        Self { limit, free: AtomicU32::new(limit) }
    }

    /// Takes permits: a block, one, or none.
    #[cold]
    pub(crate) fn take(&self) -> u32 {
        let many = BLOCK.saturating_add(self.limit / 2);
        let block = |free: u32| if free >= many { BLOCK } else { free.min(1) };
        let (order, load) = (Ordering::Relaxed, Ordering::Relaxed);
        let update = |free| Some(free - block(free));
        self.free.fetch_update(order, load, update).map_or(0, block)
    }

    pub(crate) fn give_back(&self, permits: u32) {
        self.free.fetch_add(permits, Ordering::Relaxed);
    }

    /// Number of permits that a thread with `held` unused permits gives back.
    #[inline]
    pub(crate) fn excess(&self, held: u32) -> u32 {
        if held > BLOCK || (held > 0 && self.free.load(Ordering::Relaxed) < self.limit / 2) {
            held
        } else {
            0
        }
    }
}
