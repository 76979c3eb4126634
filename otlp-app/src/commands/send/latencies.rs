//! Quantiles of durations, in constant memory.

use std::time::Duration;

/// Counts of durations in buckets. A quantile is at most 3 % too high.
#[derive(Clone)]
pub(super) struct Latencies {
    counts: Vec<u64>,
    count: u64,
    max: Duration,
}

// === impl Latencies ===

impl Latencies {
    pub(super) fn new() -> Self {
        Self { counts: vec![0; BUCKETS], count: 0, max: Duration::ZERO }
    }

    pub(super) fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket(micros)) {
            *count += 1;
        }
        self.count += 1;
        self.max = self.max.max(latency);
    }

    /// Returns the longest duration.
    pub(super) fn max(&self) -> Duration {
        self.max
    }

    /// Returns the duration that `quantile` of all durations do not exceed: 0.5 is the median. Zero without durations.
    pub(super) fn quantile(&self, quantile: f64) -> Duration {
        let rank = ((quantile * self.count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_micros(upper_bound(index)).min(self.max);
            }
        }
        self.max
    }
}

/// Returns the bucket of a number of microseconds: 32 buckets from each power of two to the next.
fn bucket(micros: u64) -> usize {
    let magnitude = micros.max(1).ilog2().saturating_sub(STEP_BITS);
    let step = micros >> magnitude;
    (((u64::from(magnitude)) << STEP_BITS) + step) as usize
}

/// Returns the largest number of microseconds in a bucket.
fn upper_bound(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let magnitude = (bucket >> STEP_BITS).saturating_sub(1);
    let step = bucket - (magnitude << STEP_BITS);
    ((u128::from(step) + 1) << magnitude).saturating_sub(1).min(u128::from(u64::MAX)) as u64
}

const STEP_BITS: u32 = 5;
const BUCKETS: usize = (64 - STEP_BITS as usize + 1) << STEP_BITS;

#[cfg(test)]
mod tests;
