//! Collection: the values of all instruments, as one request.

use super::aggregation::{Aggregate, Aggregation};
use super::attributes::AttributeSet;
use super::exponential::{Buckets, Exponential};
use super::histogram::Distribution;
use super::instrument::{Instrument, InstrumentKind, MetricScope};
use super::number::NumberKind;
use super::{Meters, TemporalityPreference, cache};
use otlp_protocol::AggregationTemporality::{self, Cumulative, Delta};
use otlp_protocol::encode::{
    BucketsWriter, ExponentialHistogramPointWriter, HistogramPointWriter, MetricEnd, MetricWriter, Metrics,
    NumberPointWriter, RequestWriter, ResourceWriter, ScopeGroupWriter, ScopeWriter,
};
use otlp_protocol::view::{Resource, Scope};
use std::collections::HashMap;
use std::sync::Arc;

/// The points of an instrument.
struct Collected {
    instrument: Arc<Instrument>,
    temporality: AggregationTemporality,
    points: Vec<(AttributeSet, Aggregate)>,
}

/// Start and time of points, in nanoseconds since 1970.
#[derive(Clone, Copy)]
struct Period {
    start: u64,
    time: u64,
}

// === impl Meters ===

impl Meters {
    /// Calls the callbacks of observable instruments, and appends a request with the values of all instruments to `out`: an
    /// `ExportMetricsServiceRequest`. `resource` is an encoded `Resource`, `schema_url` its schema. Returns the number of points; if
    /// there are none, nothing is appended.
    ///
    /// No lock is held while callbacks run. Values with delta temporality count from the previous collection, so the caller sends
    /// every request.
    pub fn collect(&self, now_unix_nanos: u64, resource: &[u8], schema_url: &str, out: &mut Vec<u8>) -> u64 {
        let preference = self.settings().temporality;
        let (instruments, start, previous) = self.begin_collection(now_unix_nanos);
        let mut scopes: Vec<(MetricScope, Vec<Collected>)> = Vec::new();
        let mut places: HashMap<MetricScope, usize> = HashMap::new();
        let mut count = 0;
        for instrument in instruments {
            let temporality = preference.of(instrument.identity.kind);
            let points = points(&instrument, temporality == Delta, self.settings().cardinality_limit);
            if points.is_empty() {
                continue;
            }
            count += points.len() as u64;
            let place = *places.entry(instrument.scope.clone()).or_insert_with(|| {
                scopes.push((instrument.scope.clone(), Vec::new()));
                scopes.len() - 1
            });
            if let Some((_, metrics)) = scopes.get_mut(place) {
                metrics.push(Collected { instrument, temporality, points });
            }
        }
        if preference != TemporalityPreference::Cumulative {
            // Series that nobody measures are removed at one of the next collections.
            cache::release();
        }
        if count > 0 {
            let period = |temporality| Period {
                start: if temporality == Delta { previous } else { start }.min(now_unix_nanos),
                time: now_unix_nanos,
            };
            RequestWriter::<Metrics>::new(out).resource_group(|group| {
                group.resource(|writer| put_resource(writer, resource)).schema_url(schema_url);
                for (scope, metrics) in &scopes {
                    group.scope_group(|group| {
                        group.scope(|writer| put_scope(writer, &scope.message)).schema_url(&scope.schema_url);
                        metrics.iter().for_each(|metric| metric.put(group, period(metric.temporality)));
                    });
                }
            });
        }
        count
    }
}

impl TemporalityPreference {
    fn of(self, kind: InstrumentKind) -> AggregationTemporality {
        match (self, kind) {
            (Self::Delta | Self::LowMemory, InstrumentKind::Counter | InstrumentKind::Histogram)
            | (
                Self::Delta,
                InstrumentKind::ObservableCounter | InstrumentKind::Gauge | InstrumentKind::ObservableGauge,
            ) => Delta,
            _ => Cumulative,
        }
    }
}

/// Returns the values of an instrument. Delta values are reset, and series without values removed.
fn points(instrument: &Instrument, is_delta: bool, limit: usize) -> Vec<(AttributeSet, Aggregate)> {
    let Instrument { identity, series, callbacks, .. } = instrument;
    if identity.kind.is_observable() {
        let as_increase = is_delta && identity.kind == InstrumentKind::ObservableCounter;
        let observed = callbacks.collect(instrument, limit, as_increase).into_values();
        return observed.map(|(attributes, bits)| (attributes, Aggregate::Number(bits))).collect();
    }
    let mut points = Vec::new();
    if is_delta {
        series.retain(|series| {
            let aggregate = series.cells.read(identity.number, true);
            let was_measured = aggregate.is_some();
            points.extend(aggregate.map(|aggregate| (series.attributes.clone(), aggregate)));
            was_measured
        });
    } else {
        series.for_each(|series| {
            let aggregate = series.cells.read(identity.number, false);
            points.extend(aggregate.map(|aggregate| (series.attributes.clone(), aggregate)));
        });
    }
    points
}

// === impl Collected ===

impl Collected {
    fn put(&self, group: &mut ScopeGroupWriter<'_, Metrics>, period: Period) {
        let identity = &self.instrument.identity;
        group.metric(|metric| {
            let metric = metric.name(&identity.name).description(&identity.description).unit(&identity.unit);
            self.put_points(metric, period)
        });
    }

    fn put_points(&self, metric: MetricWriter<'_>, period: Period) -> MetricEnd {
        let Self { instrument, temporality, points } = self;
        let number = instrument.identity.number;
        match instrument.aggregation {
            Aggregation::Exponential => metric.exponential_histogram(|histogram| {
                histogram.aggregation_temporality(*temporality);
                for (attributes, aggregate) in points {
                    if let Aggregate::Exponential(values) = aggregate {
                        histogram.point(|point| put_exponential(point, period, attributes, values));
                    }
                }
            }),
            Aggregation::Explicit(_) => metric.histogram(|histogram| {
                histogram.aggregation_temporality(*temporality);
                for (attributes, aggregate) in points {
                    if let Aggregate::Explicit(values) = aggregate {
                        histogram.point(|point| put_explicit(point, period, attributes, values));
                    }
                }
            }),
            Aggregation::Last | Aggregation::Refused(_) => metric.gauge(|gauge| {
                for (attributes, aggregate) in points {
                    gauge.point(|point| put_number(point, period, attributes, number, aggregate));
                }
            }),
            Aggregation::Sum => metric.sum(|sum| {
                let kind = instrument.identity.kind;
                let grows = matches!(kind, InstrumentKind::Counter | InstrumentKind::ObservableCounter);
                sum.aggregation_temporality(*temporality).is_monotonic(grows);
                for (attributes, aggregate) in points {
                    sum.point(|point| put_number(point, period, attributes, number, aggregate));
                }
            }),
        }
    }
}

fn put_number(
    point: &mut NumberPointWriter<'_>,
    period: Period,
    attributes: &AttributeSet,
    number: NumberKind,
    aggregate: &Aggregate,
) {
    point.start_time_unix_nano(period.start).time_unix_nano(period.time);
    if let Aggregate::Number(bits) = *aggregate {
        match number {
            NumberKind::Double => point.double(f64::from_bits(bits)),
            NumberKind::Signed => point.int(bits as i64),
            // OTLP has no larger integers.
            NumberKind::Unsigned => point.int(i64::try_from(bits).unwrap_or(i64::MAX)),
        };
    }
    for attribute in attributes.view() {
        point.attribute(attribute.key(), attribute.value());
    }
}

fn put_explicit(
    point: &mut HistogramPointWriter<'_>,
    period: Period,
    attributes: &AttributeSet,
    values: &Distribution,
) {
    let Distribution { bounds, counts, summary } = values;
    point.start_time_unix_nano(period.start).time_unix_nano(period.time);
    point.count(counts.iter().sum()).sum(summary.sum).min(summary.min).max(summary.max);
    point.bucket_counts(counts.iter().copied()).explicit_bounds(bounds.iter().copied());
    for attribute in attributes.view() {
        point.attribute(attribute.key(), attribute.value());
    }
}

fn put_exponential(
    point: &mut ExponentialHistogramPointWriter<'_>,
    period: Period,
    attributes: &AttributeSet,
    values: &Exponential,
) {
    let Exponential { scale, zeros, positive, negative, summary } = values;
    point.start_time_unix_nano(period.start).time_unix_nano(period.time);
    point.count(values.count()).sum(summary.sum).min(summary.min).max(summary.max);
    point.scale(*scale).zero_count(*zeros);
    point.positive(|writer| put_buckets(writer, positive)).negative(|writer| put_buckets(writer, negative));
    for attribute in attributes.view() {
        point.attribute(attribute.key(), attribute.value());
    }
}

fn put_buckets(writer: &mut BucketsWriter<'_>, buckets: &Buckets) {
    if !buckets.counts.is_empty() {
        writer.offset(buckets.offset).bucket_counts(buckets.counts.iter().copied());
    }
}

fn put_resource(writer: &mut ResourceWriter<'_>, message: &[u8]) {
    let resource = Resource::new(message);
    for attribute in resource.attributes() {
        writer.attribute(attribute.key(), attribute.value());
    }
    writer.dropped_attributes_count(resource.dropped_attributes_count());
}

fn put_scope(writer: &mut ScopeWriter<'_>, message: &[u8]) {
    let scope = Scope::new(message);
    writer.name(scope.name()).version(scope.version());
    for attribute in scope.attributes() {
        writer.attribute(attribute.key(), attribute.value());
    }
    writer.dropped_attributes_count(scope.dropped_attributes_count());
}
