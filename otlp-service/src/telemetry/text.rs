//! The text formats of Prometheus: text format 0.0.4, and OpenMetrics 1.0.

mod accept;

use super::snapshot::{MetricFamily, MetricKind, PerformanceMetrics, Sample};
use super::unit::unit_of;
use std::fmt::{self, Display, Write};

/// A text format of metrics.
///
/// ```
/// use otlp_service::{MetricsFormat, Registry};
///
/// let registry = Registry::new();
/// let _sent = registry.counter("sent", "Items sent.", &[("exporter", "otlp")]);
/// let page = registry.snapshot().to_text(MetricsFormat::OpenMetrics);
/// assert!(page.contains("sent_total{exporter=\"otlp\"} 0\n"));
/// assert!(page.ends_with("# EOF\n"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricsFormat {
    /// Prometheus' text format 0.0.4.
    Prometheus {
        /// Names of counters end in `_total`.
        type_suffix: bool,
    },
    /// OpenMetrics 1.0: names of counters end in `_total`, and the page in `# EOF`.
    OpenMetrics,
}

/// The head of a metric, and the name of its samples.
struct Names<'a> {
    /// Name in the head.
    family: &'a str,
    kind: &'static str,
    /// Appended to the name of each sample, before the sample's own suffix.
    suffix: &'static str,
}

/// A text in a help line or a label's value, in which these characters are escaped.
struct Escaped<'a>(&'a str, &'static [char]);

/// A bound of a bucket as OpenMetrics has bounds: with a decimal point.
struct Bound<'a>(&'a str);

// === impl MetricsFormat ===

impl MetricsFormat {
    /// Returns the format for a request with this `accept` header. Without `type_suffix`, OpenMetrics is the answer only to requests
    /// that do not accept plain text, since the names of counters are different there; with `type_suffix`, also to requests that prefer
    /// OpenMetrics, as Prometheus does.
    pub fn for_accept(accept: &str, type_suffix: bool) -> Self {
        let accepted = accept::weights(accept);
        let is_preferred = accepted.open_metrics > 0 && accepted.open_metrics >= accepted.plain;
        match is_preferred && (type_suffix || accepted.plain == 0) {
            true => Self::OpenMetrics,
            false => Self::Prometheus { type_suffix },
        }
    }

    /// Returns the `content-type` of the format.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus { .. } => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    fn names(self, family: &MetricFamily) -> Names<'_> {
        let (name, open) = (&*family.name, self == Self::OpenMetrics);
        match (family.kind, self) {
            (MetricKind::Counter, Self::OpenMetrics) => {
                Names { family: name, kind: "counter", suffix: "_total" }
            }
            (MetricKind::Gauge, _) if open && name.ends_with(INFO) => {
                let family = name.strip_suffix(INFO).unwrap_or(name);
                Names { family, kind: "info", suffix: INFO }
            }
            (MetricKind::Counter, _) => Names { family: name, kind: "counter", suffix: "" },
            (MetricKind::Gauge, _) => Names { family: name, kind: "gauge", suffix: "" },
            (MetricKind::Histogram, _) => Names { family: name, kind: "histogram", suffix: "" },
        }
    }
}

// === impl PerformanceMetrics ===

impl PerformanceMetrics {
    /// Writes the metrics as text.
    pub fn to_text(&self, format: MetricsFormat) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = write_all(&mut out, self, format);
        out
    }
}

impl Display for PerformanceMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_all(f, self, MetricsFormat::Prometheus { type_suffix: false })
    }
}

fn write_all(out: &mut dyn Write, metrics: &PerformanceMetrics, format: MetricsFormat) -> fmt::Result {
    for family in &metrics.families {
        // Text format 0.0.4 has the suffix in the name of the metric, OpenMetrics in the samples alone.
        let suffixed = format == MetricsFormat::Prometheus { type_suffix: true };
        let total = if suffixed && family.kind == MetricKind::Counter { "_total" } else { "" };
        let Names { family: name, kind, suffix } = format.names(family);
        let open = format == MetricsFormat::OpenMetrics;
        let in_help: &[char] = if open { &['\\', '\n', '"'] } else { &['\\', '\n'] };
        writeln!(out, "# HELP {name}{total} {}", Escaped(family.help, in_help))?;
        writeln!(out, "# TYPE {name}{total} {kind}")?;
        if let Some(unit) = open.then(|| unit_suffix(family)).flatten() {
            writeln!(out, "# UNIT {name} {unit}")?;
        }
        for Sample { suffix: own, labels, value } in &family.samples {
            write!(out, "{name}{total}{suffix}{own}")?;
            for (index, (key, value)) in labels.iter().enumerate() {
                let before = if index == 0 { '{' } else { ',' };
                write!(out, "{before}{key}=\"")?;
                match open && *key == "le" {
                    true => write!(out, "{}\"", Bound(value))?,
                    false => write!(out, "{}\"", Escaped(value, &['\\', '"', '\n']))?,
                }
            }
            let close = if labels.is_empty() { "" } else { "}" };
            writeln!(out, "{close} {value}")?;
        }
    }
    if format == MetricsFormat::OpenMetrics { out.write_str("# EOF\n") } else { Ok(()) }
}

/// Returns the unit that ends the name of a metric, as OpenMetrics demands of units.
fn unit_suffix(family: &MetricFamily) -> Option<&'static str> {
    let unit = match &*unit_of(&family.name) {
        "s" => "seconds",
        "By" => "bytes",
        _ => return None,
    };
    family.name.strip_suffix(unit)?.ends_with('_').then_some(unit)
}

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text, escaped) = self;
        text.chars().try_for_each(|char| match char {
            '\n' => f.write_str("\\n"),
            char if escaped.contains(&char) => write!(f, "\\{char}"),
            char => f.write_char(char),
        })
    }
}

impl Display for Bound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_whole = self.0.bytes().all(|byte| byte.is_ascii_digit());
        write!(f, "{}{}", self.0, if is_whole { ".0" } else { "" })
    }
}

/// Ending of the names of metrics that hold information in their labels.
const INFO: &str = "_info";

#[cfg(test)]
mod tests;
