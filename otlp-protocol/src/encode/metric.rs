//! Metrics.

use super::declare::{debug_len, writers};
use super::field::{MEDIUM, bytes, nested};
use super::point::{
    ExponentialHistogramPointWriter, HistogramPointWriter, NumberPointWriter, SummaryPointWriter,
};
use super::value;
use crate::{AggregationTemporality, ToValue};

/// Writes a metric: name, unit and so on first, then the points by one of the methods that return a [`MetricEnd`].
pub struct MetricWriter<'b> {
    pub(super) out: &'b mut Vec<u8>,
}

/// Proof that a metric has its points: the result of a closure that writes a metric.
#[derive(Debug)]
#[must_use = "the closure that writes a metric returns it"]
pub struct MetricEnd(pub(super) ());

writers! {
    /// Writes a gauge's points.
    GaugeWriter {
        /// A point.
        point: nested(NumberPointWriter = 1, SHORT),
    }

    /// Writes a sum's points.
    SumWriter {
        /// A point.
        point: nested(NumberPointWriter = 1, SHORT),
        /// Time that the points cover.
        aggregation_temporality: number(AggregationTemporality = 2),
        /// True if the sum never decreases.
        is_monotonic: bool(3),
    }

    /// Writes a histogram's points.
    HistogramWriter {
        /// A point.
        point: nested(HistogramPointWriter = 1, MEDIUM),
        /// Time that the points cover.
        aggregation_temporality: number(AggregationTemporality = 2),
    }

    /// Writes an exponential histogram's points.
    ExponentialHistogramWriter {
        /// A point.
        point: nested(ExponentialHistogramPointWriter = 1, MEDIUM),
        /// Time that the points cover.
        aggregation_temporality: number(AggregationTemporality = 2),
    }

    /// Writes a summary's points.
    SummaryWriter {
        /// A point.
        point: nested(SummaryPointWriter = 1, SHORT),
    }
}

debug_len!(MetricWriter<'_>);

// === impl MetricWriter ===

impl MetricWriter<'_> {
    /// Name.
    #[must_use = "a metric ends with its points"]
    pub fn name(self, name: &str) -> Self {
        bytes(self.out, 1, name.as_bytes());
        self
    }

    /// Description in words.
    #[must_use = "a metric ends with its points"]
    pub fn description(self, description: &str) -> Self {
        bytes(self.out, 2, description.as_bytes());
        self
    }

    /// Unit in UCUM: `By`, `ms`.
    #[must_use = "a metric ends with its points"]
    pub fn unit(self, unit: &str) -> Self {
        bytes(self.out, 3, unit.as_bytes());
        self
    }

    /// Writes a key and a value of the metadata.
    #[must_use = "a metric ends with its points"]
    pub fn metadata(self, key: &str, value: impl ToValue) -> Self {
        value.with_value(|value| value::attribute(self.out, 12, key, value));
        self
    }

    /// Sampled values.
    pub fn gauge(self, write: impl FnOnce(&mut GaugeWriter<'_>)) -> MetricEnd {
        nested(self.out, 5, MEDIUM, |out| write(&mut GaugeWriter { out }));
        MetricEnd(())
    }

    /// A sum of values.
    pub fn sum(self, write: impl FnOnce(&mut SumWriter<'_>)) -> MetricEnd {
        nested(self.out, 7, MEDIUM, |out| write(&mut SumWriter { out }));
        MetricEnd(())
    }

    /// Values counted in buckets of given bounds.
    pub fn histogram(self, write: impl FnOnce(&mut HistogramWriter<'_>)) -> MetricEnd {
        nested(self.out, 9, MEDIUM, |out| write(&mut HistogramWriter { out }));
        MetricEnd(())
    }

    /// Values counted in buckets whose bounds grow exponentially.
    pub fn exponential_histogram(self, write: impl FnOnce(&mut ExponentialHistogramWriter<'_>)) -> MetricEnd {
        nested(self.out, 10, MEDIUM, |out| write(&mut ExponentialHistogramWriter { out }));
        MetricEnd(())
    }

    /// Quantiles that the source computed.
    pub fn summary(self, write: impl FnOnce(&mut SummaryWriter<'_>)) -> MetricEnd {
        nested(self.out, 11, MEDIUM, |out| write(&mut SummaryWriter { out }));
        MetricEnd(())
    }
}
