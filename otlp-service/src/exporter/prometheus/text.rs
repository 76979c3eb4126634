//! Series in Prometheus' text format and in OpenMetrics.

use super::families::{Family, Kind};
use super::format::is_plain_name;
use super::labels::{put_double, put_escaped, put_name};
use super::value::{Exemplar, Histogram, Point, Value, double};
use std::fmt::Write;

/// Writes lines.
pub(super) struct Text<'a> {
    pub(super) out: &'a mut String,
    /// OpenMetrics.
    pub(super) is_open: bool,
    pub(super) has_timestamps: bool,
}

/// The name and the labels that the lines of a series begin with.
#[derive(Clone, Copy)]
struct Start<'a> {
    name: &'a str,
    labels: &'a str,
    /// Of the point, in milliseconds since 1970, if lines have times.
    time: Option<u64>,
}

/// The value of a line.
#[derive(Clone, Copy)]
enum Number {
    Double(f64),
    Count(u64),
}

// === impl Text ===

impl Text<'_> {
    /// Writes help and type of a metric.
    pub(super) fn head(&mut self, name: &str, help: &str, kind: Kind) {
        let total = name.strip_suffix("_total").filter(|_| self.is_open && kind == Kind::Counter);
        let shown = total.unwrap_or(name);
        self.out.push_str("# HELP ");
        put_name(self.out, shown);
        self.out.push(' ');
        put_escaped(self.out, help, self.is_open);
        self.out.push_str("\n# TYPE ");
        put_name(self.out, shown);
        // In OpenMetrics the names of counters end in `_total`.
        let is_known = kind != Kind::Untyped && (kind != Kind::Counter || total.is_some());
        let _ = writeln!(self.out, " {}", if self.is_open && !is_known { "unknown" } else { kind.name() });
    }

    /// Writes the lines of a series.
    pub(super) fn series(&mut self, name: &str, labels: &str, family: &Family, point: &Point) {
        let start = Start { name, labels, time: self.has_timestamps.then_some(point.time / NANOS_PER_MILLI) };
        match &point.value {
            Value::Number(value) => {
                let is_counter = family.kind == Kind::Counter;
                let exemplar = point.exemplars.last().filter(|_| is_counter);
                self.line(start, "", None, Number::Double(double(*value)), exemplar);
            }
            Value::Histogram(histogram) => {
                self.buckets(start, histogram, &point.exemplars);
                self.totals(start, histogram.sum, histogram.count);
            }
            // Text has no native histograms: the bucket of all values remains.
            Value::Exponential(histogram) => {
                let count = Number::Count(histogram.count);
                self.line(start, "_bucket", Some(("le", f64::INFINITY)), count, None);
                self.totals(start, histogram.sum, histogram.count);
            }
            Value::Summary(summary) => {
                for (quantile, value) in &summary.quantiles {
                    self.line(start, "", Some(("quantile", *quantile)), Number::Double(*value), None);
                }
                self.totals(start, summary.sum, summary.count);
            }
        }
    }

    /// Writes `target_info`.
    pub(super) fn target(&mut self, name: &str, labels: &str) {
        let start = Start { name, labels, time: None };
        self.line(start, "", None, Number::Double(1.0), None);
    }

    fn buckets(&mut self, start: Start<'_>, histogram: &Histogram, exemplars: &[Exemplar]) {
        for (bound, count, exemplar) in histogram.buckets(exemplars) {
            self.line(start, "_bucket", Some(("le", bound)), Number::Count(count), exemplar);
        }
    }

    fn totals(&mut self, start: Start<'_>, sum: f64, count: u64) {
        self.line(start, "_sum", None, Number::Double(sum), None);
        self.line(start, "_count", None, Number::Count(count), None);
    }

    fn line(
        &mut self,
        start: Start<'_>,
        suffix: &str,
        more: Option<(&str, f64)>,
        value: Number,
        exemplar: Option<&Exemplar>,
    ) {
        let Self { is_open, .. } = *self;
        let out = &mut *self.out;
        let mut separator = "{";
        if is_plain_name(start.name) {
            out.push_str(start.name);
            out.push_str(suffix);
        } else {
            out.push_str("{\"");
            put_escaped(out, start.name, true);
            out.push_str(suffix);
            out.push('"');
            separator = ",";
        }
        if !start.labels.is_empty() {
            out.push_str(separator);
            out.push_str(start.labels);
            separator = ",";
        }
        if let Some((label, bound)) = more {
            out.push_str(separator);
            out.push_str(label);
            out.push_str("=\"");
            put_double(out, bound, is_open);
            out.push('"');
            separator = ",";
        }
        out.push_str(if separator == "," { "} " } else { " " });
        match value {
            // Text 0.0.4 has doubles alone.
            Number::Count(count) if !is_open => put_double(out, count as f64, false),
            Number::Count(count) => {
                let _ = write!(out, "{count}");
            }
            Number::Double(value) => put_double(out, value, is_open),
        }
        match start.time {
            Some(time) if is_open => {
                out.push(' ');
                put_double(out, time as f64 / MILLIS_PER_SECOND, true);
            }
            Some(time) => {
                let _ = write!(out, " {time}");
            }
            None => {}
        }
        if let Some(exemplar) = exemplar.filter(|_| is_open) {
            put_exemplar(out, exemplar);
        }
        out.push('\n');
    }
}

/// Writes an exemplar behind a value; none without trace and span.
fn put_exemplar(out: &mut String, exemplar: &Exemplar) {
    let labels: Vec<_> = exemplar.labels().map(|(name, id)| format!("{name}=\"{id}\"")).collect();
    if labels.is_empty() {
        return;
    }
    let _ = write!(out, " # {{{}}} ", labels.join(","));
    put_double(out, exemplar.value, true);
    out.push(' ');
    put_double(out, exemplar.time as f64 / NANOS_PER_SECOND, true);
}

const NANOS_PER_MILLI: u64 = 1_000_000;
const NANOS_PER_SECOND: f64 = 1e9;
const MILLIS_PER_SECOND: f64 = 1e3;
