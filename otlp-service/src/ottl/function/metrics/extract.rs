//! Metrics made of parts of histograms and summaries: counts, sums, percentiles.

use super::convert::Data;
use super::message::number::{
    AGGREGATION_TEMPORALITY, AS_DOUBLE, AS_INT, DATA_POINTS, GAUGE, IS_MONOTONIC, NUMBER_ATTRIBUTES,
    START_TIME, SUM, TIME,
};
use super::message::{put_double, put_fixed64, put_text};
use super::percentile;
use crate::ottl::error::EvalError;
use otlp_protocol::AggregationTemporality;
use otlp_protocol::view::{DataPoint, Metric, MetricData, Number};
use otlp_protocol::wire::{put_len_delimited, put_uint};

/// A metric that is added.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Added {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) unit: String,
    pub(super) data: Data,
}

/// Part of a point that becomes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Count,
    Sum,
}

/// Makes a sum of the counts or sums of a metric's points; `None` if no point has them.
///
/// # Errors
/// If the metric is no histogram and no summary.
pub(super) fn part(
    metric: &[u8],
    part: Part,
    is_monotonic: bool,
    suffix: &str,
) -> Result<Option<Added>, EvalError> {
    let metric = Metric::new(metric);
    let Some(temporality) = temporality(metric.data()) else {
        return Err(EvalError::new("the metric must be a histogram, an exponential histogram or a summary"));
    };
    let mut data = Vec::new();
    for point in metric.points() {
        let value = match (part, point) {
            (Part::Count, DataPoint::Histogram(point)) => Some(Number::Int(point.count() as i64)),
            (Part::Count, DataPoint::ExponentialHistogram(point)) => Some(Number::Int(point.count() as i64)),
            (Part::Count, DataPoint::Summary(point)) => Some(Number::Int(point.count() as i64)),
            (Part::Sum, DataPoint::Histogram(point)) => point.sum().map(Number::Double),
            (Part::Sum, DataPoint::ExponentialHistogram(point)) => point.sum().map(Number::Double),
            (Part::Sum, DataPoint::Summary(point)) => Some(Number::Double(point.sum())),
            _ => None,
        };
        if let Some(value) = value {
            put_point(&mut data, point, value);
        }
    }
    if data.is_empty() {
        return Ok(None);
    }
    put_uint(&mut data, AGGREGATION_TEMPORALITY, i32::from(temporality) as u64);
    put_uint(&mut data, IS_MONOTONIC, u64::from(is_monotonic));
    // The unit of the values is not that of their count.
    let unit = if part == Part::Count { "1" } else { metric.unit() };
    Ok(Some(Added {
        name: format!("{}{suffix}", metric.name()),
        description: metric.description().to_owned(),
        unit: unit.to_owned(),
        data: Data { number: SUM, bytes: data },
    }))
}

/// Makes a gauge of a percentile of each point of a histogram; `None` for metrics of other types, and if no point has values.
///
/// # Errors
/// If the buckets of a point do not fit together.
pub(super) fn percentile(
    metric: &[u8],
    percentile: f64,
    suffix: &str,
    shown: &str,
) -> Result<Option<Added>, EvalError> {
    let metric = Metric::new(metric);
    let mut data = Vec::new();
    for point in metric.points() {
        let value = match point {
            DataPoint::Histogram(point) => percentile::of_histogram(&point, percentile)?,
            DataPoint::ExponentialHistogram(point) => {
                percentile::of_exponential_histogram(&point, percentile)?
            }
            _ => None,
        };
        if let Some(value) = value {
            put_point(&mut data, point, Number::Double(value));
        }
    }
    if data.is_empty() {
        return Ok(None);
    }
    let description = match metric.description() {
        "" => format!("p{shown}"),
        description => format!("{description} (p{shown})"),
    };
    Ok(Some(Added {
        name: format!("{}{suffix}", metric.name()),
        description,
        unit: metric.unit().to_owned(),
        data: Data { number: GAUGE, bytes: data },
    }))
}

/// Makes a gauge of the quantiles of a summary; `None` for metrics of other types. Each point has its quantile as attribute.
pub(super) fn quantiles(metric: &[u8], key: &str, suffix: &str) -> Option<Added> {
    let metric = Metric::new(metric);
    let MetricData::Summary(summary) = metric.data() else { return None };
    let mut data = Vec::new();
    for point in summary.data_points() {
        for quantile in point.quantile_values() {
            let (value, mut attribute, mut number) =
                (Number::Double(quantile.value()), Vec::new(), Vec::new());
            put_double(&mut number, DOUBLE_VALUE, quantile.quantile());
            put_text(&mut attribute, 1, key);
            put_len_delimited(&mut attribute, 2, &number);
            put_point_with(&mut data, DataPoint::Summary(point), value, Some((key, &attribute)));
        }
    }
    Some(Added {
        name: format!("{}{suffix}", metric.name()),
        description: metric.description().to_owned(),
        unit: metric.unit().to_owned(),
        data: Data { number: GAUGE, bytes: data },
    })
}

/// Field number of a double in an `AnyValue`.
const DOUBLE_VALUE: u32 = 4;

/// Returns the temporality of a histogram. Summaries are cumulative.
fn temporality(data: MetricData<'_>) -> Option<AggregationTemporality> {
    match data {
        MetricData::Histogram(data) => Some(data.aggregation_temporality()),
        MetricData::ExponentialHistogram(data) => Some(data.aggregation_temporality()),
        MetricData::Summary(_) => Some(AggregationTemporality::Cumulative),
        _ => None,
    }
    .filter(|temporality| *temporality != AggregationTemporality::Unspecified)
}

/// Appends a point with a value, and with the attributes and times of another point.
fn put_point(out: &mut Vec<u8>, source: DataPoint<'_>, value: Number) {
    put_point_with(out, source, value, None);
}

/// Appends a point as [`put_point`] does, with a further attribute in place of one with this key.
fn put_point_with(out: &mut Vec<u8>, source: DataPoint<'_>, value: Number, added: Option<(&str, &[u8])>) {
    let mut point = Vec::new();
    put_fixed64(&mut point, START_TIME, source.start_time_unix_nano());
    put_fixed64(&mut point, TIME, source.time_unix_nano());
    match value {
        Number::Double(value) => put_double(&mut point, AS_DOUBLE, value),
        Number::Int(value) => put_fixed64(&mut point, AS_INT, value as u64),
        Number::Empty => {}
    }
    for attribute in source.attributes() {
        if added.is_none_or(|(key, _)| attribute.key() != key) {
            put_len_delimited(&mut point, NUMBER_ATTRIBUTES, attribute.as_bytes());
        }
    }
    if let Some((_, attribute)) = added {
        put_len_delimited(&mut point, NUMBER_ATTRIBUTES, attribute);
    }
    put_len_delimited(out, DATA_POINTS, &point);
}
