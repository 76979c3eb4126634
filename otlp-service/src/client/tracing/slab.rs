//! The open spans of a door: a slab with a limit, whose ids are never used twice.
//!
//! Every span has a lock of its own, so a span can be entered, recorded and closed on any thread.

use super::free::Free;
use super::open::Open;
use crate::client::engine::{Lock, Locked};
use std::sync::{Arc, OnceLock};

/// The open spans of a door.
pub(super) struct Slab {
    pages: Box<[OnceLock<Page>]>,
    free: Arc<Free>,
}

/// Slots that are allocated together.
type Page = Box<[Lock<Open>]>;

/// Id of a span in a slab: slot and generation. Never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlabId(u64);

// === impl Slab ===

impl Slab {
    pub(super) fn new() -> Self {
        Self { pages: (0..MAX_OPEN_SPANS / PAGE).map(|_| OnceLock::new()).collect(), free: Free::new() }
    }

    /// Takes a free slot and calls `fill` with the slot's span. `None` if [`MAX_OPEN_SPANS`] are open.
    #[inline]
    pub(super) fn insert(&self, fill: impl FnOnce(&mut Open)) -> Option<SlabId> {
        let slot = self.free.take()?;
        let page = self.pages.get(slot / PAGE)?;
        let page = page.get_or_init(|| (0..PAGE).map(|_| Lock::new(Open::default())).collect());
        let mut open = page.get(slot % PAGE)?.lock();
        fill(&mut open);
        Some(SlabId(open.generation << SLOT_BITS | slot as u64))
    }

    /// Locks an open span. `None` if the span is closed.
    #[inline]
    pub(super) fn lock(&self, id: SlabId) -> Option<Locked<'_, Open>> {
        let open = self.pages.get(id.slot() / PAGE)?.get()?.get(id.slot() % PAGE)?.lock();
        (open.generation == id.0 >> SLOT_BITS).then_some(open)
    }

    /// Frees the slot of a locked span; the id is invalid from now on.
    #[inline]
    pub(super) fn remove(&self, id: SlabId, mut open: Locked<'_, Open>) {
        open.generation += 1;
        drop(open);
        self.free.give(id.slot());
    }
}

// === impl SlabId ===

impl SlabId {
    /// Reads an id from the number that [`to_u64`](Self::to_u64) returned.
    pub(super) fn from_u64(id: u64) -> Self {
        Self(id)
    }

    pub(super) fn to_u64(self) -> u64 {
        self.0
    }

    #[inline]
    fn slot(self) -> usize {
        self.0 as usize & (MAX_OPEN_SPANS - 1)
    }
}

/// The most spans that are open at a time, of one door. Further spans are dropped and counted.
pub(super) const MAX_OPEN_SPANS: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 14;
/// Slots that are allocated at a time.
const PAGE: usize = 64;
