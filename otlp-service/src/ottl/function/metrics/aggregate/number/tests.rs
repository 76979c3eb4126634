use super::*;

/// The expected medians are those of the Collector, v0.161.
#[test]
fn nan_comes_before_all_numbers() {
    for (values, expect) in [
        (vec![1.5, 2.5, 1e-7, f64::NAN, 0.1, 0.2], 0.15000000000000002),
        (vec![3.0, f64::NAN, -1.0], -1.0),
        (vec![f64::NEG_INFINITY, f64::NAN, -f64::NAN], f64::NAN),
    ] {
        let found = of_doubles(values, Aggregation::Median);
        assert!(found == expect || found.is_nan() && expect.is_nan(), "{found} {expect}");
    }
}
