//! Data points of metrics.

use super::text::{Double, Hex, ShortDouble, Timestamp, is_full, put};
use super::value::{put_attributes, put_more};
use otlp_protocol::view::{
    Buckets, DataPoint, Exemplar, ExponentialHistogramPoint, HistogramPoint, Number, SummaryPoint,
};
use std::fmt::Display;

/// Appends the value in the format `Lines`: `3`, or `count=2 sum=1.5`, doubles in few digits.
pub(super) fn put_short(out: &mut String, point: &DataPoint<'_>) {
    match point {
        DataPoint::Number(point) => match point.value() {
            Number::Double(value) => put(out, format_args!("{}", ShortDouble(value))),
            number => put_number(out, number),
        },
        DataPoint::Histogram(point) => {
            put_totals(out, point.count(), [point.sum(), point.min(), point.max()].map(short));
        }
        DataPoint::ExponentialHistogram(point) => {
            put_totals(out, point.count(), [point.sum(), point.min(), point.max()].map(short));
        }
        DataPoint::Summary(point) => {
            put_totals(out, point.count(), [short(Some(point.sum())), None, None]);
            for quantile in point.quantile_values().take(MAX_LINE_BUCKETS) {
                put(out, format_args!(" q{}={}", Double(quantile.quantile()), ShortDouble(quantile.value())));
            }
        }
        _ => {}
    }
}

/// Appends the value in the format `Normal`, with the counts of buckets.
pub(super) fn put_value(out: &mut String, point: &DataPoint<'_>) {
    match point {
        DataPoint::Number(point) => put_number(out, point.value()),
        DataPoint::Histogram(point) => {
            put_totals(out, point.count(), [point.sum(), point.min(), point.max()].map(exact));
            put_buckets(out, point);
        }
        DataPoint::ExponentialHistogram(point) => {
            put_totals(out, point.count(), [point.sum(), point.min(), point.max()].map(exact));
            put_exponential_buckets(out, point);
        }
        DataPoint::Summary(point) => {
            put_totals(out, point.count(), [exact(Some(point.sum())), None, None]);
            for quantile in point.quantile_values().take(MAX_LINE_BUCKETS) {
                put(out, format_args!(" q{}={}", Double(quantile.quantile()), Double(quantile.value())));
            }
        }
        _ => {}
    }
}

/// Appends all fields of a data point.
pub(super) fn put_detailed(out: &mut String, number: usize, point: &DataPoint<'_>) {
    let name = match point {
        DataPoint::ExponentialHistogram(_) => "ExponentialHistogramDataPoints",
        DataPoint::Histogram(_) => "HistogramDataPoints",
        DataPoint::Summary(_) => "SummaryDataPoints",
        _ => "NumberDataPoints",
    };
    put(out, format_args!("{name} #{number}\n"));
    put_attributes(out, "", "Data point attributes", point.attributes(), &[]);
    put(out, format_args!("StartTimestamp: {}\n", Timestamp(point.start_time_unix_nano())));
    put(out, format_args!("Timestamp: {}\n", Timestamp(point.time_unix_nano())));
    match point {
        DataPoint::Number(point) => {
            out.push_str("Value: ");
            put_number(out, point.value());
            out.push('\n');
            put_flags(out, point.flags());
            put_exemplars(out, point.exemplars());
        }
        DataPoint::Histogram(point) => {
            put_total_lines(out, point.count(), [point.sum(), point.min(), point.max()]);
            put_bucket_lines(out, point);
            put_flags(out, point.flags());
            put_exemplars(out, point.exemplars());
        }
        DataPoint::ExponentialHistogram(point) => {
            put_total_lines(out, point.count(), [point.sum(), point.min(), point.max()]);
            put_exponential_bucket_lines(out, point);
            put_flags(out, point.flags());
            put_exemplars(out, point.exemplars());
        }
        DataPoint::Summary(point) => put_quantiles(out, point),
        _ => {}
    }
}

fn put_number(out: &mut String, number: Number) {
    match number {
        Number::Double(value) => put(out, format_args!("{}", Double(value))),
        Number::Empty => out.push('-'),
        Number::Int(value) => put(out, format_args!("{value}")),
    }
}

/// Appends count, and sum, minimum and maximum if the data point has them.
fn put_totals(out: &mut String, count: u64, totals: [Option<impl Display>; 3]) {
    put(out, format_args!("count={count}"));
    for (name, value) in ["sum", "min", "max"].into_iter().zip(totals) {
        if let Some(value) = value {
            put(out, format_args!(" {name}={value}"));
        }
    }
}

fn exact(value: Option<f64>) -> Option<Double> {
    value.map(Double)
}

fn short(value: Option<f64>) -> Option<ShortDouble> {
    value.map(ShortDouble)
}

fn put_total_lines(out: &mut String, count: u64, totals: [Option<f64>; 3]) {
    put(out, format_args!("Count: {count}\n"));
    for (name, value) in ["Sum", "Min", "Max"].into_iter().zip(totals) {
        if let Some(value) = value {
            put(out, format_args!("{name}: {}\n", Double(value)));
        }
    }
}

fn put_buckets(out: &mut String, point: &HistogramPoint<'_>) {
    let mut bounds = point.explicit_bounds();
    let mut rest = point.bucket_counts();
    for count in rest.by_ref().take(MAX_LINE_BUCKETS) {
        match bounds.next() {
            Some(bound) => put(out, format_args!(" le{}={count}", Double(bound))),
            None => put(out, format_args!(" {count}")),
        }
    }
    put_more_inline(out, rest.count());
}

fn put_exponential_buckets(out: &mut String, point: &ExponentialHistogramPoint<'_>) {
    for (sign, buckets) in [("-", point.negative()), ("", point.positive())] {
        let mut rest = buckets.bucket_counts().enumerate();
        for (index, count) in rest.by_ref().take(MAX_LINE_BUCKETS) {
            let bound = Double(bound(point.scale(), &buckets, index));
            put(out, format_args!(" gt{sign}{bound}={count}"));
        }
        put_more_inline(out, rest.count());
    }
    if point.zero_count() > 0 {
        put(out, format_args!(" zero{}={}", Double(point.zero_threshold()), point.zero_count()));
    }
}

fn put_bucket_lines(out: &mut String, point: &HistogramPoint<'_>) {
    let mut rest = point.explicit_bounds().enumerate();
    for (number, bound) in rest.by_ref().take(MAX_BUCKETS) {
        put(out, format_args!("ExplicitBounds #{number}: {}\n", Double(bound)));
    }
    put_more(out, "", rest.count() as u64, "bounds");
    let mut rest = point.bucket_counts().enumerate();
    for (number, count) in rest.by_ref().take(MAX_BUCKETS) {
        put(out, format_args!("Buckets #{number}, Count: {count}\n"));
    }
    put_more(out, "", rest.count() as u64, "buckets");
}

/// Appends buckets from the lowest to the highest value. Negative buckets are stored in the opposite order, so that the lowest of
/// too many negative buckets are left out.
fn put_exponential_bucket_lines(out: &mut String, point: &ExponentialHistogramPoint<'_>) {
    let negative = point.negative();
    let mut rest = negative.bucket_counts().enumerate();
    let lowest: Vec<_> = rest.by_ref().take(MAX_BUCKETS).collect();
    put_more(out, "", rest.count() as u64, "negative buckets");
    for (index, count) in lowest.into_iter().rev() {
        let (lower, upper) = bounds(point.scale(), &negative, index);
        put(out, format_args!("Bucket [-{upper}, -{lower}), Count: {count}\n"));
    }
    if point.zero_count() != 0 {
        let threshold = Double(point.zero_threshold());
        put(out, format_args!("Bucket [-{threshold}, {threshold}], Count: {}\n", point.zero_count()));
    }
    let positive = point.positive();
    let mut rest = positive.bucket_counts().enumerate();
    for (index, count) in rest.by_ref().take(MAX_BUCKETS) {
        let (lower, upper) = bounds(point.scale(), &positive, index);
        put(out, format_args!("Bucket ({lower}, {upper}], Count: {count}\n"));
    }
    put_more(out, "", rest.count() as u64, "positive buckets");
}

fn bounds(scale: i32, buckets: &Buckets<'_>, index: usize) -> (Double, Double) {
    (Double(bound(scale, buckets, index)), Double(bound(scale, buckets, index + 1)))
}

/// Returns the lower bound of a bucket: 2^(index × 2^-scale).
fn bound(scale: i32, buckets: &Buckets<'_>, index: usize) -> f64 {
    let index = f64::from(buckets.offset()) + index as f64;
    (index * (-f64::from(scale)).exp2()).exp2()
}

fn put_quantiles(out: &mut String, point: &SummaryPoint<'_>) {
    put_total_lines(out, point.count(), [Some(point.sum()), None, None]);
    let mut rest = point.quantile_values().enumerate();
    for (number, quantile) in rest.by_ref().take(MAX_BUCKETS) {
        let (quantile, value) = (Double(quantile.quantile()), Double(quantile.value()));
        put(out, format_args!("QuantileValue #{number}: Quantile {quantile}, Value {value}\n"));
    }
    put_more(out, "", rest.count() as u64, "quantiles");
    put_flags(out, point.flags());
}

fn put_flags(out: &mut String, flags: u32) {
    if flags != 0 {
        put(out, format_args!("Flags: {flags}\n"));
    }
}

fn put_exemplars<'a>(out: &mut String, exemplars: impl Iterator<Item = Exemplar<'a>>) {
    let mut rest = exemplars.enumerate();
    while !is_full(out) {
        let Some((number, exemplar)) = rest.next() else { return };
        if number == 0 {
            out.push_str("Exemplars:\n");
        }
        put(out, format_args!("Exemplar #{number}\n     -> Trace ID: {}\n", Hex(exemplar.trace_id())));
        put(out, format_args!("     -> Span ID: {}\n", Hex(exemplar.span_id())));
        put(
            out,
            format_args!("     -> Timestamp: {}\n     -> Value: ", Timestamp(exemplar.time_unix_nano())),
        );
        put_number(out, exemplar.value());
        out.push('\n');
        put_attributes(out, "     ", "-> FilteredAttributes", exemplar.filtered_attributes(), &[]);
        if number + 1 == MAX_EXEMPLARS {
            break;
        }
    }
    put_more(out, "", rest.count() as u64, "exemplars");
}

fn put_more_inline(out: &mut String, more: usize) {
    if more > 0 {
        put(out, format_args!(" …{more} more"));
    }
}

/// Largest number of buckets or quantiles of a data point in a line.
const MAX_LINE_BUCKETS: usize = 64;
/// Largest number of buckets, bounds or quantiles of a data point.
const MAX_BUCKETS: usize = 200;
const MAX_EXEMPLARS: usize = 32;
