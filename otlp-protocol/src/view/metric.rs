//! Metrics: `opentelemetry.proto.metrics.v1`. Their points are in `point`.

use super::declare::views;
use super::fields::Raw;
use super::point::{DataPoint, ExponentialHistogramPoint, HistogramPoint, NumberPoint, SummaryPoint};
use crate::AggregationTemporality;

views! {
    /// A metric.
    repeated Metric {
        /// Name.
        name: string(1),
        /// Description in words.
        description: string(2),
        /// Unit in UCUM: `By`, `ms`.
        unit: string(3),
        /// Kind of the metric, with its points.
        data: own(MetricData),
        /// Metadata of the metric.
        metadata: attributes(12),
    }

    /// Sampled values.
    singular Gauge {
        /// The values.
        data_points: many(NumberPoint = 1),
    }

    /// A sum of values.
    singular Sum {
        /// The sums.
        data_points: many(NumberPoint = 1),
        /// Time that the points cover.
        aggregation_temporality: number(AggregationTemporality = 2),
        /// True if the sum never decreases.
        is_monotonic: bool(3),
    }

    /// Values counted in buckets of given bounds.
    singular Histogram {
        /// The histograms.
        data_points: many(HistogramPoint = 1),
        /// Time that the points cover.
        aggregation_temporality: number(AggregationTemporality = 2),
    }

    /// Values counted in buckets whose bounds grow exponentially.
    singular ExponentialHistogram {
        /// The histograms.
        data_points: many(ExponentialHistogramPoint = 1),
        /// Time that the points cover.
        aggregation_temporality: number(AggregationTemporality = 2),
    }

    /// Quantiles that the source computed.
    singular Summary {
        /// The summaries.
        data_points: many(SummaryPoint = 1),
    }
}

/// Kind of a metric, with its points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricData<'a> {
    /// No data, or data of a kind unknown to OTLP.
    #[default]
    Empty,
    /// Buckets whose bounds grow exponentially.
    ExponentialHistogram(ExponentialHistogram<'a>),
    /// Sampled values.
    Gauge(Gauge<'a>),
    /// Buckets of given bounds.
    Histogram(Histogram<'a>),
    /// A sum.
    Sum(Sum<'a>),
    /// Quantiles.
    Summary(Summary<'a>),
}

// === impl Metric ===

impl<'a> Metric<'a> {
    /// Kind of the metric, with its points.
    pub fn data(&self) -> MetricData<'a> {
        let is_arm = |number, value| matches!((number, value), (5 | 7 | 9 | 10 | 11, Raw::Len(_)));
        let Some(arm) = self.0.one_of(is_arm) else { return MetricData::Empty };
        match arm.number {
            5 => MetricData::Gauge(Gauge(arm.fields)),
            7 => MetricData::Sum(Sum(arm.fields)),
            9 => MetricData::Histogram(Histogram(arm.fields)),
            10 => MetricData::ExponentialHistogram(ExponentialHistogram(arm.fields)),
            _ => MetricData::Summary(Summary(arm.fields)),
        }
    }

    /// Iterates over the points, of any kind.
    pub fn points(&self) -> impl Iterator<Item = DataPoint<'a>> + Clone + use<'a> {
        let data = self.data();
        let numbers = match data {
            MetricData::Gauge(gauge) => Some(gauge.data_points()),
            MetricData::Sum(sum) => Some(sum.data_points()),
            _ => None,
        };
        let histograms = if let MetricData::Histogram(data) = data { Some(data.data_points()) } else { None };
        let exponential =
            if let MetricData::ExponentialHistogram(data) = data { Some(data.data_points()) } else { None };
        let summaries = if let MetricData::Summary(data) = data { Some(data.data_points()) } else { None };
        let numbers = numbers.into_iter().flatten().map(DataPoint::Number);
        numbers
            .chain(histograms.into_iter().flatten().map(DataPoint::Histogram))
            .chain(exponential.into_iter().flatten().map(DataPoint::ExponentialHistogram))
            .chain(summaries.into_iter().flatten().map(DataPoint::Summary))
    }
}
