//! All metrics at one moment.

use super::performance::{Measured, MeasuredPart, Performance};

/// All own metrics at one moment; `Display` is Prometheus' text format 0.0.4.
///
/// Requests, latency and throughput of a receiver, a pipeline or an exporter can be read without the names of metrics:
///
/// ```
/// # async fn show(gateway: &otlp_service::Gateway) {
/// let metrics = gateway.metrics();
/// if let Some(exporter) = metrics.exporter("otlp") {
///     let (requests, failures, p99) = (exporter.requests, exporter.failures, exporter.latency.p99);
///     println!("{requests} attempts, {failures} failed, 99 % within {p99:?}, {} items/s", exporter.items_per_second);
/// }
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PerformanceMetrics {
    /// The metrics, by name.
    pub families: Vec<MetricFamily>,
    pub(super) measured: Vec<Measured>,
}

/// One metric with all its label sets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MetricFamily {
    /// Name of the metric: `otelcol_exporter_sent_spans`.
    pub name: String,
    /// Description of the metric, one sentence.
    pub help: &'static str,
    /// Kind of the metric.
    pub kind: MetricKind,
    /// Values of the metric, by labels.
    pub samples: Vec<Sample>,
}

/// Kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Grows and shrinks.
    Gauge,
    /// Buckets, sum and count.
    Histogram,
}

/// One value of a metric.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// `_bucket`, `_sum` or `_count` of a histogram; empty otherwise.
    pub suffix: &'static str,
    /// Labels, in order.
    pub labels: Vec<(&'static str, String)>,
    /// The value.
    pub value: f64,
}

// === impl PerformanceMetrics ===

impl PerformanceMetrics {
    /// Returns the value of the first sample of a metric that has all these labels.
    pub fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let family = self.families.iter().find(|family| family.name == name)?;
        let has = |sample: &Sample, (key, value): &(&str, &str)| {
            sample.labels.iter().any(|(known_key, known)| known_key == key && known == value)
        };
        let sample = family.samples.iter().find(|sample| labels.iter().all(|label| has(sample, label)))?;
        Some(sample.value)
    }

    /// Returns the requests that a receiver handed to the pipelines. A request takes until the pipelines have answered.
    /// `None` if there is no such receiver.
    pub fn receiver(&self, id: &str) -> Option<Performance> {
        Performance::of(&self.measured, MeasuredPart::Receiver, id)
    }

    /// Returns the requests that entered a pipeline, from receivers and connectors. A request takes until the pipeline has answered.
    /// `None` if there is no such pipeline.
    pub fn pipeline(&self, id: &str) -> Option<Performance> {
        Performance::of(&self.measured, MeasuredPart::Pipeline, id)
    }

    /// Returns the attempts of an exporter to deliver a batch; each retry is a further attempt. `None` if there is no such
    /// exporter, or no pipeline uses the exporter.
    pub fn exporter(&self, id: &str) -> Option<Performance> {
        Performance::of(&self.measured, MeasuredPart::Exporter, id)
    }

    /// Returns the ids of the receivers, pipelines and exporters that have a [`Performance`].
    pub fn measured(&self) -> impl Iterator<Item = (MeasuredPart, &str)> {
        let mut known: Vec<_> = self.measured.iter().map(|measured| (measured.part, &*measured.id)).collect();
        known.sort_unstable();
        known.dedup();
        known.into_iter()
    }
}
