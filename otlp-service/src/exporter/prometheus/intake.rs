//! From a request to series: names, labels, and what is refused.

use super::families::{Families, Heading, Kind, Refusal};
use super::labels::Labels;
use super::name::Namer;
use super::value::Point;
use super::{PrometheusConfig, ResourceLabels};
use crate::processor::text_of;
use otlp_protocol::view::{Attributes, DataPoint, Metric, MetricData, RequestView, Resource, ScopeGroup};
use otlp_protocol::{Accepted, AggregationTemporality};
use std::time::Instant;

/// Turns requests into series.
#[derive(Debug)]
pub(super) struct Intake {
    namer: Namer,
    const_labels: Vec<(String, String)>,
    resource_labels: ResourceLabels,
    has_scope_labels: bool,
}

/// Labels that all series of a resource and a scope have.
#[derive(Default)]
struct Shared<'a> {
    /// Attributes of the resource that are labels: they replace attributes of points.
    attributes: Vec<(&'a str, String)>,
    /// Labels that mean something: job, instance, scope, and those of the settings.
    set: Vec<(String, String)>,
    /// Attributes of the scope.
    added: Vec<(String, String)>,
}

/// Space for the labels of one series, which is used again.
#[derive(Default)]
struct Scratch {
    labels: Labels,
    text: String,
}

// === impl Intake ===

impl Intake {
    pub(super) fn new(config: &PrometheusConfig) -> Self {
        let namer = Namer::new(config.translation, &config.namespace);
        let const_labels = config.const_labels.iter();
        Self {
            const_labels: const_labels
                .map(|(name, value)| (namer.given_label(name), value.clone()))
                .collect(),
            namer,
            resource_labels: config.resource_labels.clone(),
            has_scope_labels: config.has_scope_labels,
        }
    }

    pub(super) fn namer(&self) -> &Namer {
        &self.namer
    }

    /// Takes all points of a request. Points that cannot be shown are rejected; the answer names the first reason of each kind.
    pub(super) fn take(&self, request: RequestView<'_>, families: &mut Families, now: Instant) -> Accepted {
        let mut answer = Accepted::FULL;
        let mut scratch = Scratch::default();
        for group in request.resources() {
            let resource = group.resource();
            self.target(resource, families, &mut scratch, now);
            for scope in group.scopes() {
                let shared = self.shared(resource, &scope);
                for metric in scope.metrics() {
                    self.metric(metric, &shared, families, &mut scratch, &mut answer, now);
                }
            }
        }
        answer
    }

    fn metric(
        &self,
        metric: Metric<'_>,
        shared: &Shared<'_>,
        families: &mut Families,
        scratch: &mut Scratch,
        answer: &mut Accepted,
        now: Instant,
    ) {
        let mut reject = |problem: std::fmt::Arguments<'_>| {
            answer.rejected += 1;
            // Each reason once: the message is limited, too.
            if answer.message.len() < MAX_MESSAGE_BYTES {
                answer.add_message(&problem.to_string());
            }
        };
        let points = metric.points();
        let (kind, suffix, temporality) = match heading(metric) {
            Ok(heading) => heading,
            Err(problem) => {
                let name = metric.name();
                return points.for_each(|_| reject(format_args!("metric `{name}`: {problem}")));
            }
        };
        let Some(name) = self.namer.metric(metric.name(), metric.unit(), suffix) else {
            let name = metric.name();
            return points.for_each(|_| {
                reject(format_args!("metric `{name}`: nothing is left of the name in Prometheus"));
            });
        };
        let heading = Heading { name: &name, help: metric.description(), kind, temporality };
        for (attributes, flags, point) in points.filter_map(read) {
            self.labels(attributes, shared, scratch);
            if flags & NO_RECORDED_VALUE != 0 {
                families.end(&name, &scratch.text);
                continue;
            }
            match families.take(&heading, &scratch.text, point, now) {
                Ok(()) => {}
                Err(Refusal::Full) => {
                    let series = families.series();
                    reject(format_args!("there are {series} series, which is the limit `max_series`"));
                }
                Err(Refusal::OtherType(known)) => reject(format_args!(
                    "metric `{name}` is a {} here and a {} elsewhere",
                    kind.name(),
                    known.name()
                )),
                Err(Refusal::Overlapping) => {
                    reject(format_args!("metric `{name}`: a delta begins before the end of the delta before"))
                }
            }
        }
    }

    /// Writes the labels of a point to the scratch space.
    fn labels(&self, attributes: Attributes<'_>, shared: &Shared<'_>, scratch: &mut Scratch) {
        let Scratch { labels, text } = scratch;
        labels.clear();
        text.clear();
        for attribute in attributes {
            let key = attribute.key();
            if shared.attributes.iter().any(|(replaced, _)| *replaced == key) {
                continue;
            }
            if let Some(name) = self.namer.label(key) {
                labels.add(name, &text_of(attribute.value()));
            }
        }
        for (key, value) in &shared.attributes {
            if let Some(name) = self.namer.label(key) {
                labels.add(name, value);
            }
        }
        shared.added.iter().for_each(|(name, value)| labels.add(name.clone(), value));
        shared.set.iter().for_each(|(name, value)| labels.set(name, value));
        labels.write(text);
    }

    fn shared<'a>(&self, resource: Resource<'a>, group: &ScopeGroup<'a>) -> Shared<'a> {
        let mut shared = Shared::default();
        let of_resource = resource.attributes().iter();
        let of_resource = of_resource.filter(|attribute| self.resource_labels.includes(attribute.key()));
        shared.attributes =
            of_resource.map(|attribute| (attribute.key(), text_of(attribute.value()).into_owned())).collect();
        let scope = group.scope();
        if self.has_scope_labels {
            for attribute in scope.attributes() {
                let key = attribute.key();
                let is_reserved = matches!(key, "name" | "version" | "schema_url");
                if let Some(name) = self.namer.label(&format!("otel_scope_{key}")).filter(|_| !is_reserved) {
                    shared.added.push((name, text_of(attribute.value()).into_owned()));
                }
            }
            let own =
                [("name", scope.name()), ("version", scope.version()), ("schema_url", group.schema_url())];
            shared.set.extend(own.map(|(key, value)| (format!("otel_scope_{key}"), value.to_owned())));
        }
        let named = [("job", job(resource)), ("instance", instance(resource))];
        shared.set.extend(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        shared.set.extend(self.const_labels.iter().cloned());
        shared
    }

    /// Keeps the attributes of a resource that has a job and an instance, for `target_info`.
    fn target(&self, resource: Resource<'_>, families: &mut Families, scratch: &mut Scratch, now: Instant) {
        let (Some(job), Some(instance)) = (job(resource), instance(resource)) else { return };
        if job.is_empty() || instance.is_empty() {
            return;
        }
        let Scratch { labels, text } = scratch;
        labels.clear();
        text.clear();
        for attribute in resource.attributes() {
            let key = attribute.key();
            if matches!(key, SERVICE_NAME | SERVICE_NAMESPACE | SERVICE_INSTANCE) {
                continue;
            }
            if let Some(name) = self.namer.label(key) {
                labels.add(name, &text_of(attribute.value()));
            }
        }
        labels.set("job", &job);
        labels.set("instance", &instance);
        labels.write(text);
        families.target(&job, &instance, text, now);
    }
}

/// The type of a metric, the word for the type at the end of the name, and what the points cover.
fn heading(metric: Metric<'_>) -> Result<(Kind, Option<&'static str>, AggregationTemporality), &'static str> {
    let unspecified = "its temporality is not given";
    let known = |temporality| match temporality {
        AggregationTemporality::Cumulative | AggregationTemporality::Delta => Ok(temporality),
        _ => Err(unspecified),
    };
    let cumulative = AggregationTemporality::Cumulative;
    match metric.data() {
        MetricData::Gauge(_) => {
            let is_unknown = metric.metadata().get("prometheus.type").and_then(|kind| kind.as_str());
            let kind = if is_unknown == Some("unknown") { Kind::Untyped } else { Kind::Gauge };
            Ok((kind, (metric.unit() == "1").then_some("ratio"), cumulative))
        }
        MetricData::Sum(sum) => match (known(sum.aggregation_temporality())?, sum.is_monotonic()) {
            (temporality, true) => Ok((Kind::Counter, Some("total"), temporality)),
            (AggregationTemporality::Delta, false) => {
                Err("a sum that can fall has deltas, and Prometheus has none")
            }
            (temporality, false) => Ok((Kind::Gauge, None, temporality)),
        },
        MetricData::Histogram(data) => Ok((Kind::Histogram, None, known(data.aggregation_temporality())?)),
        MetricData::ExponentialHistogram(data) => {
            Ok((Kind::Histogram, None, known(data.aggregation_temporality())?))
        }
        MetricData::Summary(_) => Ok((Kind::Summary, None, cumulative)),
        _ => Err("it has no data of a known kind"),
    }
}

/// The attributes and flags of a point, and what a series keeps of the point.
fn read(point: DataPoint<'_>) -> Option<(Attributes<'_>, u32, Point)> {
    Some(match point {
        DataPoint::Number(point) => (point.attributes(), point.flags(), Point::of_number(point)),
        DataPoint::Histogram(point) => (point.attributes(), point.flags(), Point::of_histogram(point)),
        DataPoint::ExponentialHistogram(point) => {
            (point.attributes(), point.flags(), Point::of_exponential(point))
        }
        DataPoint::Summary(point) => (point.attributes(), point.flags(), Point::of_summary(point)),
        _ => return None,
    })
}

fn job(resource: Resource<'_>) -> Option<String> {
    let attributes = resource.attributes();
    let name = text_of(attributes.get(SERVICE_NAME)?);
    Some(match attributes.get(SERVICE_NAMESPACE) {
        Some(namespace) => format!("{}/{name}", text_of(namespace)),
        None => name.into_owned(),
    })
}

fn instance(resource: Resource<'_>) -> Option<String> {
    Some(text_of(resource.attributes().get(SERVICE_INSTANCE)?).into_owned())
}

pub(super) const SERVICE_NAME: &str = "service.name";
pub(super) const SERVICE_NAMESPACE: &str = "service.namespace";
pub(super) const SERVICE_INSTANCE: &str = "service.instance.id";

/// Of `DataPointFlags`.
const NO_RECORDED_VALUE: u32 = 1;

/// Of the answer about rejected points.
const MAX_MESSAGE_BYTES: usize = 1024;
