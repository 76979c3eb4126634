use super::*;

fn histogram(scale: i32, offset: i32, counts: &[u64]) -> Exponential {
    let positive = Buckets { offset, counts: counts.into() };
    Exponential { count: counts.iter().sum(), scale, positive, ..Exponential::default() }
}

/// The number of values up to each power of two.
fn cumulative(histogram: &Exponential) -> Vec<u64> {
    let base = 2_f64.powf(-f64::from(histogram.scale)).exp2();
    let Buckets { offset, counts } = &histogram.positive;
    let end = |at: usize| base.powf(f64::from(*offset) + at as f64 + 1.0);
    let below = |bound: f64| {
        let buckets = counts.iter().enumerate().filter(|(at, _)| end(*at) <= bound * (1.0 + 1e-9));
        buckets.map(|(_, count)| *count).sum::<u64>() + histogram.zero_count
    };
    (-4..12).map(|power| below(2_f64.powi(power))).collect()
}

/// Guarantee: a sum counts each value where it was, at the coarser scale.
#[test]
fn sums_keep_values_in_their_place() {
    for (one, other) in [((3, -2), (1, -1)), ((1, 5), (3, 40)), ((0, -7), (0, 0)), ((2, -9), (-1, -2))] {
        let one = histogram(one.0, one.1, &[1, 0, 2, 3, 0, 0, 4, 5, 6]);
        let other = histogram(other.0, other.1, &[7, 8, 0, 9]);
        let mut sum = one.clone();
        sum.add(&other);
        assert_eq!((sum.count, sum.scale), (one.count + other.count, one.scale.min(other.scale)));
        // Bounds at powers of two exist at each scale of 0 or more.
        if sum.scale >= 0 {
            let expected: Vec<_> =
                cumulative(&one).iter().zip(cumulative(&other)).map(|(one, other)| one + other).collect();
            assert_eq!(cumulative(&sum), expected);
        }
    }
}

#[test]
fn empty_buckets_change_nothing() {
    let mut sum = histogram(2, 3, &[1, 2]);
    sum.add(&histogram(2, 900, &[]));
    assert_eq!(sum, histogram(2, 3, &[1, 2]));
    let mut sum = histogram(2, 0, &[]);
    sum.add(&histogram(2, -3, &[4]));
    assert_eq!(sum, histogram(2, -3, &[4]));
}

/// Guarantee: buckets that are far apart become coarser instead of many.
#[test]
fn the_number_of_buckets_is_limited() {
    let mut sum = histogram(8, i32::MIN, &[1]);
    sum.add(&histogram(8, i32::MAX, &[2]));
    assert!(sum.positive.counts.len() <= MAX_BUCKETS, "{}", sum.positive.counts.len());
    assert_eq!(sum.positive.counts.iter().sum::<u64>(), 3);
}

#[test]
fn values_close_to_zero_count_as_zero() {
    let mut sum = histogram(0, -3, &[1, 2, 4, 8]);
    let mut wide = histogram(0, 0, &[16]);
    (wide.zero_threshold, wide.zero_count, wide.count) = (0.5, 32, 48);
    sum.add(&wide);
    // Buckets end at 0.25, 0.5, 1 and 2.
    assert_eq!((sum.zero_count, sum.zero_threshold), (35, 0.5));
    assert_eq!(sum.positive, Buckets { offset: -1, counts: vec![4, 24] });
}
