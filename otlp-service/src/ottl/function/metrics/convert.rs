//! Conversions of a metric's data: between gauge and sum, and by a factor.

use super::message::number::{
    AGGREGATION_TEMPORALITY, AS_DOUBLE, AS_INT, DATA_POINTS, GAUGE, HISTOGRAM, IS_MONOTONIC, SUM, SUMMARY,
};
use super::message::{Raw, fields, put_fixed64};
use crate::ottl::error::EvalError;
use otlp_protocol::AggregationTemporality;
use otlp_protocol::view::{Metric, MetricData};
use otlp_protocol::wire::{put_len_delimited, put_uint};

/// Data of a metric: the field number says which kind of data, such as a gauge.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Data {
    pub(super) number: u32,
    pub(super) bytes: Vec<u8>,
}

/// Returns a gauge as a sum; `None` for metrics of other types.
pub(super) fn gauge_to_sum(
    metric: &[u8],
    temporality: AggregationTemporality,
    is_monotonic: bool,
) -> Option<Data> {
    if !matches!(Metric::new(metric).data(), MetricData::Gauge(_)) {
        return None;
    }
    let mut bytes = points(metric, GAUGE);
    put_uint(&mut bytes, AGGREGATION_TEMPORALITY, i32::from(temporality) as u64);
    put_uint(&mut bytes, IS_MONOTONIC, u64::from(is_monotonic));
    Some(Data { number: SUM, bytes })
}

/// Returns a sum as a gauge; `None` for metrics of other types.
pub(super) fn sum_to_gauge(metric: &[u8]) -> Option<Data> {
    let is_sum = matches!(Metric::new(metric).data(), MetricData::Sum(_));
    is_sum.then(|| Data { number: GAUGE, bytes: points(metric, SUM) })
}

/// Returns the data of a metric with the values multiplied. Ints stay ints, truncated.
///
/// # Errors
/// For an exponential histogram, and for a metric without data.
pub(super) fn scaled(metric: &[u8], factor: f64) -> Result<Data, EvalError> {
    let (number, point) = match Metric::new(metric).data() {
        MetricData::Gauge(_) => (GAUGE, NUMBER_POINT),
        MetricData::Sum(_) => (SUM, NUMBER_POINT),
        MetricData::Histogram(_) => (HISTOGRAM, HISTOGRAM_POINT),
        MetricData::Summary(_) => (SUMMARY, SUMMARY_POINT),
        MetricData::ExponentialHistogram(_) => {
            return Err(EvalError::new("exponential histograms cannot be scaled"));
        }
        _ => return Err(EvalError::new("the metric has no data")),
    };
    let data = data_of(metric, number, |_| true);
    let mut bytes = Vec::with_capacity(data.len());
    scale(&data, &[(DATA_POINTS, Scaled::Message(point))], factor, &mut bytes);
    Ok(Data { number, bytes })
}

/// Returns the fields of the data of a metric that pass, with their tags.
pub(super) fn data_of(metric: &[u8], number: u32, passes: impl Fn(u32) -> bool) -> Vec<u8> {
    let mut out = Vec::new();
    for data in fields(metric).filter(|field| field.number == number) {
        let Raw::Len(data) = data.value else { continue };
        for field in fields(data).filter(|field| passes(field.number)) {
            out.extend_from_slice(field.bytes);
        }
    }
    out
}

fn points(metric: &[u8], number: u32) -> Vec<u8> {
    data_of(metric, number, |number| number == DATA_POINTS)
}

/// Numbers of a field that are multiplied.
enum Scaled {
    Double,
    /// A list of doubles, packed or one by one.
    Doubles,
    Int,
    Message(&'static [(u32, Scaled)]),
}

const NUMBER_POINT: &[(u32, Scaled)] = &[(AS_DOUBLE, Scaled::Double), (AS_INT, Scaled::Int)];

const EXEMPLAR: &[(u32, Scaled)] = &[(3, Scaled::Double), (6, Scaled::Int)];

/// Sum, explicit bounds, exemplars, minimum and maximum of a `HistogramDataPoint`.
const HISTOGRAM_POINT: &[(u32, Scaled)] = &[
    (5, Scaled::Double),
    (7, Scaled::Doubles),
    (8, Scaled::Message(EXEMPLAR)),
    (11, Scaled::Double),
    (12, Scaled::Double),
];

/// Sum and quantiles of a `SummaryDataPoint`.
const SUMMARY_POINT: &[(u32, Scaled)] = &[(5, Scaled::Double), (6, Scaled::Message(&[(2, Scaled::Double)]))];

/// Appends a message with some fields multiplied.
fn scale(message: &[u8], scaled: &[(u32, Scaled)], factor: f64, out: &mut Vec<u8>) {
    let double = |bits: u64| (f64::from_bits(bits) * factor).to_bits();
    for field in fields(message) {
        let rule = scaled.iter().find(|(number, _)| *number == field.number).map(|(_, rule)| rule);
        match (rule, field.value) {
            (Some(Scaled::Double | Scaled::Doubles), Raw::Fixed64(bits)) => {
                put_fixed64(out, field.number, double(bits));
            }
            (Some(Scaled::Int), Raw::Fixed64(bits)) => {
                put_fixed64(out, field.number, (bits as i64 as f64 * factor) as i64 as u64);
            }
            (Some(Scaled::Doubles), Raw::Len(packed)) => {
                let (doubles, _) = packed.as_chunks::<8>();
                let doubles: Vec<u8> =
                    doubles.iter().flat_map(|bits| double(u64::from_le_bytes(*bits)).to_le_bytes()).collect();
                put_len_delimited(out, field.number, &doubles);
            }
            (Some(Scaled::Message(inner)), Raw::Len(message)) => {
                let mut changed = Vec::with_capacity(message.len());
                scale(message, inner, factor, &mut changed);
                put_len_delimited(out, field.number, &changed);
            }
            _ => out.extend_from_slice(field.bytes),
        }
    }
}
