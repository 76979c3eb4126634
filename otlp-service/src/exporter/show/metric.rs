//! Metrics and their data points.

use super::entry::{NORMAL_PAIRS, ShownEntry};
use super::point;
use super::span::MAX_NAME_BYTES;
use super::style::{Look, Style};
use super::text::{TimeOfDay, is_full, put, put_text};
use super::value::{MAX_VALUE_BYTES, Pairs, put_attributes, put_pairs};
use otlp_protocol::view::{Metric, MetricData};

/// Appends a line for each of at most `max` data points: time, service, type, name, value, unit, attributes. Returns the number of
/// lines.
pub(super) fn put_lines(
    out: &mut String,
    style: Style,
    entry: &ShownEntry<'_>,
    metric: &Metric<'_>,
    max: u64,
) -> u64 {
    let (name, unit, kind) = (metric.name(), metric.unit(), names(metric.data()).0);
    let mut lines = 0;
    for data_point in entry.points() {
        if lines >= max || is_full(out) {
            break;
        }
        style.begin(out, TimeOfDay(data_point.time_unix_nano()), entry.service, "metric", kind, Look::Plain);
        put_text(out, name, MAX_NAME_BYTES);
        out.push_str("  ");
        point::put_short(out, &data_point);
        if !matches!(unit, "" | "1") {
            out.push(' ');
            put_text(out, unit, MAX_NAME_BYTES);
        }
        if !data_point.attributes().is_empty() {
            out.push_str("  ");
            style.paint(out, Look::Faint, |out| put_pairs(out, data_point.attributes(), LINE_PAIRS, &[]));
        }
        out.push('\n');
        lines += 1;
    }
    lines
}

/// Appends a line for each of at most `max` data points in the format `Normal`: `name{key=value} 3`. Returns the number of lines.
pub(super) fn put_normal(out: &mut String, entry: &ShownEntry<'_>, metric: &Metric<'_>, max: u64) -> u64 {
    let name = metric.name();
    let mut lines = 0;
    for data_point in entry.points() {
        if lines >= max || is_full(out) {
            break;
        }
        put_text(out, name, MAX_VALUE_BYTES);
        out.push('{');
        put_pairs(out, data_point.attributes(), Pairs { separator: ",", ..NORMAL_PAIRS }, &[]);
        out.push_str("} ");
        point::put_value(out, &data_point);
        out.push('\n');
        lines += 1;
    }
    lines
}

/// Appends all fields of a metric with at most `max` data points. Returns the number of data points.
pub(super) fn put_detailed(out: &mut String, entry: &ShownEntry<'_>, metric: &Metric<'_>, max: u64) -> u64 {
    put(out, format_args!("Metric #{}\nDescriptor:\n", entry.number));
    for (title, text) in
        [("Name", metric.name()), ("Description", metric.description()), ("Unit", metric.unit())]
    {
        put(out, format_args!("     -> {title}: "));
        put_text(out, text, MAX_VALUE_BYTES);
        out.push('\n');
    }
    let data = metric.data();
    put(out, format_args!("     -> DataType: {}\n", names(data).1));
    if let MetricData::Sum(sum) = data {
        put(out, format_args!("     -> IsMonotonic: {}\n", sum.is_monotonic()));
    }
    let temporality = match data {
        MetricData::ExponentialHistogram(data) => Some(data.aggregation_temporality().number()),
        MetricData::Histogram(data) => Some(data.aggregation_temporality().number()),
        MetricData::Sum(sum) => Some(sum.aggregation_temporality().number()),
        _ => None,
    };
    if let Some(temporality) = temporality {
        let name = ["Unspecified", "Delta", "Cumulative"];
        let name = name.get(usize::try_from(temporality).unwrap_or(usize::MAX)).unwrap_or(&"Unknown");
        put(out, format_args!("     -> AggregationTemporality: {name}\n"));
    }
    put_attributes(out, "     ", "-> Metadata", metric.metadata(), &[]);
    let mut shown = 0;
    for (number, data_point) in entry.points().enumerate() {
        if shown >= max || is_full(out) {
            break;
        }
        point::put_detailed(out, number, &data_point);
        shown += 1;
    }
    shown
}

/// Returns the name of the type in a line, and the Collector's name.
fn names(data: MetricData<'_>) -> (&'static str, &'static str) {
    match data {
        MetricData::ExponentialHistogram(_) => ("exp-hist", "ExponentialHistogram"),
        MetricData::Gauge(_) => ("gauge", "Gauge"),
        MetricData::Histogram(_) => ("histogram", "Histogram"),
        MetricData::Sum(_) => ("sum", "Sum"),
        MetricData::Summary(_) => ("summary", "Summary"),
        _ => ("-", "Empty"),
    }
}

/// Limits of attributes in a line.
pub(super) const LINE_PAIRS: Pairs = Pairs { max: 8, max_bytes: 80, separator: " " };
