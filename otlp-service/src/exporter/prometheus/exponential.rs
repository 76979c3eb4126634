//! Exponential histograms: added up, and as native histograms of Prometheus.

use otlp_protocol::view::{self, ExponentialHistogramPoint};

/// Counts in buckets whose bounds grow by 2^(2^-scale).
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Exponential {
    pub(super) count: u64,
    pub(super) sum: f64,
    pub(super) scale: i32,
    pub(super) zero_count: u64,
    pub(super) zero_threshold: f64,
    pub(super) positive: Buckets,
    pub(super) negative: Buckets,
}

/// Consecutive buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Buckets {
    /// Index of the first bucket.
    pub(super) offset: i32,
    pub(super) counts: Vec<u64>,
}

// === impl Exponential ===

impl Exponential {
    pub(super) fn of(point: ExponentialHistogramPoint<'_>) -> Self {
        Self {
            count: point.count(),
            sum: point.sum().unwrap_or_default(),
            scale: point.scale(),
            zero_count: point.zero_count(),
            zero_threshold: point.zero_threshold(),
            positive: Buckets::of(point.positive()),
            negative: Buckets::of(point.negative()),
        }
    }

    /// Adds another histogram, at the coarser scale of the two and with the larger width of zero.
    pub(super) fn add(&mut self, delta: &Self) {
        let mut delta = delta.clone();
        let scale = self.scale.min(delta.scale);
        self.rescale(scale);
        delta.rescale(scale);
        let threshold = self.zero_threshold.max(delta.zero_threshold);
        self.widen_zero(threshold);
        delta.widen_zero(threshold);
        self.count = self.count.saturating_add(delta.count);
        self.sum += delta.sum;
        self.zero_count = self.zero_count.saturating_add(delta.zero_count);
        // Too many buckets: half the resolution.
        while !(self.positive.fits(&delta.positive) && self.negative.fits(&delta.negative)) {
            let scale = self.scale - 1;
            self.rescale(scale);
            delta.rescale(scale);
        }
        self.positive.add(&delta.positive);
        self.negative.add(&delta.negative);
    }

    /// Makes the buckets coarser.
    fn rescale(&mut self, scale: i32) {
        let shift = self.scale.saturating_sub(scale).clamp(0, 63) as u32;
        if shift > 0 {
            self.positive = self.positive.at_scale(shift);
            self.negative = self.negative.at_scale(shift);
            self.scale = scale;
        }
    }

    /// Counts buckets up to the threshold as zero.
    fn widen_zero(&mut self, threshold: f64) {
        if threshold > self.zero_threshold {
            self.zero_threshold = threshold;
            let moved = self.positive.take_below(threshold, self.scale)
                + self.negative.take_below(threshold, self.scale);
            self.zero_count = self.zero_count.saturating_add(moved);
        }
    }

    /// The histogram as a native one, whose scale is at most 8; `None` below -4, which native histograms do not have.
    pub(super) fn native(&self) -> Option<Self> {
        let mut native = self.clone();
        native.rescale(self.scale.min(MAX_NATIVE_SCALE));
        if native.zero_threshold == 0.0 {
            native.zero_threshold = DEFAULT_ZERO_THRESHOLD;
        }
        (self.scale >= MIN_NATIVE_SCALE).then_some(native)
    }
}

// === impl Buckets ===

impl Buckets {
    fn of(buckets: view::Buckets<'_>) -> Self {
        Self { offset: buckets.offset(), counts: buckets.bucket_counts().collect() }
    }

    /// The buckets with each 2^shift of them joined.
    fn at_scale(&self, shift: u32) -> Self {
        let shift = shift.min(31);
        let offset = self.offset >> shift;
        let mut joined = Self { offset, counts: Vec::new() };
        for (at, count) in self.counts.iter().enumerate() {
            // Fits: the number of buckets is limited by the size of a request.
            let place = ((i64::from(self.offset) + at as i64) >> shift) - i64::from(offset);
            let place = usize::try_from(place).unwrap_or_default();
            if joined.counts.len() <= place {
                joined.counts.resize(place + 1, 0);
            }
            joined.counts[place] = joined.counts[place].saturating_add(*count);
        }
        joined
    }

    /// True if the sum with buckets of the same scale does not have too many.
    fn fits(&self, other: &Self) -> bool {
        let most = MAX_BUCKETS.max(self.counts.len()).max(other.counts.len());
        self.span(other).1 <= most
    }

    /// The first index and the number of buckets of the sum.
    fn span(&self, other: &Self) -> (i32, usize) {
        let end = |buckets: &Self| i64::from(buckets.offset) + buckets.counts.len() as i64;
        let filled = [self, other].into_iter().filter(|buckets| !buckets.counts.is_empty());
        let first = filled.clone().map(|buckets| buckets.offset).min().unwrap_or_default();
        let end = filled.map(end).max().unwrap_or_default();
        (first, usize::try_from(end - i64::from(first)).unwrap_or_default())
    }

    /// Adds buckets of the same scale.
    fn add(&mut self, other: &Self) {
        let (first, len) = self.span(other);
        let mut counts = vec![0_u64; len];
        for buckets in [&*self, other] {
            let start = usize::try_from(i64::from(buckets.offset) - i64::from(first)).unwrap_or_default();
            let places = counts.iter_mut().skip(start);
            places.zip(&buckets.counts).for_each(|(all, count)| *all = all.saturating_add(*count));
        }
        *self = Self { offset: first, counts };
    }

    /// Removes the buckets whose upper bound is at most the threshold, and returns their count.
    fn take_below(&mut self, threshold: f64, scale: i32) -> u64 {
        let base = 2_f64.powf(-f64::from(scale)).exp2();
        let below = |at: usize| base.powf(f64::from(self.offset) + at as f64 + 1.0) <= threshold;
        let len = (0..self.counts.len()).take_while(|at| below(*at)).count();
        self.offset = self.offset.saturating_add(i32::try_from(len).unwrap_or(i32::MAX));
        self.counts.drain(..len).sum()
    }
}

/// Of a series that is added up: twice the most that OpenTelemetry's SDKs make.
const MAX_BUCKETS: usize = 320;

/// The scales of native histograms, and the width of zero where none is given.
const MAX_NATIVE_SCALE: i32 = 8;
const MIN_NATIVE_SCALE: i32 = -4;
const DEFAULT_ZERO_THRESHOLD: f64 = 1e-128;

#[cfg(test)]
mod tests;
