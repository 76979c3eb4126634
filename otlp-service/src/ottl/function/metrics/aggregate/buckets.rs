//! Points of histograms that become one point.

use super::super::message::number::START_TIME;
use super::super::message::{copy_except, fields, put_double, put_fixed64};
use super::start;
use crate::ottl::error::EvalError;
use otlp_protocol::view::{Buckets, DataPoint, ExponentialHistogramPoint, HistogramPoint};
use otlp_protocol::wire::{put_len_delimited, put_uint, put_varint};

pub(super) const HISTOGRAM_ATTRIBUTES: u32 = 9;
pub(super) const EXPONENTIAL_ATTRIBUTES: u32 = 1;

/// The most buckets of a side of an exponential histogram. Points with far buckets need the empty buckets between, too.
const MAX_BUCKETS: usize = 1 << 16;

// Fields of both kinds of points.
const COUNT: u32 = 4;
const SUM: u32 = 5;

/// Returns what must be the same for histograms to be joined: bounds or scale, flags, and which extremes are known.
pub(super) fn shape(point: DataPoint<'_>) -> Vec<u64> {
    match point {
        DataPoint::Histogram(point) => {
            let mut shape: Vec<u64> = point.explicit_bounds().map(f64::to_bits).collect();
            shape.extend([
                u64::from(point.min().is_some()),
                u64::from(point.max().is_some()),
                point.flags().into(),
            ]);
            shape
        }
        DataPoint::ExponentialHistogram(point) => vec![
            point.scale() as u64,
            u64::from(point.min().is_some()),
            u64::from(point.max().is_some()),
            point.flags().into(),
        ],
        _ => Vec::new(),
    }
}

/// Appends the first histogram with the values of all.
pub(super) fn join_histograms(first: &HistogramPoint<'_>, points: &[DataPoint<'_>], out: &mut Vec<u8>) {
    const BUCKET_COUNTS: u32 = 6;
    const EXEMPLARS: u32 = 8;
    const MIN: u32 = 11;
    const MAX: u32 = 12;
    let others = points.iter().skip(1).filter_map(|point| match point {
        DataPoint::Histogram(point) if point.count() > 0 => Some(*point),
        _ => None,
    });
    let others: Vec<_> = others.collect();
    if others.is_empty() {
        return out.extend_from_slice(first.as_bytes());
    }
    copy_except(first.as_bytes(), &[START_TIME, COUNT, SUM, BUCKET_COUNTS, MIN, MAX], out);
    put_fixed64(out, START_TIME, start(points));
    let mut counts: Vec<u64> = first.bucket_counts().collect();
    let (mut count, mut sum) = (first.count(), first.sum().unwrap_or_default());
    let (mut min, mut max) = (first.min(), first.max());
    for point in &others {
        count = count.wrapping_add(point.count());
        sum += point.sum().unwrap_or_default();
        min = min.map(|min| min.min(point.min().unwrap_or(min)));
        max = max.map(|max| max.max(point.max().unwrap_or(max)));
        add(&mut counts, 0, point.bucket_counts());
        append(point.as_bytes(), EXEMPLARS, out);
    }
    put_fixed64(out, COUNT, count);
    put_double(out, SUM, sum);
    let counts: Vec<u8> = counts.into_iter().flat_map(u64::to_le_bytes).collect();
    put_len_delimited(out, BUCKET_COUNTS, &counts);
    put_extremes(out, (MIN, min), (MAX, max));
}

/// Appends the first histogram with the values of all.
pub(super) fn join_exponential_histograms(
    first: &ExponentialHistogramPoint<'_>,
    points: &[DataPoint<'_>],
    out: &mut Vec<u8>,
) -> Result<(), EvalError> {
    const ZERO_COUNT: u32 = 7;
    const POSITIVE: u32 = 8;
    const NEGATIVE: u32 = 9;
    const EXEMPLARS: u32 = 11;
    const MIN: u32 = 12;
    const MAX: u32 = 13;
    let others = points.iter().skip(1).filter_map(|point| match point {
        DataPoint::ExponentialHistogram(point) if point.count() > 0 => Some(*point),
        _ => None,
    });
    let others: Vec<_> = others.collect();
    if others.is_empty() {
        out.extend_from_slice(first.as_bytes());
        return Ok(());
    }
    copy_except(first.as_bytes(), &[START_TIME, COUNT, SUM, ZERO_COUNT, POSITIVE, NEGATIVE, MIN, MAX], out);
    put_fixed64(out, START_TIME, start(points));
    let (mut count, mut sum, mut zeros) =
        (first.count(), first.sum().unwrap_or_default(), first.zero_count());
    let (mut min, mut max) = (first.min(), first.max());
    for point in &others {
        count = count.wrapping_add(point.count());
        sum += point.sum().unwrap_or_default();
        zeros = zeros.wrapping_add(point.zero_count());
        min = min.map(|min| min.min(point.min().unwrap_or(min)));
        max = max.map(|max| max.max(point.max().unwrap_or(max)));
        append(point.as_bytes(), EXEMPLARS, out);
    }
    put_fixed64(out, COUNT, count);
    put_double(out, SUM, sum);
    put_fixed64(out, ZERO_COUNT, zeros);
    let positive: Vec<_> = others.iter().map(|point| point.positive()).collect();
    put_side(out, POSITIVE, first.positive(), &positive)?;
    let negative: Vec<_> = others.iter().map(|point| point.negative()).collect();
    put_side(out, NEGATIVE, first.negative(), &negative)?;
    put_extremes(out, (MIN, min), (MAX, max));
    Ok(())
}

/// Appends the buckets of all points on one side of zero.
fn put_side(
    out: &mut Vec<u8>,
    number: u32,
    first: Buckets<'_>,
    others: &[Buckets<'_>],
) -> Result<(), EvalError> {
    let all =
        || std::iter::once(&first).chain(others).filter(|buckets| buckets.bucket_counts().next().is_some());
    let Some(start) = all().map(Buckets::offset).min() else { return Ok(()) };
    let mut counts = Vec::new();
    for buckets in all() {
        let shift = usize::try_from(i64::from(buckets.offset()) - i64::from(start)).unwrap_or(usize::MAX);
        if shift.saturating_add(buckets.bucket_counts().count()) > MAX_BUCKETS {
            return Err(EvalError::new("the points have buckets that are more than 65,536 buckets apart"));
        }
        add(&mut counts, shift, buckets.bucket_counts());
    }
    let (mut message, mut packed) = (Vec::new(), Vec::new());
    // An sint32 is in zigzag form.
    put_uint(&mut message, 1, u64::from(((start << 1) ^ (start >> 31)) as u32));
    for count in counts {
        put_varint(&mut packed, count);
    }
    put_len_delimited(&mut message, 2, &packed);
    put_len_delimited(out, number, &message);
    Ok(())
}

/// Adds counts to the counts from an index on.
fn add(counts: &mut Vec<u64>, start: usize, added: impl Iterator<Item = u64>) {
    for (index, count) in added.enumerate() {
        let index = start + index;
        if index >= counts.len() {
            counts.resize(index + 1, 0);
        }
        if let Some(sum) = counts.get_mut(index) {
            *sum = sum.wrapping_add(count);
        }
    }
}

/// Appends the fields of a message with a number.
fn append(message: &[u8], number: u32, out: &mut Vec<u8>) {
    for field in fields(message).filter(|field| field.number == number) {
        out.extend_from_slice(field.bytes);
    }
}

fn put_extremes(out: &mut Vec<u8>, min: (u32, Option<f64>), max: (u32, Option<f64>)) {
    for (number, value) in [min, max] {
        if let Some(value) = value {
            put_double(out, number, value);
        }
    }
}
