//! Aggregation of measurements in the cells of a series.

use super::exponential::{Exponential, ExponentialHistogram};
use super::histogram::{Distribution, ExplicitHistogram};
use super::lost::LostCounts;
use super::number::{Number, NumberKind};
use super::sum::Sum;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Aggregation of an instrument.
#[derive(Clone, Debug)]
pub(super) enum Aggregation {
    /// Counts of exponentially growing ranges.
    Exponential,
    /// Counts of the ranges between boundaries.
    Explicit(Arc<[f64]>),
    /// The last value.
    Last,
    /// None: measurements are counted as lost.
    Refused(Arc<LostCounts>),
    /// The sum of all values.
    Sum,
}

/// Aggregated measurements of one series.
#[derive(Debug)]
pub(super) enum Cells {
    Exponential(ExponentialHistogram),
    Explicit(ExplicitHistogram),
    Last(LastValue),
    Refused(Arc<LostCounts>),
    Sum(Sum),
}

/// The last value of a gauge.
#[derive(Debug, Default)]
pub(super) struct LastValue {
    bits: AtomicU64,
    is_set: AtomicBool,
}

/// The content of a series, to be exported.
#[derive(Debug, PartialEq)]
pub(super) enum Aggregate {
    Exponential(Exponential),
    Explicit(Distribution),
    /// Bits of a sum or of a last value.
    Number(u64),
}

// === impl Aggregation ===

impl Aggregation {
    pub(super) fn cells(&self) -> Cells {
        match self {
            Self::Exponential => Cells::Exponential(ExponentialHistogram::new()),
            Self::Explicit(bounds) => Cells::Explicit(ExplicitHistogram::new(Arc::clone(bounds))),
            Self::Last => Cells::Last(LastValue::default()),
            Self::Refused(lost) => Cells::Refused(Arc::clone(lost)),
            Self::Sum => Cells::Sum(Sum::new()),
        }
    }
}

// === impl Cells ===

impl Cells {
    /// Aggregates a measurement.
    #[inline]
    pub(super) fn record<T: Number>(&self, value: T) {
        match self {
            Self::Sum(sum) => sum.add(value),
            Self::Explicit(histogram) => histogram.record(value.as_f64()),
            Self::Exponential(histogram) => histogram.record(value.as_f64()),
            Self::Last(last) => last.set(value.bits()),
            Self::Refused(lost) => lost.unregistered.add(),
        }
    }

    /// Returns what was measured: since the last reset, if there was one. `None` if nothing was measured; a sum has a value from its
    /// creation on, except after resets.
    pub(super) fn read(&self, number: NumberKind, reset: bool) -> Option<Aggregate> {
        match self {
            Self::Sum(sum) => {
                let sum = sum.read(number, reset);
                (!reset || !number.is_zero(sum)).then_some(Aggregate::Number(sum))
            }
            Self::Explicit(histogram) => histogram.read(reset).map(Aggregate::Explicit),
            Self::Exponential(histogram) => histogram.read(reset).map(Aggregate::Exponential),
            Self::Last(last) => last.get(reset).map(Aggregate::Number),
            Self::Refused(_) => None,
        }
    }
}

// === impl LastValue ===

impl LastValue {
    #[inline]
    fn set(&self, bits: u64) {
        self.bits.store(bits, Ordering::Relaxed);
        if !self.is_set.load(Ordering::Relaxed) {
            self.is_set.store(true, Ordering::Release);
        }
    }

    fn get(&self, reset: bool) -> Option<u64> {
        let is_set = self.is_set.load(Ordering::Acquire);
        let bits = self.bits.load(Ordering::Relaxed);
        if reset {
            self.is_set.store(false, Ordering::Relaxed);
        }
        is_set.then_some(bits)
    }
}
