//! Points of gauges and sums that become one point.

use super::super::message::number::{AS_DOUBLE, AS_INT, START_TIME};
use super::super::message::{copy_except, put_double, put_fixed64};
use super::{Aggregation, start};
use otlp_protocol::view::{DataPoint, Number, NumberPoint};

/// Appends the first point with the value of all. The value has the type of the first point's value.
pub(super) fn join(
    first: &NumberPoint<'_>,
    points: &[DataPoint<'_>],
    aggregation: Aggregation,
    out: &mut Vec<u8>,
) {
    copy_except(first.as_bytes(), &[START_TIME, AS_DOUBLE, AS_INT], out);
    put_fixed64(out, START_TIME, start(points));
    let values = points.iter().filter_map(|point| match point {
        DataPoint::Number(point) => Some(point.value()),
        _ => None,
    });
    match first.value() {
        Number::Double(_) => {
            let doubles: Vec<f64> = values.map(double).collect();
            put_double(out, AS_DOUBLE, of_doubles(doubles, aggregation));
        }
        Number::Int(_) => {
            let ints: Vec<i64> = values.map(int).collect();
            put_fixed64(out, AS_INT, of_ints(ints, aggregation) as u64);
        }
        // Points without a recorded value stay without.
        Number::Empty => {}
    }
}

fn of_doubles(mut values: Vec<f64>, aggregation: Aggregation) -> f64 {
    let count = values.len();
    match aggregation {
        Aggregation::Count => count as f64,
        Aggregation::Max => values.into_iter().fold(f64::NEG_INFINITY, max),
        Aggregation::Mean => values.into_iter().sum::<f64>() / count as f64,
        Aggregation::Median => {
            // NaN comes first, as in Go.
            values.sort_by(|left, right| right.is_nan().cmp(&left.is_nan()).then(left.total_cmp(right)));
            let [lower, upper] = middle(&values);
            if count % 2 == 1 { upper } else { (lower + upper) / 2.0 }
        }
        Aggregation::Min => -values.into_iter().map(|value| -value).fold(f64::NEG_INFINITY, max),
        Aggregation::Sum => values.into_iter().sum(),
    }
}

fn of_ints(mut values: Vec<i64>, aggregation: Aggregation) -> i64 {
    let count = values.len() as i64;
    let sum = values.iter().fold(0i64, |sum, value| sum.wrapping_add(*value));
    match aggregation {
        Aggregation::Count => count,
        Aggregation::Max => values.into_iter().max().unwrap_or_default(),
        Aggregation::Mean => sum.checked_div(count).unwrap_or_default(),
        Aggregation::Median => {
            values.sort_unstable();
            let [lower, upper] = middle(&values);
            if count % 2 == 1 { upper } else { lower.wrapping_add(upper) / 2 }
        }
        Aggregation::Min => values.into_iter().min().unwrap_or_default(),
        Aggregation::Sum => sum,
    }
}

/// Returns the larger of two numbers; NaN if one is.
fn max(left: f64, right: f64) -> f64 {
    if left.is_nan() || right.is_nan() { f64::NAN } else { left.max(right) }
}

/// Returns the two values in the middle of a sorted list; the last one is the middle of an odd number of values.
fn middle<T: Copy + Default>(values: &[T]) -> [T; 2] {
    let upper = values.len() / 2;
    let at = |index: Option<usize>| index.and_then(|index| values.get(index)).copied().unwrap_or_default();
    [at(upper.checked_sub(1)), at(Some(upper))]
}

fn double(value: Number) -> f64 {
    match value {
        Number::Double(value) => value,
        Number::Int(value) => value as f64,
        Number::Empty => 0.0,
    }
}

fn int(value: Number) -> i64 {
    match value {
        Number::Double(value) => value as i64,
        Number::Int(value) => value,
        Number::Empty => 0,
    }
}

#[cfg(test)]
mod tests;
