//! Points of a metric that are joined: those with the same attributes and the same time.

mod buckets;
mod number;

use super::convert::{Data, data_of};
use super::message::number::{DATA_POINTS, EXPONENTIAL_HISTOGRAM, GAUGE, HISTOGRAM, NUMBER_ATTRIBUTES, SUM};
use super::message::{copy_except, put_text};
use crate::ottl::error::EvalError;
use otlp_protocol::AggregationTemporality;
use otlp_protocol::view::{AnyValue, Attributes, DataPoint, Metric, MetricData};
use otlp_protocol::wire::put_len_delimited;
use std::collections::HashMap;

/// A value made of several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregation {
    Count,
    Max,
    Mean,
    Median,
    Min,
    Sum,
}

/// Attributes that points keep.
#[derive(Debug)]
pub(super) enum Kept {
    All,
    /// The attributes with these keys.
    Keys(Vec<Box<str>>),
    /// All attributes; some values of a key become one value.
    Renamed {
        key: Box<str>,
        values: Vec<Box<str>>,
        new: Box<str>,
    },
}

/// Points that become one point.
struct Group<'m> {
    /// The encoded attributes of the new point, with their tags.
    attributes: Vec<u8>,
    points: Vec<DataPoint<'m>>,
}

// === impl Aggregation ===

impl Aggregation {
    pub(super) const NAMES: [&'static str; 6] = ["sum", "max", "min", "mean", "median", "count"];

    /// Returns the aggregation with one of these [`NAMES`](Self::NAMES); the sum for other names.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "count" => Self::Count,
            "max" => Self::Max,
            "mean" => Self::Mean,
            "median" => Self::Median,
            "min" => Self::Min,
            _ => Self::Sum,
        }
    }
}

/// Returns the data of a metric with its points joined, in the order of the first points; `None` for a metric without data.
///
/// # Errors
/// For a summary, and for buckets that are too far apart.
pub(super) fn aggregated(
    metric: &[u8],
    aggregation: Aggregation,
    kept: &Kept,
) -> Result<Option<Data>, EvalError> {
    let data = Metric::new(metric).data();
    let (number, attributes, temporality) = match data {
        MetricData::Gauge(_) => (GAUGE, NUMBER_ATTRIBUTES, None),
        MetricData::Sum(sum) => (SUM, NUMBER_ATTRIBUTES, Some(sum.aggregation_temporality())),
        MetricData::Histogram(data) => {
            (HISTOGRAM, buckets::HISTOGRAM_ATTRIBUTES, Some(data.aggregation_temporality()))
        }
        MetricData::ExponentialHistogram(data) => {
            (EXPONENTIAL_HISTOGRAM, buckets::EXPONENTIAL_ATTRIBUTES, Some(data.aggregation_temporality()))
        }
        MetricData::Summary(_) => return Err(EvalError::new("the points of a summary cannot be joined")),
        _ => return Ok(None),
    };
    let is_delta = temporality == Some(AggregationTemporality::Delta);
    let mut points = data_of(metric, number, |field| field != DATA_POINTS);
    for group in groups(metric, attributes, kept, is_delta) {
        put_len_delimited(&mut points, DATA_POINTS, &group.joined(aggregation, attributes)?);
    }
    Ok(Some(Data { number, bytes: points }))
}

/// Groups the points of a metric. Deltas are only joined if they start at the same time.
fn groups<'m>(metric: &'m [u8], number: u32, kept: &Kept, is_delta: bool) -> Vec<Group<'m>> {
    let mut groups: Vec<Group<'m>> = Vec::new();
    let mut places = HashMap::new();
    for point in Metric::new(metric).points() {
        let mut attributes = kept.attributes(point.attributes());
        let mut encoded = Vec::new();
        for (_, attribute) in &attributes {
            put_len_delimited(&mut encoded, number, attribute);
        }
        // The order of attributes has no meaning.
        attributes.sort();
        let start = if is_delta { point.start_time_unix_nano() } else { 0 };
        let key = (attributes, point.time_unix_nano(), start, buckets::shape(point));
        match places.get(&key).and_then(|place: &usize| groups.get_mut(*place)) {
            Some(group) => group.points.push(point),
            None => {
                places.insert(key, groups.len());
                groups.push(Group { attributes: encoded, points: vec![point] });
            }
        }
    }
    groups
}

// === impl Kept ===

impl Kept {
    /// Returns the attributes that stay, by key, as encoded `KeyValue`s.
    fn attributes(&self, attributes: Attributes<'_>) -> Vec<(String, Vec<u8>)> {
        let mut kept = Vec::new();
        for attribute in attributes {
            let key = attribute.key();
            if let Self::Keys(keys) = self
                && !keys.iter().any(|kept| **kept == *key)
            {
                continue;
            }
            let encoded = match (self, attribute.value()) {
                (Self::Renamed { key: renamed, values, new }, AnyValue::String(value))
                    if **renamed == *key && values.iter().any(|old| **old == *value) =>
                {
                    let (mut encoded, mut text) = (Vec::new(), Vec::new());
                    put_text(&mut encoded, 1, key);
                    put_len_delimited(&mut text, 1, new.as_bytes());
                    put_len_delimited(&mut encoded, 2, &text);
                    encoded
                }
                _ => attribute.as_bytes().to_vec(),
            };
            kept.push((key.to_owned(), encoded));
        }
        kept
    }
}

// === impl Group ===

impl Group<'_> {
    /// Returns the encoded point that stands for the group.
    fn joined(&self, aggregation: Aggregation, number: u32) -> Result<Vec<u8>, EvalError> {
        let mut out = Vec::new();
        match self.points.first() {
            Some(DataPoint::Number(first)) => number::join(first, &self.points, aggregation, &mut out),
            Some(DataPoint::Histogram(first)) => buckets::join_histograms(first, &self.points, &mut out),
            Some(DataPoint::ExponentialHistogram(first)) => {
                buckets::join_exponential_histograms(first, &self.points, &mut out)?;
            }
            Some(DataPoint::Summary(_)) | Some(_) | None => {}
        }
        let mut point = Vec::with_capacity(out.len());
        copy_except(&out, &[number], &mut point);
        point.extend_from_slice(&self.attributes);
        Ok(point)
    }
}

/// Returns the earliest start of points.
fn start(points: &[DataPoint<'_>]) -> u64 {
    points.iter().map(DataPoint::start_time_unix_nano).min().unwrap_or_default()
}
