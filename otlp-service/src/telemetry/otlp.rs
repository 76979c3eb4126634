//! Own metrics as OTLP requests.

mod points;

use super::snapshot::{MetricFamily, MetricKind, PerformanceMetrics};
use super::unit::unit_of;
use otlp_protocol::encode::{HistogramPointWriter, MetricEnd, MetricWriter, Metrics, NumberPointWriter};
use otlp_protocol::{AggregationTemporality, AttributeValue, Batch, Body, Charge};
use points::{Point, Value, points};
use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// Time that the points of counters and histograms cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Temporality {
    /// The time since the metric exists.
    #[default]
    Cumulative,
    /// The time since the last push that the destination accepted, or since the start of the reader.
    Delta,
}

/// Makes requests of successive snapshots: knows the start of each series, and the last values that the destination accepted.
#[derive(Debug)]
pub(super) struct Requests {
    temporality: Temporality,
    /// Time of the last accepted snapshot, or of the start.
    since: u64,
    accepted: HashMap<Key, Series>,
}

/// A request, and the state once the destination has accepted the request.
pub(super) struct Request {
    pub(super) body: Body,
    time: u64,
    series: HashMap<Key, Series>,
}

/// A series of a counter or a histogram: the name and the labels.
type Key = (String, Vec<(&'static str, String)>);

#[derive(Clone, Debug)]
struct Series {
    /// Start of the series, in nanoseconds since 1970.
    start: u64,
    value: Value,
}

/// A point with the time that the point covers, in nanoseconds since 1970.
struct Timed<'a> {
    point: Point<'a>,
    start: u64,
    time: u64,
}

// === impl PerformanceMetrics ===

impl PerformanceMetrics {
    /// Encodes the metrics as an OTLP metrics request: counters as cumulative sums, gauges, histograms with explicit bounds.
    /// `target_info` is left out, since `resource` says the same. `started` is the time from which on the metrics count, `time` the
    /// time of the snapshot.
    ///
    /// ```
    /// use otlp_protocol::AttributeValue;
    /// use otlp_service::Registry;
    /// use std::time::{Duration, UNIX_EPOCH};
    ///
    /// let registry = Registry::new();
    /// registry.counter("sent", "Items sent.", &[("exporter", "otlp")]).add(3);
    /// let _queued = registry.observe(otlp_service::MetricKind::Gauge, "queued", "Items queued.", &[], || 5.0);
    /// let resource = [("service.name".to_owned(), AttributeValue::new("shop"))];
    /// let started = UNIX_EPOCH + Duration::from_secs(1_000);
    /// let batch = registry.snapshot().to_otlp(&resource, started, started + Duration::from_secs(60));
    /// assert_eq!(batch.items(), 1);
    /// ```
    pub fn to_otlp(
        &self,
        resource: &[(String, AttributeValue)],
        started: SystemTime,
        time: SystemTime,
    ) -> Batch {
        let requests = Requests::new(Temporality::Cumulative, started);
        Batch::new(requests.request(self, resource, time).body, Charge::none())
    }
}

// === impl Requests ===

impl Requests {
    pub(super) fn new(temporality: Temporality, started: SystemTime) -> Self {
        Self { temporality, since: nanos(started), accepted: HashMap::new() }
    }

    /// Encodes a snapshot.
    pub(super) fn request(
        &self,
        snapshot: &PerformanceMetrics,
        resource: &[(String, AttributeValue)],
        time: SystemTime,
    ) -> Request {
        let time = nanos(time).max(self.since);
        let mut series = HashMap::new();
        let body = Body::write::<Metrics>(|request| {
            request.resource_group(|group| {
                group.resource(|writer| {
                    resource.iter().for_each(|(key, value)| {
                        writer.attribute(key, value);
                    });
                });
                group.scope_group(|group| {
                    group.scope(|scope| {
                        scope.name(SCOPE).version(env!("CARGO_PKG_VERSION"));
                    });
                    for family in snapshot.families.iter().filter(|family| family.name != TARGET_INFO) {
                        let points = points(family).into_iter();
                        let points: Vec<_> =
                            points.map(|point| self.timed(family, point, time, &mut series)).collect();
                        group.metric(|metric| write_metric(metric, family, &points, self.temporality));
                    }
                });
            });
        });
        Request { body, time, series }
    }

    /// Counts changes from this snapshot on.
    pub(super) fn count_from(&mut self, snapshot: &PerformanceMetrics, time: SystemTime) {
        let request = self.request(snapshot, &[], time);
        self.accepted(request);
    }

    /// Records that the destination accepted the request.
    pub(super) fn accepted(&mut self, Request { time, series, .. }: Request) {
        (self.since, self.accepted) = (time, series);
    }

    /// Gives a point its start, and of delta temporality the change of the value. Notes the series in `series`.
    fn timed<'a>(
        &self,
        family: &MetricFamily,
        mut point: Point<'a>,
        time: u64,
        series: &mut HashMap<Key, Series>,
    ) -> Timed<'a> {
        if family.kind == MetricKind::Gauge {
            return Timed { point, start: 0, time };
        }
        let key = (family.name.clone(), point.labels.to_vec());
        // A value that fell was reset: its component was removed and made again.
        let before = self.accepted.get(&key).filter(|before| point.value.continues(&before.value));
        let start = match (before, self.temporality) {
            (Some(before), Temporality::Cumulative) => before.start,
            _ => self.since,
        };
        series.insert(key, Series { start, value: point.value.clone() });
        if let (Some(before), Temporality::Delta) = (before, self.temporality) {
            point.value.subtract(&before.value);
        }
        Timed { point, start, time }
    }
}

fn write_metric(
    metric: MetricWriter<'_>,
    family: &MetricFamily,
    points: &[Timed<'_>],
    temporality: Temporality,
) -> MetricEnd {
    let unit = unit_of(&family.name);
    let metric = metric.name(&family.name).description(family.help).unit(&unit);
    let is_double = unit == "s" || unit == "ms";
    let temporality = match temporality {
        Temporality::Cumulative => AggregationTemporality::Cumulative,
        Temporality::Delta => AggregationTemporality::Delta,
    };
    match family.kind {
        MetricKind::Gauge => metric.gauge(|gauge| {
            points.iter().for_each(|timed| {
                gauge.point(|point| number(point, timed, is_double));
            });
        }),
        MetricKind::Counter => metric.sum(|sum| {
            points.iter().for_each(|timed| {
                sum.point(|point| number(point, timed, is_double));
            });
            sum.aggregation_temporality(temporality).is_monotonic(true);
        }),
        MetricKind::Histogram => metric.histogram(|histogram| {
            points.iter().for_each(|timed| {
                histogram.point(|point| buckets(point, timed));
            });
            histogram.aggregation_temporality(temporality);
        }),
    }
}

fn number(writer: &mut NumberPointWriter<'_>, Timed { point, start, time }: &Timed<'_>, is_double: bool) {
    writer.start_time_unix_nano(*start).time_unix_nano(*time);
    let Value::Number(value) = point.value else { return };
    // Counters are integers, of which f64 holds each up to 2^53.
    if is_double || value.fract() != 0.0 || value.abs() > MAX_EXACT {
        writer.double(value);
    } else {
        writer.int(value as i64);
    }
    for (key, value) in point.labels {
        writer.attribute(attribute_of(key), value);
    }
}

fn buckets(writer: &mut HistogramPointWriter<'_>, Timed { point, start, time }: &Timed<'_>) {
    writer.start_time_unix_nano(*start).time_unix_nano(*time);
    let Value::Buckets { bounds, counts, sum } = &point.value else { return };
    writer.count(counts.iter().sum()).sum(*sum);
    writer.bucket_counts(counts.iter().copied()).explicit_bounds(bounds.iter().copied());
    for (key, value) in point.labels {
        writer.attribute(attribute_of(key), value);
    }
}

/// Returns the Collector's name of an attribute, which Prometheus' text cannot have as a label.
fn attribute_of(label: &'static str) -> &'static str {
    if label == "otel_signal" { "otel.signal" } else { label }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Scope of own metrics.
const SCOPE: &str = "otlp-service";
/// The metric that holds the resource in Prometheus' text.
const TARGET_INFO: &str = "target_info";
/// Largest integer up to which each integer is an `f64`.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests;
