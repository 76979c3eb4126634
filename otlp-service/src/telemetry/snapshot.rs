//! All metrics at one moment, and their text for Prometheus.

use std::fmt;

/// All own metrics at one moment; `Display` is Prometheus' text format 0.0.4.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PerformanceMetrics {
    /// The metrics, by name.
    pub families: Vec<MetricFamily>,
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
}

impl fmt::Display for PerformanceMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for MetricFamily { name, help, kind, samples } in &self.families {
            writeln!(f, "# HELP {name} {help}")?;
            writeln!(f, "# TYPE {name} {kind}")?;
            for Sample { suffix, labels, value } in samples {
                write!(f, "{name}{suffix}")?;
                for (index, (key, value)) in labels.iter().enumerate() {
                    let open = if index == 0 { '{' } else { ',' };
                    write!(f, "{open}{key}=\"{}\"", Escaped(value))?;
                }
                let close = if labels.is_empty() { "" } else { "}" };
                writeln!(f, "{close} {value}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for MetricKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        })
    }
}

/// A label's value, escaped for Prometheus.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|char| match char {
            '\\' => f.write_str("\\\\"),
            '"' => f.write_str("\\\""),
            '\n' => f.write_str("\\n"),
            char => fmt::Write::write_char(f, char),
        })
    }
}
