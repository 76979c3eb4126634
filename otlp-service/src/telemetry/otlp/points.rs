//! Points of a metric: its samples, with those of a histogram put together.

use crate::telemetry::{MetricFamily, MetricKind, Sample};

/// A number or a histogram of one set of labels.
pub(super) struct Point<'a> {
    pub(super) labels: &'a [(&'static str, String)],
    pub(super) value: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Number(f64),
    Buckets {
        bounds: Vec<f64>,
        /// One for each bound, and one for values above the last bound.
        counts: Vec<u64>,
        sum: f64,
    },
}

/// Returns the points of a metric.
pub(super) fn points(family: &MetricFamily) -> Vec<Point<'_>> {
    match family.kind {
        MetricKind::Histogram => histograms(&family.samples),
        MetricKind::Counter | MetricKind::Gauge => {
            let number = |sample: &'_ Sample| Value::Number(sample.value);
            family
                .samples
                .iter()
                .map(|sample| Point { labels: &sample.labels, value: number(sample) })
                .collect()
        }
    }
}

/// Puts histograms together: of each, the samples are the cumulative buckets, then the sum, then the count.
fn histograms(samples: &[Sample]) -> Vec<Point<'_>> {
    let mut points = Vec::new();
    let (mut bounds, mut counts, mut total, mut sum) = (Vec::new(), Vec::new(), 0, 0.0);
    for sample in samples {
        match sample.suffix {
            "_bucket" => {
                let bound = sample.labels.last().and_then(|(_, bound)| bound.parse::<f64>().ok());
                bounds.extend(bound.filter(|bound| bound.is_finite()));
                let below = sample.value as u64;
                counts.push(below.saturating_sub(total));
                total = below;
            }
            "_sum" => sum = sample.value,
            _ => {
                let (bounds, counts) = (std::mem::take(&mut bounds), std::mem::take(&mut counts));
                total = 0;
                points.push(Point { labels: &sample.labels, value: Value::Buckets { bounds, counts, sum } });
            }
        }
    }
    points
}

// === impl Value ===

impl Value {
    /// True if the value can have grown from an earlier value.
    pub(super) fn continues(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Number(now), Self::Number(before)) => now >= before,
            (
                Self::Buckets { bounds, counts, .. },
                Self::Buckets { bounds: bounds_before, counts: counts_before, .. },
            ) => {
                bounds == bounds_before && counts.iter().zip(counts_before).all(|(now, before)| now >= before)
            }
            _ => false,
        }
    }

    /// Subtracts an earlier value, which this value [continues](Self::continues).
    pub(super) fn subtract(&mut self, before: &Self) {
        match (self, before) {
            (Self::Number(now), Self::Number(before)) => *now -= before,
            (
                Self::Buckets { counts, sum, .. },
                Self::Buckets { counts: counts_before, sum: sum_before, .. },
            ) => {
                let pairs = counts.iter_mut().zip(counts_before);
                pairs.for_each(|(now, before)| *now = now.saturating_sub(*before));
                *sum -= sum_before;
            }
            _ => {}
        }
    }
}
