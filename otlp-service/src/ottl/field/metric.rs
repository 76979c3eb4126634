//! Fields of metrics.

use super::Field;
use crate::ottl::environment::{Environment, Level};
use crate::ottl::target::{Special, Write};
use crate::ottl::value::{Map, Messages, Value};
use otlp_protocol::AggregationTemporality;
use otlp_protocol::view::MetricData;

pub(super) const FIELDS: &[Field] = &[
    metric("aggregation_temporality", Write::Special(Special::AggregationTemporality), temporality),
    metric("data_points", Write::ReadOnly, |env| match env.metric().data() {
        MetricData::Empty => Value::Nil,
        _ => Value::Messages(Messages::Points(env.metric())),
    }),
    metric("description", Write::Text(2), |env| Value::text(env.metric().description())),
    metric("is_monotonic", Write::Special(Special::IsMonotonic), |env| match env.metric().data() {
        MetricData::Sum(sum) => Value::Bool(sum.is_monotonic()),
        _ => Value::Nil,
    }),
    metric("metadata", Write::Attributes(12), |env| Value::Map(Map::Encoded(env.metric().metadata()))),
    metric("name", Write::Text(1), |env| Value::text(env.metric().name())),
    metric("type", Write::Ignored, |env| Value::Int(kind(env.metric().data()))),
    metric("unit", Write::Text(3), |env| Value::text(env.metric().unit())),
];

const fn metric(name: &'static str, write: Write, read: super::Read) -> Field {
    Field::new(Level::Entry, name, write, read)
}

fn temporality<'a>(env: &'a Environment<'_>) -> Value<'a> {
    let temporality: AggregationTemporality = match env.metric().data() {
        MetricData::Sum(sum) => sum.aggregation_temporality(),
        MetricData::Histogram(histogram) => histogram.aggregation_temporality(),
        MetricData::ExponentialHistogram(histogram) => histogram.aggregation_temporality(),
        _ => return Value::Nil,
    };
    Value::Int(i64::from(i32::from(temporality)))
}

/// Returns the number of a type among the constants `METRIC_DATA_TYPE_…`.
fn kind(data: MetricData<'_>) -> i64 {
    match data {
        MetricData::Gauge(_) => 1,
        MetricData::Sum(_) => 2,
        MetricData::Histogram(_) => 3,
        MetricData::ExponentialHistogram(_) => 4,
        MetricData::Summary(_) => 5,
        _ => 0,
    }
}
