//! What is counted with.

use super::snapshot::Sample;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

/// How often values fell into which range, and their exact sum. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Buckets>);

#[derive(Debug)]
struct Buckets {
    bounds: &'static [u64],
    /// One for each bound, and one for what is above the last.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
}

// === impl Counter ===

impl Counter {
    /// Adds to it.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// Its value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

// === impl Histogram ===

impl Histogram {
    /// A histogram of ranges that end at `bounds`, ascending and inclusive.
    pub fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Buckets { bounds, counts, sum: AtomicU64::new(0) }))
    }

    /// Counts a value.
    pub fn record(&self, value: u64) {
        let bucket = self.0.bounds.partition_point(|&bound| bound < value);
        self.0.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.0.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// The samples of Prometheus' histogram: cumulative buckets, sum, count.
    pub(super) fn samples(&self, labels: &[(&'static str, String)]) -> Vec<Sample> {
        let sample = |suffix, bound: Option<String>, value: u64| {
            let bound = bound.map(|bound| ("le", bound));
            Sample { suffix, labels: labels.iter().cloned().chain(bound).collect(), value: value as f64 }
        };
        let bounds = self.0.bounds.iter().map(u64::to_string).chain(["+Inf".into()]);
        let mut total = 0;
        let mut samples = Vec::with_capacity(self.0.counts.len() + 2);
        for (count, bound) in self.0.counts.iter().zip(bounds) {
            total += count.load(Ordering::Relaxed);
            samples.push(sample("_bucket", Some(bound), total));
        }
        samples.push(sample("_sum", None, self.0.sum.load(Ordering::Relaxed)));
        samples.push(sample("_count", None, total));
        samples
    }
}
