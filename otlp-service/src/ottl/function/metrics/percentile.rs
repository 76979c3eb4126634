//! Percentiles of histograms, with values spread evenly inside of each bucket.

use crate::ottl::error::EvalError;
use otlp_protocol::view::{Buckets, ExponentialHistogramPoint, HistogramPoint};

/// Returns a percentile, from 0 to 100; `None` for a point without values.
///
/// # Errors
/// If the buckets do not fit to their bounds or to the count.
pub(super) fn of_histogram(point: &HistogramPoint<'_>, percentile: f64) -> Result<Option<f64>, EvalError> {
    let counts: Vec<u64> = point.bucket_counts().collect();
    let bounds: Vec<f64> = point.explicit_bounds().collect();
    if point.count() == 0 || counts.is_empty() {
        return Ok(None);
    }
    if counts.len() != bounds.len() + 1 {
        return Err(EvalError::new("the histogram must have one bucket more than bounds"));
    }
    let Some((bucket, place)) = bucket_of(counts.iter().copied(), 0, rank(point.count(), percentile)) else {
        return Err(TOO_FEW);
    };
    let share = place as f64 / counts.get(bucket).copied().unwrap_or_default() as f64;
    // Only the bound between two buckets is known, and the smallest and largest value perhaps.
    let lower = bucket.checked_sub(1).and_then(|index| bounds.get(index)).copied();
    let upper = bounds.get(bucket).copied();
    Ok(match (lower, upper) {
        (Some(lower), Some(upper)) => Some(lower + share * (upper - lower)),
        (None, Some(upper)) => match point.min().filter(|min| *min < upper) {
            Some(min) => Some(min + share * (upper - min)),
            None if upper < 0.0 => Some(upper),
            None => Some(share * upper),
        },
        (Some(lower), None) => match point.max().filter(|max| *max > lower) {
            Some(max) => Some(lower + share * (max - lower)),
            None => Some(lower),
        },
        (None, None) => point.min().zip(point.max()).map(|(min, max)| min + share * (max - min)),
    })
}

/// Returns a percentile, from 0 to 100; `None` for a point without values.
///
/// # Errors
/// If the buckets do not fit to the count.
pub(super) fn of_exponential_histogram(
    point: &ExponentialHistogramPoint<'_>,
    percentile: f64,
) -> Result<Option<f64>, EvalError> {
    let (positive, negative) = (Side::new(point.positive()), Side::new(point.negative()));
    if point.count() == 0
        || (positive.counts.is_empty() && negative.counts.is_empty() && point.zero_count() == 0)
    {
        return Ok(None);
    }
    let (scale, rank) = (point.scale(), rank(point.count(), percentile));
    // The buckets of negative values lead from zero downwards.
    let from_below = negative.counts.iter().rev().copied();
    if let Some((from_end, place)) = bucket_of(from_below, 0, rank) {
        let bucket = negative.counts.len() - 1 - from_end;
        return negative.value(bucket, scale, 1.0 - negative.share(bucket, place)).map(|value| Some(-value));
    }
    let below_zero = negative.total();
    if below_zero.saturating_add(point.zero_count()) >= rank {
        let threshold = point.zero_threshold();
        let lower = if negative.counts.is_empty() && !positive.counts.is_empty() { 0.0 } else { -threshold };
        let upper = if positive.counts.is_empty() && !negative.counts.is_empty() { 0.0 } else { threshold };
        let share = (rank - below_zero) as f64 / point.zero_count() as f64;
        return Ok(Some(lower + share * (upper - lower)));
    }
    let before = below_zero.saturating_add(point.zero_count());
    let Some((bucket, place)) = bucket_of(positive.counts.iter().copied(), before, rank) else {
        return Err(TOO_FEW);
    };
    positive.value(bucket, scale, positive.share(bucket, place)).map(Some)
}

const TOO_FEW: EvalError = EvalError::new("the buckets have fewer values than the count says");

/// Buckets on one side of zero.
struct Side {
    offset: i32,
    counts: Vec<u64>,
}

// === impl Side ===

impl Side {
    fn new(buckets: Buckets<'_>) -> Self {
        Self { offset: buckets.offset(), counts: buckets.bucket_counts().collect() }
    }

    fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count))
    }

    /// Returns the part of a bucket's values that come up to a place.
    fn share(&self, bucket: usize, place: u64) -> f64 {
        place as f64 / self.counts.get(bucket).copied().unwrap_or_default() as f64
    }

    /// Returns the value at a part of a bucket, on a logarithmic scale.
    fn value(&self, bucket: usize, scale: i32, share: f64) -> Result<f64, EvalError> {
        let index = i64::from(self.offset) + bucket as i64;
        let [lower, upper] = [bound(index, scale), bound(index + 1, scale)];
        if !(lower > 0.0 && lower < upper && upper.is_finite()) {
            return Err(EvalError::new("the bounds of a bucket are outside of the range of doubles"));
        }
        let [lower, upper] = [lower.log2(), upper.log2()];
        Ok((lower + (upper - lower) * share).exp2())
    }
}

/// Returns the lower bound of a bucket: 2^(index · 2^-scale).
fn bound(index: i64, scale: i32) -> f64 {
    let exponent = index as f64 * f64::from(-scale).exp2();
    exponent.exp2()
}

/// Returns the rank of the value at a percentile: 1 for the smallest of `count` values.
fn rank(count: u64, percentile: f64) -> u64 {
    (count as f64 * (percentile / 100.0)).ceil() as u64
}

/// Returns the bucket with the value of a rank, and the place of the value in the bucket: 1 for the bucket's first value.
fn bucket_of(counts: impl Iterator<Item = u64>, before: u64, rank: u64) -> Option<(usize, u64)> {
    let mut before = before;
    for (index, count) in counts.enumerate() {
        let through = before.saturating_add(count);
        if through >= rank {
            return Some((index, rank - before));
        }
        before = through;
    }
    None
}
