//! The sum of a counter: a cell for each shard.

use super::number::{Number, NumberKind};
use super::shards::Shards;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The sum of a counter.
#[derive(Debug)]
pub(super) struct Sum {
    cells: Shards<AtomicU64>,
    /// The sum of integers at the last reset. A reset leaves cells of integers as they are: their threads may be adding by a read and
    /// a write.
    before: AtomicU64,
}

// === impl Sum ===

impl Sum {
    pub(super) fn new() -> Self {
        Self { cells: Shards::new(AtomicU64::default), before: AtomicU64::new(0) }
    }

    #[inline]
    pub(super) fn add<T: Number>(&self, value: T) {
        let (cell, is_alone) = self.cells.own_or_shared();
        value.add_to(cell, is_alone);
    }

    /// Returns the bits of the sum since the last reset.
    pub(super) fn read(&self, number: NumberKind, reset: bool) -> u64 {
        // Doubles are not subtracted, since small increases of large sums would be rounded: they are added atomically, and taken out.
        let takes_out = reset && number == NumberKind::Double;
        let read = |cell: &AtomicU64| if takes_out { cell.swap(0, Relaxed) } else { cell.load(Relaxed) };
        let sum = self.cells.all().map(read).fold(0, |one, other| number.sum(one, other));
        match (number, reset) {
            (NumberKind::Double, _) => sum,
            (_, true) => sum.wrapping_sub(self.before.swap(sum, Relaxed)),
            (_, false) => sum.wrapping_sub(self.before.load(Relaxed)),
        }
    }
}
