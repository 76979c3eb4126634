//! Fields of data points. A field that the kind of the point does not have is nil.

use super::Field;
use super::span::int;
use crate::ottl::environment::{Environment, Level};
use crate::ottl::target::{Special, Write};
use crate::ottl::value::{Map, Messages, Value};
use otlp_protocol::view::{Buckets, DataPoint, ExponentialHistogramPoint, HistogramPoint, Number};

pub(super) const FIELDS: &[Field] = &[
    point("attributes", Write::Special(Special::PointAttributes), |env| {
        Value::Map(Map::Encoded(env.point().attributes()))
    })
    .keyed(),
    point("bucket_counts", Write::Special(Special::BucketCounts), |env| {
        of_histogram(env, |point| counts(point.bucket_counts()))
    }),
    point("count", Write::Fixed64(4), |env| match env.point() {
        DataPoint::ExponentialHistogram(point) => Value::Int(point.count() as i64),
        DataPoint::Histogram(point) => Value::Int(point.count() as i64),
        DataPoint::Summary(point) => Value::Int(point.count() as i64),
        _ => Value::Nil,
    }),
    point("exemplars", Write::ReadOnly, |env| match env.point() {
        DataPoint::Summary(_) => Value::Nil,
        point => Value::Messages(Messages::Exemplars(point)),
    }),
    point("explicit_bounds", Write::Special(Special::ExplicitBounds), |env| {
        of_histogram(env, |point| Value::from(point.explicit_bounds().map(Value::Double).collect::<Vec<_>>()))
    }),
    point("flags", Write::Special(Special::PointFlags), |env| match env.point() {
        DataPoint::ExponentialHistogram(point) => int(point.flags()),
        DataPoint::Histogram(point) => int(point.flags()),
        DataPoint::Number(point) => int(point.flags()),
        DataPoint::Summary(point) => int(point.flags()),
        _ => Value::Nil,
    }),
    point("negative", Write::ReadOnly, |env| {
        of_exponential(env, |point| Value::Messages(Messages::Buckets(point.negative())))
    }),
    point("negative.bucket_counts", Write::Special(Special::BucketsCounts), |env| {
        of_exponential(env, |point| buckets(point.negative()))
    }),
    point("negative.offset", Write::Special(Special::BucketsOffset), |env| {
        of_exponential(env, |point| Value::Int(i64::from(point.negative().offset())))
    }),
    point("positive", Write::ReadOnly, |env| {
        of_exponential(env, |point| Value::Messages(Messages::Buckets(point.positive())))
    }),
    point("positive.bucket_counts", Write::Special(Special::BucketsCounts), |env| {
        of_exponential(env, |point| buckets(point.positive()))
    }),
    point("positive.offset", Write::Special(Special::BucketsOffset), |env| {
        of_exponential(env, |point| Value::Int(i64::from(point.positive().offset())))
    }),
    point("quantile_values", Write::ReadOnly, |env| match env.point() {
        DataPoint::Summary(point) => Value::Messages(Messages::Quantiles(point)),
        _ => Value::Nil,
    }),
    point("scale", Write::Special(Special::Scale), |env| {
        of_exponential(env, |point| Value::Int(i64::from(point.scale())))
    }),
    point("start_time", Write::Time(2), |env| Value::utc(env.point().start_time_unix_nano() as i64)),
    point("start_time_unix_nano", Write::Fixed64(2), |env| {
        Value::Int(env.point().start_time_unix_nano() as i64)
    }),
    point("sum", Write::Double(5), |env| match env.point() {
        DataPoint::ExponentialHistogram(point) => Value::Double(point.sum().unwrap_or_default()),
        DataPoint::Histogram(point) => Value::Double(point.sum().unwrap_or_default()),
        DataPoint::Summary(point) => Value::Double(point.sum()),
        _ => Value::Nil,
    }),
    point("time", Write::Time(3), |env| Value::utc(env.point().time_unix_nano() as i64)),
    point("time_unix_nano", Write::Fixed64(3), |env| Value::Int(env.point().time_unix_nano() as i64)),
    point("value_double", Write::Special(Special::Number), |env| match env.point() {
        DataPoint::Number(point) => double(point.value()),
        _ => Value::Nil,
    }),
    point("value_int", Write::Special(Special::Number), |env| match env.point() {
        DataPoint::Number(point) => int_of(point.value()),
        _ => Value::Nil,
    }),
    point("zero_count", Write::Fixed64(7), |env| {
        of_exponential(env, |point| Value::Int(point.zero_count() as i64))
    }),
];

const fn point(name: &'static str, write: Write, read: super::Read) -> Field {
    Field::new(Level::Child, name, write, read)
}

fn of_histogram<'a>(
    env: &'a Environment<'_>,
    read: impl FnOnce(HistogramPoint<'a>) -> Value<'a>,
) -> Value<'a> {
    if let DataPoint::Histogram(point) = env.point() { read(point) } else { Value::Nil }
}

fn of_exponential<'a>(
    env: &'a Environment<'_>,
    read: impl FnOnce(ExponentialHistogramPoint<'a>) -> Value<'a>,
) -> Value<'a> {
    if let DataPoint::ExponentialHistogram(point) = env.point() { read(point) } else { Value::Nil }
}

fn buckets(buckets: Buckets<'_>) -> Value<'_> {
    counts(buckets.bucket_counts())
}

fn counts<'a>(counts: impl Iterator<Item = u64>) -> Value<'a> {
    Value::from(counts.map(|count| Value::Int(count as i64)).collect::<Vec<_>>())
}

/// Returns a double; 0 for an int, like the Collector.
pub(super) fn double<'a>(number: Number) -> Value<'a> {
    Value::Double(if let Number::Double(value) = number { value } else { 0.0 })
}

/// Returns an int; 0 for a double, like the Collector.
pub(super) fn int_of<'a>(number: Number) -> Value<'a> {
    Value::Int(if let Number::Int(value) = number { value } else { 0 })
}
