//! Series as messages `io.prometheus.client.MetricFamily`: Prometheus' protobuf format, which has native histograms.

use super::exponential::{Buckets, Exponential};
use super::families::{Family, Kind};
use super::format::Escaping;
use super::labels::pairs;
use super::value::{Exemplar, Histogram, Point, Value, double};
use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(super) struct MetricFamily {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) help: String,
    #[prost(enumeration = "MetricType", optional, tag = "3")]
    pub(super) kind: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    pub(super) metrics: Vec<Metric>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum MetricType {
    Counter = 0,
    Gauge = 1,
    Summary = 2,
    Untyped = 3,
    Histogram = 4,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Metric {
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<LabelPair>,
    #[prost(message, optional, tag = "2")]
    pub(super) gauge: Option<Single>,
    #[prost(message, optional, tag = "3")]
    pub(super) counter: Option<Counter>,
    #[prost(message, optional, tag = "4")]
    pub(super) summary: Option<Quantiles>,
    #[prost(message, optional, tag = "5")]
    pub(super) untyped: Option<Single>,
    #[prost(int64, optional, tag = "6")]
    pub(super) timestamp_ms: Option<i64>,
    #[prost(message, optional, tag = "7")]
    pub(super) histogram: Option<Buckets32>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct LabelPair {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(super) value: Option<String>,
}

/// `Gauge` and `Untyped`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Single {
    #[prost(double, optional, tag = "1")]
    pub(super) value: Option<f64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Counter {
    #[prost(double, optional, tag = "1")]
    pub(super) value: Option<f64>,
    #[prost(message, optional, tag = "2")]
    pub(super) exemplar: Option<Example>,
    #[prost(message, optional, tag = "3")]
    pub(super) created: Option<prost_types::Timestamp>,
}

/// `Summary`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Quantiles {
    #[prost(uint64, optional, tag = "1")]
    pub(super) count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub(super) sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    pub(super) quantiles: Vec<QuantileValue>,
    #[prost(message, optional, tag = "4")]
    pub(super) created: Option<prost_types::Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct QuantileValue {
    #[prost(double, optional, tag = "1")]
    pub(super) quantile: Option<f64>,
    #[prost(double, optional, tag = "2")]
    pub(super) value: Option<f64>,
}

/// `Histogram`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Buckets32 {
    #[prost(uint64, optional, tag = "1")]
    pub(super) count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub(super) sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    pub(super) buckets: Vec<Bucket>,
    #[prost(sint32, optional, tag = "5")]
    pub(super) schema: Option<i32>,
    #[prost(double, optional, tag = "6")]
    pub(super) zero_threshold: Option<f64>,
    #[prost(uint64, optional, tag = "7")]
    pub(super) zero_count: Option<u64>,
    #[prost(message, repeated, tag = "9")]
    pub(super) negative_spans: Vec<Span>,
    #[prost(sint64, repeated, packed = "false", tag = "10")]
    pub(super) negative_deltas: Vec<i64>,
    #[prost(message, repeated, tag = "12")]
    pub(super) positive_spans: Vec<Span>,
    #[prost(sint64, repeated, packed = "false", tag = "13")]
    pub(super) positive_deltas: Vec<i64>,
    #[prost(message, optional, tag = "15")]
    pub(super) created: Option<prost_types::Timestamp>,
    #[prost(message, repeated, tag = "16")]
    pub(super) exemplars: Vec<Example>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Bucket {
    #[prost(uint64, optional, tag = "1")]
    pub(super) cumulative_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub(super) upper_bound: Option<f64>,
    #[prost(message, optional, tag = "3")]
    pub(super) exemplar: Option<Example>,
}

/// `BucketSpan`.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Span {
    #[prost(sint32, optional, tag = "1")]
    pub(super) offset: Option<i32>,
    #[prost(uint32, optional, tag = "2")]
    pub(super) length: Option<u32>,
}

/// `Exemplar`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Example {
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<LabelPair>,
    #[prost(double, optional, tag = "2")]
    pub(super) value: Option<f64>,
    #[prost(message, optional, tag = "3")]
    pub(super) timestamp: Option<prost_types::Timestamp>,
}

// === impl MetricFamily ===

impl MetricFamily {
    pub(super) fn new(name: &str, help: &str, kind: Kind) -> Self {
        let kind = match kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
            Kind::Histogram => MetricType::Histogram,
            Kind::Summary => MetricType::Summary,
            Kind::Untyped => MetricType::Untyped,
        };
        Self { name: name.into(), help: help.into(), kind: Some(kind as i32), metrics: Vec::new() }
    }

    /// Adds a series; none for exponential histograms that native ones cannot show.
    pub(super) fn add(
        &mut self,
        labels: &str,
        family: &Family,
        point: &Point,
        escaping: Escaping,
        has_timestamps: bool,
    ) {
        let mut metric = Metric { labels: label_pairs(labels, escaping), ..Metric::default() };
        let created = timestamp(point.start);
        match (&point.value, family.kind) {
            (Value::Number(value), Kind::Counter) => {
                let exemplar = point.exemplars.last().and_then(Example::of);
                metric.counter = Some(Counter { value: Some(double(*value)), exemplar, created });
            }
            (Value::Number(value), Kind::Untyped) => {
                metric.untyped = Some(Single { value: Some(double(*value)) });
            }
            (Value::Number(value), _) => metric.gauge = Some(Single { value: Some(double(*value)) }),
            (Value::Summary(summary), _) => {
                let quantiles = summary.quantiles.iter();
                let quantiles = quantiles.map(|(quantile, value)| QuantileValue {
                    quantile: Some(*quantile),
                    value: Some(*value),
                });
                let (count, sum) = (Some(summary.count), Some(summary.sum));
                metric.summary = Some(Quantiles { count, sum, quantiles: quantiles.collect(), created });
            }
            (Value::Histogram(histogram), _) => {
                metric.histogram = Some(Buckets32 { created, ..classic(histogram, &point.exemplars) });
            }
            (Value::Exponential(histogram), _) => {
                let Some(histogram) = histogram.native() else { return };
                let exemplars = point.exemplars.iter().filter_map(Example::of).collect();
                metric.histogram = Some(Buckets32 { created, exemplars, ..native(&histogram) });
            }
        }
        metric.timestamp_ms =
            has_timestamps.then_some(i64::try_from(point.time / 1_000_000).unwrap_or(i64::MAX));
        self.metrics.push(metric);
    }

    /// Adds the attributes of a resource, for `target_info`.
    pub(super) fn add_target(&mut self, labels: &str, escaping: Escaping) {
        let gauge = Some(Single { value: Some(1.0) });
        self.metrics.push(Metric { labels: label_pairs(labels, escaping), gauge, ..Metric::default() });
    }
}

// === impl Example ===

impl Example {
    /// Makes an exemplar; none without trace and span.
    fn of(exemplar: &Exemplar) -> Option<Self> {
        let pair = |(name, id): (&str, _)| LabelPair { name: Some(name.into()), value: Some(id) };
        let labels: Vec<_> = exemplar.labels().map(pair).collect();
        let timestamp = timestamp(exemplar.time);
        (!labels.is_empty()).then_some(Self { labels, value: Some(exemplar.value), timestamp })
    }
}

fn label_pairs(labels: &str, escaping: Escaping) -> Vec<LabelPair> {
    let pair = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| LabelPair {
        name: Some(escaping.escape(&name).into_owned()),
        value: Some(value.into_owned()),
    };
    pairs(labels).map(pair).collect()
}

fn classic(histogram: &Histogram, exemplars: &[Exemplar]) -> Buckets32 {
    let buckets = histogram.buckets(exemplars).filter_map(|(bound, count, exemplar)| {
        let exemplar = exemplar.and_then(Example::of);
        // The bucket without a bound goes without saying, but for its exemplar.
        let is_needed = bound < f64::INFINITY || exemplar.is_some();
        is_needed.then_some(Bucket { cumulative_count: Some(count), upper_bound: Some(bound), exemplar })
    });
    Buckets32 {
        count: Some(histogram.count),
        sum: Some(histogram.sum),
        buckets: buckets.collect(),
        ..Buckets32::default()
    }
}

fn native(histogram: &Exponential) -> Buckets32 {
    let (positive_spans, positive_deltas) = spans(&histogram.positive);
    let (negative_spans, negative_deltas) = spans(&histogram.negative);
    Buckets32 {
        count: Some(histogram.count),
        sum: Some(histogram.sum),
        schema: Some(histogram.scale),
        zero_threshold: Some(histogram.zero_threshold),
        zero_count: Some(histogram.zero_count),
        negative_spans,
        negative_deltas,
        positive_spans,
        positive_deltas,
        ..Buckets32::default()
    }
}

/// Buckets as one span, whose counts are differences to the bucket before. Prometheus' bucket `i` ends where OTLP's bucket `i - 1` does.
fn spans(buckets: &Buckets) -> (Vec<Span>, Vec<i64>) {
    let Ok(length) = u32::try_from(buckets.counts.len()) else { return Default::default() };
    let mut last = 0;
    let deltas = buckets.counts.iter().map(|count| {
        let count = i64::try_from(*count).unwrap_or(i64::MAX);
        count - std::mem::replace(&mut last, count)
    });
    let span = Span { offset: Some(buckets.offset.saturating_add(1)), length: Some(length) };
    (if length > 0 { vec![span] } else { Vec::new() }, deltas.collect())
}

/// `None` for 0, which means unknown.
fn timestamp(nanos: u64) -> Option<prost_types::Timestamp> {
    let seconds = i64::try_from(nanos / 1_000_000_000).unwrap_or_default();
    (nanos > 0).then_some(prost_types::Timestamp { seconds, nanos: (nanos % 1_000_000_000) as i32 })
}
