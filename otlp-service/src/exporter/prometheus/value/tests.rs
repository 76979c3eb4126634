use super::*;

fn number(value: Number, start: u64, time: u64) -> Point {
    Point { value: Value::Number(value), start, time, exemplars: Box::default() }
}

fn histogram(counts: &[u64], start: u64, time: u64) -> Point {
    let count = counts.iter().sum();
    let histogram = Histogram { count, sum: count as f64, bounds: [1.0].into(), counts: counts.into() };
    Point { value: Value::Histogram(Box::new(histogram)), start, time, exemplars: Box::default() }
}

#[test]
fn deltas_are_added_if_they_follow() {
    let mut point = number(Number::Int(5), 0, 10);
    assert_eq!(point.take(number(Number::Int(6), 10, 20), Temporality::Delta), Outcome::Taken);
    assert_eq!(point, number(Number::Int(11), 0, 20));
    assert_eq!(point.take(number(Number::Double(0.5), 20, 30), Temporality::Delta), Outcome::Taken);
    assert_eq!(point, number(Number::Double(11.5), 0, 30));
    assert_eq!(point.take(number(Number::Int(7), 40, 50), Temporality::Delta), Outcome::Taken);
    assert_eq!(point, number(Number::Int(7), 40, 50));
    assert_eq!(point.take(number(Number::Int(1), 0, 49), Temporality::Delta), Outcome::Old);
}

#[test]
fn overlapping_deltas_of_histograms_are_refused() {
    let mut point = histogram(&[1, 1], 0, 10);
    assert_eq!(point.take(histogram(&[2, 3], 10, 20), Temporality::Delta), Outcome::Taken);
    assert_eq!(point, histogram(&[3, 4], 0, 20));
    assert_eq!(point.take(histogram(&[2, 3], 15, 25), Temporality::Delta), Outcome::Overlapping);
    assert_eq!(point.take(histogram(&[2, 3], 21, 25), Temporality::Delta), Outcome::Taken);
    assert_eq!(point, histogram(&[2, 3], 21, 25));
}

#[test]
fn the_latest_cumulative_point_counts() {
    let mut point = number(Number::Int(5), 0, 10);
    assert_eq!(point.take(number(Number::Int(4), 0, 9), Temporality::Cumulative), Outcome::Old);
    assert_eq!(point.take(number(Number::Int(6), 0, 10), Temporality::Cumulative), Outcome::Taken);
    assert_eq!(point, number(Number::Int(6), 0, 10));
    let mut point = histogram(&[1, 1], 0, 10);
    assert_eq!(point.take(histogram(&[1, 0], 0, 9), Temporality::Cumulative), Outcome::Old);
    // Another kind of point of the same labels.
    assert_eq!(point.take(number(Number::Int(1), 0, 5), Temporality::Cumulative), Outcome::Taken);
}
