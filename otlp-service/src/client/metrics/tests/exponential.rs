//! Exponential histograms against a model that keeps all values.

use super::super::exponential::{Buckets, Exponential, MAX_BUCKETS, MAX_SCALE, index_of};
use super::super::{HistogramAggregation, TemporalityPreference};
use super::{Measured, collect, metrics};
use otlp_protocol::view::{ExponentialHistogramPoint, MetricData};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Lowest scale: all finite values fit.
const MIN_SCALE: i32 = -10;

/// Values by index at the highest scale at which positive and negative values each fit.
fn model(values: &[f64]) -> (i32, [BTreeMap<i32, u64>; 2]) {
    let at = |scale: i32| {
        [1.0, -1.0].map(|sign| {
            let mut counts = BTreeMap::new();
            for value in values.iter().map(|value| value * sign).filter(|value| *value > 0.0) {
                *counts.entry(index_of(value, scale)).or_default() += 1;
            }
            counts
        })
    };
    let fits = |counts: &BTreeMap<i32, u64>| match (counts.first_key_value(), counts.last_key_value()) {
        (Some((first, _)), Some((last, _))) => last.abs_diff(*first) < MAX_BUCKETS.unsigned_abs(),
        _ => true,
    };
    let mut scales = (MIN_SCALE..=MAX_SCALE).rev().map(|scale| (scale, at(scale)));
    scales.find(|(_, sides)| sides.iter().all(fits)).unwrap()
}

fn counts(buckets: &Buckets) -> BTreeMap<i32, u64> {
    assert!(buckets.counts.len() <= MAX_BUCKETS as usize);
    (buckets.offset..).zip(buckets.counts.iter().copied()).filter(|(_, count)| *count > 0).collect()
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (-20.0..20.0f64).prop_map(f64::exp2),
        2 => (-20.0..20.0f64).prop_map(|exponent| -exponent.exp2()),
        2 => 1.0..1.001f64,
        1 => (-1_074i32..1_024).prop_map(|exponent| f64::from(exponent).exp2()),
        1 => any::<f64>().prop_filter("finite", |value| value.is_finite()),
        1 => Just(0.0),
    ]
}

proptest! {
    #[test]
    fn an_index_has_its_value_between_its_bounds(value in value(), scale in MIN_SCALE..=MAX_SCALE) {
        let value = value.abs();
        prop_assume!(value > 0.0);
        let index = f64::from(index_of(value, scale));
        // In logarithms, as the bounds may be beyond the range of doubles; those near 1 are exact enough.
        let log = if value < f64::MIN_POSITIVE { (value * 2f64.powi(54)).log2() - 54.0 } else { value.log2() };
        let position = log * f64::from(scale).exp2();
        let slack = position.abs() * 1e-13 + 1e-9;
        prop_assert!(index < position + slack && position <= index + 1.0 + slack, "{} at {}", index, position);
    }

    #[test]
    fn an_index_at_a_lower_scale_is_half(value in value(), scale in MIN_SCALE + 1..=MAX_SCALE) {
        let value = value.abs();
        prop_assume!(value > 0.0);
        prop_assert_eq!(index_of(value, scale) >> 1, index_of(value, scale - 1));
    }

    #[test]
    fn histograms_equal_the_model(values in prop::collection::vec(value(), 0..300), cut in 0usize..300) {
        let (one, other) = values.split_at(cut.min(values.len()));
        let (mut all, mut second) = (Exponential::new(), Exponential::new());
        one.iter().for_each(|value| all.record(*value));
        other.iter().for_each(|value| second.record(*value));
        all.merge(&second);
        let (scale, [positive, negative]) = model(&values);
        prop_assert_eq!(all.scale, scale);
        prop_assert_eq!(counts(&all.positive), positive);
        prop_assert_eq!(counts(&all.negative), negative);
        prop_assert_eq!(all.zeros, values.iter().filter(|value| **value == 0.0).count() as u64);
        prop_assert_eq!(all.count(), values.len() as u64);
    }
}

#[test]
fn powers_of_two_end_their_buckets() {
    for scale in MIN_SCALE..=MAX_SCALE {
        for exponent in [-1_074, -1_023, -1_022, -1, 0, 1, 2, 1_023] {
            let power = f64::from(exponent).exp2();
            let end = (f64::from(exponent) * f64::from(scale).exp2()).ceil() as i32 - 1;
            assert_eq!(index_of(power, scale), end, "2^{exponent} at {scale}");
            if (-1_022..1_023).contains(&exponent) {
                let above = power.next_up();
                assert!(index_of(above, scale) >= end, "above 2^{exponent} at {scale}");
            }
        }
    }
    assert_eq!(index_of(f64::MAX, MIN_SCALE), 0);
    assert_eq!(index_of(f64::from_bits(1), MIN_SCALE), -2);
}

fn points(request: &[u8]) -> Vec<ExponentialHistogramPoint<'_>> {
    let data = metrics(request).map(|metric| metric.data());
    data.flat_map(|data| match data {
        MetricData::ExponentialHistogram(histogram) => histogram.data_points().collect(),
        _ => Vec::new(),
    })
    .collect()
}

#[test]
fn points_are_encoded_and_deltas_begin_at_the_highest_scale() {
    let Measured { meters, .. } = Measured::new(|settings| {
        settings.histogram_aggregation = HistogramAggregation::Base2Exponential;
        settings.temporality = TemporalityPreference::Delta;
    });
    let histogram = meters.histogram::<f64>("duration").boundaries([1.0]).build();
    for values in [&[1.5, 1.5, -4.0, 0.0, 1e9][..], &[3.0], &[]] {
        values.iter().for_each(|value| histogram.record(*value, [("route", "/")]));
        let request = collect(&meters, 200);
        let points = points(&request);
        let Some(point) = points.first() else { return assert!(values.is_empty()) };
        let (scale, [positive, negative]) = model(values);
        assert_eq!((point.scale(), point.count()), (scale, values.len() as u64));
        let shown = |offset: i32, counts: Vec<u64>| -> BTreeMap<i32, u64> {
            (offset..).zip(counts).filter(|(_, count)| *count > 0).collect()
        };
        let side = point.positive();
        assert_eq!(shown(side.offset(), side.bucket_counts().collect()), positive);
        let side = point.negative();
        assert_eq!(shown(side.offset(), side.bucket_counts().collect()), negative);
        assert_eq!(point.zero_count(), values.iter().filter(|value| **value == 0.0).count() as u64);
        assert_eq!(point.sum(), Some(values.iter().sum()));
        assert_eq!(point.min(), values.iter().copied().min_by(f64::total_cmp));
        assert_eq!(point.max(), values.iter().copied().max_by(f64::total_cmp));
    }
}
