//! Measurements that are not exported, counted by reason.

use std::sync::atomic::{AtomicU64, Ordering};

/// Measurements that were dropped, by reason, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostMeasurements {
    /// NaN and infinite values.
    pub not_finite: u64,
    /// Negative values added to a counter.
    pub negative: u64,
    /// Measurements of instruments that were refused: for their name, or because there were too many.
    pub unregistered: u64,
    /// Callbacks that panicked, in all collections. What they observed before the panic was exported.
    pub callback_panics: u64,
}

/// The counts behind [`LostMeasurements`].
#[derive(Debug, Default)]
pub(super) struct LostCounts {
    pub(super) not_finite: LostCount,
    pub(super) negative: LostCount,
    pub(super) unregistered: LostCount,
    pub(super) callback_panics: LostCount,
}

#[derive(Debug, Default)]
pub(super) struct LostCount(AtomicU64);

// === impl LostCounts ===

impl LostCounts {
    pub(super) fn read(&self) -> LostMeasurements {
        LostMeasurements {
            not_finite: self.not_finite.get(),
            negative: self.negative.get(),
            unregistered: self.unregistered.get(),
            callback_panics: self.callback_panics.get(),
        }
    }
}

// === impl LostCount ===

impl LostCount {
    #[cold]
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
