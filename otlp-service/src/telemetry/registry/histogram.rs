//! Histograms: counts of values by range.

use super::Registration;
use crate::telemetry::Sample;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of values by range, and the exact sum of the values. Cloning shares the histogram; a histogram of a
/// [`Registry`](super::Registry) is shown until its last clone is dropped.
#[derive(Clone, Debug)]
pub struct Histogram {
    pub(super) buckets: Arc<Buckets>,
    pub(super) _registration: Option<Arc<Registration>>,
}

#[derive(Debug)]
pub(super) struct Buckets {
    pub(super) bounds: &'static [u64],
    /// A value of this much is shown as 1.
    pub(super) unit: u64,
    /// One for each bound, and one for what is above the last.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
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
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        let buckets = Arc::new(Buckets { bounds, unit: unit.max(1), counts, sum: AtomicU64::new(0) });
        Self { buckets, _registration: None }
    }

    /// Counts a value.
    pub fn record(&self, value: u64) {
        let bucket = self.buckets.bounds.partition_point(|&bound| bound < value);
        self.buckets.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.buckets.sum.fetch_add(value, Ordering::Relaxed);
    }
}

// === impl Buckets ===

impl Buckets {
    pub(super) fn samples(&self, labels: &[(&'static str, String)]) -> Vec<Sample> {
        let Self { bounds, unit, counts, sum } = self;
        histogram_samples(labels, bounds, *unit, counts, sum)
    }
}

impl Default for Histogram {
    /// One range for everything.
    fn default() -> Self {
        Self::new(&[])
    }
}

/// The samples of Prometheus' histogram: cumulative buckets, sum, count.
pub(in crate::telemetry) fn histogram_samples(
    labels: &[(&'static str, String)],
    bounds: &[u64],
    unit: u64,
    counts: &[AtomicU64],
    sum: &AtomicU64,
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
        total += count.load(Ordering::Relaxed);
        samples.push(sample("_bucket", Some(bound), total as f64));
    }
    samples.push(sample("_sum", None, shown(sum.load(Ordering::Relaxed))));
    samples.push(sample("_count", None, total as f64));
    samples
}
