//! Base-2 exponential histograms. At scale `s` the bucket of index `i` holds the values above `b^i`, up to and including `b^(i+1)`,
//! where `b = 2^(2^-s)`. The scale starts at its maximum and is lowered until all values fit into [`MAX_BUCKETS`] buckets: by one,
//! neighbouring buckets merge in pairs.

use super::histogram::Summary;
use super::shards::Shards;
use parking_lot::Mutex;
use std::collections::VecDeque;

/// Counts of recorded values by range. Ranges adapt to the values.
#[derive(Debug)]
pub(super) struct ExponentialHistogram {
    shards: Shards<Mutex<Exponential>>,
}

/// Recorded values of one shard, or of all.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Exponential {
    pub(super) scale: i32,
    pub(super) zeros: u64,
    pub(super) positive: Buckets,
    pub(super) negative: Buckets,
    pub(super) summary: Summary,
}

/// Counts of a run of indices.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Buckets {
    /// Index of the first count.
    pub(super) offset: i32,
    pub(super) counts: VecDeque<u64>,
}

/// Most buckets of positive values, and of negative values.
pub(super) const MAX_BUCKETS: i32 = 160;
/// Scale of a histogram without values.
pub(super) const MAX_SCALE: i32 = 20;

// === impl ExponentialHistogram ===

impl ExponentialHistogram {
    pub(super) fn new() -> Self {
        Self { shards: Shards::new(|| Mutex::new(Exponential::new())) }
    }

    #[inline]
    pub(super) fn record(&self, value: f64) {
        self.shards.lock().record(value);
    }

    /// Returns the recorded values, and forgets them if `reset`; `None` if there are none.
    pub(super) fn read(&self, reset: bool) -> Option<Exponential> {
        let mut all = Exponential::new();
        for mut shard in self.shards.lock_each() {
            all.merge(&shard);
            if reset {
                shard.reset();
            }
        }
        (all.count() > 0).then_some(all)
    }
}

// === impl Exponential ===

impl Exponential {
    pub(super) fn new() -> Self {
        let (positive, negative) = (Buckets::default(), Buckets::default());
        Self { scale: MAX_SCALE, zeros: 0, positive, negative, summary: Summary::EMPTY }
    }

    /// Number of recorded values.
    pub(super) fn count(&self) -> u64 {
        self.zeros + self.positive.count() + self.negative.count()
    }

    /// Counts a finite value.
    pub(super) fn record(&mut self, value: f64) {
        self.summary.add(value);
        if value == 0.0 {
            self.zeros += 1;
            return;
        }
        let index = index_of(value.abs(), self.scale);
        let side = if value > 0.0 { &mut self.positive } else { &mut self.negative };
        if let Some(count) = side.get_mut(index) {
            *count += 1;
            return;
        }
        let steps = excess(side.span_with(index, index));
        self.lower_scale(steps);
        let side = if value > 0.0 { &mut self.positive } else { &mut self.negative };
        side.add(index >> steps, 1);
    }

    /// Adds the values of another histogram.
    pub(super) fn merge(&mut self, other: &Self) {
        self.summary.merge(other.summary);
        self.zeros += other.zeros;
        let mut other = other.clone();
        let scale = self.scale.min(other.scale);
        self.lower_scale(self.scale.abs_diff(scale));
        other.lower_scale(other.scale.abs_diff(scale));
        let steps =
            self.positive.excess_with(&other.positive).max(self.negative.excess_with(&other.negative));
        self.lower_scale(steps);
        other.lower_scale(steps);
        self.positive.merge(&other.positive);
        self.negative.merge(&other.negative);
    }

    fn lower_scale(&mut self, steps: u32) {
        if steps > 0 {
            self.scale -= steps as i32;
            self.positive.lower_scale(steps);
            self.negative.lower_scale(steps);
        }
    }

    /// Forgets all values, and keeps the memory.
    fn reset(&mut self) {
        self.positive.counts.clear();
        self.negative.counts.clear();
        (self.scale, self.zeros, self.summary) = (MAX_SCALE, 0, Summary::EMPTY);
    }
}

// === impl Buckets ===

impl Buckets {
    fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    fn get_mut(&mut self, index: i32) -> Option<&mut u64> {
        self.counts.get_mut(usize::try_from(index.checked_sub(self.offset)?).ok()?)
    }

    /// Index of the last count; `None` without counts.
    fn last(&self) -> Option<i32> {
        Some(self.offset + i32::try_from(self.counts.len().checked_sub(1)?).ok()?)
    }

    /// First and last index once the indices from `first` to `last` have counts too.
    fn span_with(&self, first: i32, last: i32) -> (i32, i32) {
        self.last().map_or((first, last), |own| (first.min(self.offset), last.max(own)))
    }

    fn excess_with(&self, other: &Self) -> u32 {
        other.last().map_or(0, |last| excess(self.span_with(other.offset, last)))
    }

    /// Adds to the count of an index. The caller has lowered the scale if the buckets would become too many.
    fn add(&mut self, index: i32, count: u64) {
        if self.counts.is_empty() {
            self.offset = index;
        }
        while index < self.offset {
            self.counts.push_front(0);
            self.offset -= 1;
        }
        while self.last().is_none_or(|last| last < index) {
            self.counts.push_back(0);
        }
        if let Some(found) = self.get_mut(index) {
            *found += count;
        }
    }

    fn merge(&mut self, other: &Self) {
        for (index, count) in (other.offset..).zip(&other.counts) {
            self.add(index, *count);
        }
    }

    fn lower_scale(&mut self, steps: u32) {
        let old = std::mem::take(self);
        self.counts.reserve(old.counts.len());
        for (index, count) in (old.offset..).zip(old.counts) {
            self.add(index >> steps, count);
        }
    }
}

/// Steps by which the scale must be lowered so that the indices from the first to the last fit.
fn excess((mut first, mut last): (i32, i32)) -> u32 {
    let mut steps = 0;
    while last.abs_diff(first) >= MAX_BUCKETS.unsigned_abs() {
        (first, last) = (first >> 1, last >> 1);
        steps += 1;
    }
    steps
}

/// Returns the index of the bucket of a positive, finite value.
pub(super) fn index_of(value: f64, scale: i32) -> i32 {
    // Subnormal values are made normal, which is exact.
    let (bits, shift) =
        if value < f64::MIN_POSITIVE { ((value * TWO_TO_54).to_bits(), 54) } else { (value.to_bits(), 0) };
    let exponent = (bits >> 52) as i32 - 1_023 - shift;
    let fraction = bits & ((1 << 52) - 1);
    if fraction == 0 {
        // A power of two is the upper end of its bucket, which is below the power in all scales.
        return if scale > 0 { (exponent << scale) - 1 } else { (exponent - 1) >> -scale };
    }
    if scale <= 0 {
        return exponent >> -scale;
    }
    let from_one_to_two = f64::from_bits(fraction | 1_023 << 52);
    let steps = 1 << scale;
    let within = (from_one_to_two.log2() * f64::from(steps)) as i32;
    (exponent << scale) + within.min(steps - 1)
}

const TWO_TO_54: f64 = (1_u64 << 54) as f64;
