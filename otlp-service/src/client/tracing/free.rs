//! The free slots of a slab: a list that all threads share, and a few slots that each thread keeps for itself.
//!
//! A thread that opens and closes spans takes no lock here. Threads keep slots only while at least half of all slots are in the
//! shared list: idle threads never keep more than the other half.

use super::slab::MAX_OPEN_SPANS;
use parking_lot::Mutex;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The free slots of a slab.
#[derive(Default)]
pub(super) struct Free {
    shared: Mutex<Shared>,
    /// Number of slots in the shared list, used or not.
    count: AtomicUsize,
}

#[derive(Default)]
struct Shared {
    /// Slots that were used before.
    used: Vec<usize>,
    /// Number of slots that were ever used: the next slot is this number.
    touched: usize,
}

/// The free slots that a thread keeps of one slab.
struct Kept {
    of: Arc<Free>,
    slots: Vec<usize>,
}

// === impl Free ===

impl Free {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { shared: Mutex::default(), count: AtomicUsize::new(MAX_OPEN_SPANS) })
    }

    /// Takes a slot: the slot that the thread freed last, if possible. `None` if no slot is free.
    #[inline]
    pub(super) fn take(self: &Arc<Self>) -> Option<usize> {
        self.with_kept(|kept| kept.slots.pop()).flatten().or_else(|| self.take_shared())
    }

    /// Gives a slot back.
    #[inline]
    pub(super) fn give(self: &Arc<Self>, slot: usize) {
        let has_kept = self.with_kept(|kept| {
            let is_kept =
                kept.slots.len() < MAX_KEPT && self.count.load(Ordering::Relaxed) >= MAX_OPEN_SPANS / 2;
            if is_kept {
                kept.slots.push(slot);
            }
            is_kept
        });
        if has_kept != Some(true) {
            self.give_shared(&[slot]);
        }
    }

    #[cold]
    fn take_shared(&self) -> Option<usize> {
        let mut shared = self.shared.lock();
        let slot = match shared.used.pop() {
            Some(slot) => slot,
            None if shared.touched < MAX_OPEN_SPANS => {
                shared.touched += 1;
                shared.touched - 1
            }
            None => return None,
        };
        self.count.fetch_sub(1, Ordering::Relaxed);
        Some(slot)
    }

    #[cold]
    fn give_shared(&self, slots: &[usize]) {
        self.shared.lock().used.extend_from_slice(slots);
        self.count.fetch_add(slots.len(), Ordering::Relaxed);
    }

    /// Calls `call` with the slots that the thread keeps of this slab. `None` when the thread ends.
    #[inline]
    fn with_kept<R>(self: &Arc<Self>, call: impl FnOnce(&mut Kept) -> R) -> Option<R> {
        let with = |all: &RefCell<Vec<Kept>>| {
            let mut all = all.try_borrow_mut().ok()?;
            if all.last().is_none_or(|kept| !Arc::ptr_eq(&kept.of, self)) {
                self.bring_forward(&mut all);
            }
            all.last_mut().map(call)
        };
        KEPT.try_with(with).ok().flatten()
    }

    /// Makes this slab's slots the last in the thread's list.
    #[cold]
    fn bring_forward(self: &Arc<Self>, all: &mut Vec<Kept>) {
        let kept = match all.iter().position(|kept| Arc::ptr_eq(&kept.of, self)) {
            Some(at) => all.remove(at),
            None => {
                if all.len() >= MAX_SLABS {
                    all.remove(0);
                }
                Kept { of: self.clone(), slots: Vec::with_capacity(MAX_KEPT) }
            }
        };
        all.push(kept);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.of.give_shared(&self.slots);
    }
}

/// Free slots that a thread keeps of a slab.
const MAX_KEPT: usize = 16;
/// Slabs that a thread keeps slots of.
const MAX_SLABS: usize = 4;

thread_local! {
    static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}
