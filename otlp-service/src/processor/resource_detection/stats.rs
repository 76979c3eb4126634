//! Metrics of detectors, by the Collector's names.

use super::config::DetectorKind;
use super::detection::Detection;
use crate::component::ProcessorMetrics;
use crate::telemetry::{Counter, Histogram, MetricKind, Registration};
use std::sync::Weak;
use std::time::Duration;

/// Metrics of one processor, over all pipelines.
#[derive(Debug)]
pub(super) struct Stats {
    detectors: Vec<DetectorStats>,
    renamed: Counter,
    _attributes: Registration,
}

/// Metrics of a detector.
#[derive(Debug)]
struct DetectorStats {
    kind: DetectorKind,
    /// Successful runs, and failed runs.
    outcomes: [(Counter, Histogram); 2],
}

// === impl Stats ===

impl Stats {
    pub(super) fn new(
        metrics: &ProcessorMetrics<'_>,
        detectors: &[DetectorKind],
        detection: Weak<Detection>,
    ) -> Self {
        let (registry, processor) = (metrics.registry(), metrics.processor());
        let stats = |kind: &DetectorKind| DetectorStats {
            kind: *kind,
            outcomes: ["success", "failure"].map(|outcome| {
                let labels = [("processor", processor), ("detector", kind.name()), ("outcome", outcome)];
                let results = registry.counter(
                    "otelcol_resourcedetection_detector_results",
                    "Runs of detectors.",
                    &labels,
                );
                let duration = registry.histogram(
                    "otelcol_resourcedetection_detector_duration",
                    "Duration of a run of a detector, in seconds.",
                    &labels,
                    Histogram::in_units(BOUNDS_MICROS, 1_000_000),
                );
                (results, duration)
            }),
        };
        let attributes = registry.observe(
            MetricKind::Gauge,
            "otelcol_resourcedetection_attributes_detected",
            "Attributes that are detected now.",
            &[("processor", processor)],
            move || detection.upgrade().map_or(0.0, |detection| detection.found().attributes.len() as f64),
        );
        let renamed = registry.counter(
            "otlp_resourcedetection_renamed_resources",
            "Resources whose host.name was replaced by that of this host.",
            &[("processor", processor)],
        );
        Self { detectors: detectors.iter().map(stats).collect(), renamed, _attributes: attributes }
    }

    pub(super) fn ran(&self, kind: DetectorKind, duration: Duration, is_success: bool) {
        if let Some(stats) = self.detectors.iter().find(|stats| stats.kind == kind) {
            let [success, failure] = &stats.outcomes;
            let (results, durations) = if is_success { success } else { failure };
            results.add(1);
            durations.record(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
        }
    }

    pub(super) fn renamed(&self, resources: u64) {
        self.renamed.add(resources);
    }
}

/// The Collector's bounds.
const BOUNDS_MICROS: &[u64] = &[
    5_000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000, 1_000_000, 2_500_000,
    5_000_000, 7_500_000, 10_000_000, 30_000_000,
];
