//! Histograms with explicit boundaries.

use super::super::TemporalityPreference;
use super::super::histogram::DEFAULT_BOUNDARIES;
use super::{Measured, collect, metrics};
use otlp_protocol::view::{HistogramPoint, MetricData};
use proptest::prelude::*;

fn points(request: &[u8]) -> Vec<HistogramPoint<'_>> {
    let data = metrics(request).map(|metric| metric.data());
    data.flat_map(|data| match data {
        MetricData::Histogram(histogram) => histogram.data_points().collect(),
        _ => Vec::new(),
    })
    .collect()
}

/// Asserts that a point has the values.
fn check(point: HistogramPoint<'_>, bounds: &[f64], values: &[f64]) {
    let mut counts = vec![0; bounds.len() + 1];
    for value in values {
        let bucket = bounds.iter().position(|bound| value <= bound).unwrap_or(bounds.len());
        counts[bucket] += 1;
    }
    assert_eq!(point.explicit_bounds().collect::<Vec<_>>(), bounds);
    assert_eq!(point.bucket_counts().collect::<Vec<_>>(), counts);
    assert_eq!(point.count(), values.len() as u64);
    // The values are multiples of 1/4, so that sums are exact in any order.
    assert_eq!(point.sum(), Some(values.iter().sum()));
    assert_eq!(point.min(), values.iter().copied().min_by(f64::total_cmp));
    assert_eq!(point.max(), values.iter().copied().max_by(f64::total_cmp));
}

proptest! {
    #[test]
    fn histograms_equal_brute_force(
        bounds in prop::collection::btree_set(-40i32..400, 0..40),
        periods in prop::collection::vec(prop::collection::vec(-200i32..2_000, 0..60), 1..5),
        is_delta: bool,
    ) {
        let bounds: Vec<f64> = bounds.into_iter().map(f64::from).collect();
        let temporality = if is_delta { TemporalityPreference::Delta } else { TemporalityPreference::Cumulative };
        let Measured { meters, .. } = Measured::new(|settings| settings.temporality = temporality);
        let histogram = meters.histogram::<f64>("duration").boundaries(bounds.clone()).build();
        let bound = histogram.bind([("route", "/")]);
        let mut expected = Vec::new();
        for (turn, period) in periods.into_iter().enumerate() {
            for (index, quarters) in period.into_iter().enumerate() {
                let value = f64::from(quarters) / 4.0;
                if index % 2 == 0 { bound.record(value) } else { histogram.record(value, [("route", "/")]) }
                expected.push(value);
            }
            let request = collect(&meters, 200 + turn as u64);
            match &points(&request)[..] {
                [point] => check(*point, &bounds, &expected),
                found => prop_assert!(found.is_empty() && expected.is_empty(), "{:?}", found),
            }
            if is_delta {
                expected.clear();
            }
        }
    }
}

#[test]
fn boundaries_are_the_specifications_and_belong_to_the_bucket_below() {
    let Measured { meters, .. } = Measured::new(|_| ());
    let histogram = meters.histogram::<u64>("size").unit("By").build();
    DEFAULT_BOUNDARIES.iter().for_each(|bound| histogram.record(*bound as u64, ()));
    let request = collect(&meters, 200);
    check(points(&request)[0], &DEFAULT_BOUNDARIES, &DEFAULT_BOUNDARIES);
    let counts: Vec<u64> = points(&request)[0].bucket_counts().collect();
    assert_eq!(counts, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
}

#[test]
fn invalid_boundaries_are_reported_and_replaced() {
    let too_many: Vec<f64> = (0..1_025).map(f64::from).collect();
    for boundaries in [vec![2.0, 1.0], vec![1.0, 1.0], vec![f64::NAN], vec![1.0, f64::INFINITY], too_many] {
        let measured = Measured::new(|_| ());
        measured.meters.histogram::<f64>("duration").boundaries(boundaries).build().record(3.0, ());
        check(points(&collect(&measured.meters, 200))[0], &DEFAULT_BOUNDARIES, &[3.0]);
        let [problem] = &measured.problems()[..] else { panic!("no problem") };
        assert!(problem.contains("\"duration\": invalid histogram boundaries"), "{problem}");
    }
}

#[test]
fn a_histogram_without_boundaries_has_one_bucket() {
    let Measured { meters, .. } = Measured::new(|_| ());
    let histogram = meters.histogram::<f64>("duration").boundaries([]).build();
    histogram.record(3.0, ());
    histogram.record(-4.0, ());
    check(points(&collect(&meters, 200))[0], &[], &[3.0, -4.0]);
}
