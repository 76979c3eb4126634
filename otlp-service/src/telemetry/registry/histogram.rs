//! Histograms: counts of values by range.

use super::Registration;
use crate::telemetry::Sample;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

/// Counts of values by range, and the exact sum of the values. Cloning shares the histogram; a histogram of a
/// [`Registry`](super::Registry) is shown until its last clone is dropped.
#[derive(Clone, Debug)]
pub struct Histogram {
    pub(super) buckets: Arc<Buckets>,
    pub(super) _registration: Option<Arc<Registration>>,
}

#[derive(Debug)]
pub(super) struct Buckets {
    /// Bounds that are shown, all of them in `fine`.
    pub(super) bounds: &'static [u64],
    /// A value of this much is shown as 1.
    pub(super) unit: u64,
    /// Bounds of the counts.
    pub(super) fine: Arc<[u64]>,
    /// One for each bound, and one for what is above the last.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
    /// Times that the sum has passed 2^64.
    sum_overflows: AtomicU64,
}

/// The content of a histogram at one moment.
#[derive(Clone, Debug)]
pub(in crate::telemetry) struct Distribution {
    bounds: Arc<[u64]>,
    counts: Vec<u64>,
    sum: u128,
}

// === impl Histogram ===

impl Histogram {
    /// A histogram of ranges that end at `bounds`, ascending and inclusive.
    pub fn new(bounds: &'static [u64]) -> Self {
        Self::in_units(bounds, 1)
    }

    /// The same of values, and bounds, that are shown divided by `unit`, which is not 0: 1000 of milliseconds that are
    /// shown in seconds.
    pub fn in_units(bounds: &'static [u64], unit: u64) -> Self {
        Self::with(bounds, unit, bounds.into())
    }

    /// A histogram of durations in nanoseconds, shown in seconds. Counts in ranges that are finer than what is shown, for
    /// percentiles within 4.5 %.
    pub(in crate::telemetry) fn of_durations() -> Self {
        Self::with(&DURATION_BOUNDS_NANOS, 1_000_000_000, FINE_BOUNDS_NANOS.clone())
    }

    fn with(bounds: &'static [u64], unit: u64, fine: Arc<[u64]>) -> Self {
        let counts = (0..=fine.len()).map(|_| AtomicU64::new(0)).collect();
        let (sum, sum_overflows) = (AtomicU64::new(0), AtomicU64::new(0));
        let buckets = Arc::new(Buckets { bounds, unit: unit.max(1), fine, counts, sum, sum_overflows });
        Self { buckets, _registration: None }
    }

    /// Counts a value.
    pub fn record(&self, value: u64) {
        let Buckets { fine, counts, sum, sum_overflows, .. } = &*self.buckets;
        let bucket = fine.partition_point(|&bound| bound < value);
        counts[bucket].fetch_add(1, Ordering::Relaxed);
        if sum.fetch_add(value, Ordering::Relaxed).checked_add(value).is_none() {
            sum_overflows.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the counts.
    pub(in crate::telemetry) fn distribution(&self) -> Distribution {
        self.buckets.distribution()
    }
}

// === impl Buckets ===

impl Buckets {
    pub(super) fn samples(&self, labels: &[(&'static str, String)]) -> Vec<Sample> {
        let Distribution { bounds: fine, counts, sum } = self.distribution();
        let mut shown = Vec::with_capacity(self.bounds.len() + 1);
        let mut fine = fine.iter().zip(&counts).peekable();
        for bound in self.bounds {
            let mut count = 0;
            while let Some((_, below)) = fine.next_if(|(known, _)| *known <= bound) {
                count += below;
            }
            shown.push(count);
        }
        shown.push(counts.iter().sum::<u64>() - shown.iter().sum::<u64>());
        histogram_samples(labels, self.bounds, self.unit, &shown, sum)
    }

    fn distribution(&self) -> Distribution {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Distribution {
            bounds: self.fine.clone(),
            counts: self.counts.iter().map(read).collect(),
            sum: (u128::from(read(&self.sum_overflows)) << 64) + u128::from(read(&self.sum)),
        }
    }
}

impl Default for Histogram {
    /// One range for everything.
    fn default() -> Self {
        Self::new(&[])
    }
}

// === impl Distribution ===

impl Distribution {
    /// Adds another distribution of the same bounds.
    pub(in crate::telemetry) fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, other)| *count += other);
        self.sum += other.sum;
    }

    pub(in crate::telemetry) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(in crate::telemetry) fn sum(&self) -> u128 {
        self.sum
    }

    /// Returns a value that `percent` per cent of the values do not exceed: the middle of the range in which the exact value is.
    pub(in crate::telemetry) fn percentile(&self, percent: u64) -> u64 {
        let rank = (u128::from(self.count()) * u128::from(percent)).div_ceil(100).max(1);
        let mut below = 0;
        for (index, count) in self.counts.iter().enumerate() {
            below += u128::from(*count);
            if below >= rank {
                let lower = index.checked_sub(1).and_then(|index| self.bounds.get(index)).copied();
                return middle(lower.unwrap_or(0), self.bounds.get(index).copied());
            }
        }
        0
    }
}

/// Returns the geometric mean of two bounds, which has the least relative error. The last range has no upper bound.
fn middle(lower: u64, upper: Option<u64>) -> u64 {
    match upper {
        None => lower,
        Some(upper) if lower == 0 => upper / 2,
        Some(upper) => (lower as f64 * upper as f64).sqrt() as u64,
    }
}

/// The samples of Prometheus' histogram: cumulative buckets, sum, count.
pub(in crate::telemetry) fn histogram_samples(
    labels: &[(&'static str, String)],
    bounds: &[u64],
    unit: u64,
    counts: &[u64],
    sum: u128,
) -> Vec<Sample> {
    let shown = |value: u64| value as f64 / unit as f64;
    let sample = |suffix, bound: Option<String>, value| {
        let bound = bound.map(|bound| ("le", bound));
        Sample { suffix, labels: labels.iter().cloned().chain(bound).collect(), value }
    };
    let bounds = bounds.iter().map(|&bound| shown(bound).to_string()).chain(["+Inf".into()]);
    let mut total = 0;
    let mut samples = Vec::with_capacity(counts.len() + 2);
    for (count, bound) in counts.iter().zip(bounds) {
        total += count;
        samples.push(sample("_bucket", Some(bound), total as f64));
    }
    samples.push(sample("_sum", None, sum as f64 / unit as f64));
    samples.push(sample("_count", None, total as f64));
    samples
}

/// Shown bounds of durations: from requests that are answered from memory to the longest timeouts.
const DURATION_BOUNDS_NANOS: [u64; 18] = [
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
    30_000_000_000,
    60_000_000_000,
];

/// The shown bounds, and between 1 µs and 134 s eight bounds for each doubling.
static FINE_BOUNDS_NANOS: LazyLock<Arc<[u64]>> = LazyLock::new(|| {
    let exponential = (0..=27 * 8).map(|step| (1000.0 * (f64::from(step) / 8.0).exp2()) as u64);
    let mut bounds: Vec<_> = exponential.chain(DURATION_BOUNDS_NANOS).collect();
    bounds.sort_unstable();
    bounds.dedup();
    bounds.into()
});
