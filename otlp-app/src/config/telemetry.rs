//! `service.telemetry`: own metrics, logs and traces.
//!
//! The keys are those of OpenTelemetry's declarative configuration, as the Collector has them.

mod attributes;
mod exporter;
mod lines;
mod metrics;
mod requests;

pub(crate) use attributes::FieldValue;
pub(crate) use exporter::{OwnDestination, OwnExporterPlan, OwnServer};
pub(crate) use lines::{LogConfig, LogOutput, LogSampling};
pub(crate) use metrics::ReaderPlan;
pub(crate) use requests::SpansPlan;

use super::decode::decode;
use super::files::NamedFile;
use super::fingerprint;
use super::node::Node;
use super::problem::{Problem, Problems};
use super::rules::Note;
use super::source::Span;
use attributes::OwnAttributes;
use lines::OwnLogs;
use metrics::OwnMetrics;
use otlp_protocol::AttributeValue;
use otlp_service::Settings;
use otlp_service::{Fingerprint, KeyRule, MetricsPage, OwnQueueConfig};
use requests::OwnTraces;
use serde::Deserialize;
use std::time::Duration;

/// Settings of `service.telemetry`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Telemetry {
    metrics: OwnMetrics,
    logs: OwnLogs,
    traces: OwnTraces,
    /// Attributes of the resource that own metrics, logs and traces are sent with: a map of texts, of which an empty value
    /// removes a default, or `attributes`: a list of `{name, value, type}`. Default: `service.name: otlp`, `service.version`
    /// and a random `service.instance.id`.
    resource: OwnAttributes,
}

/// Own telemetry as the file sets it.
#[derive(Debug, Default)]
pub(crate) struct OwnTelemetry {
    /// Pages of own metrics.
    pub(crate) pages: Vec<MetricsPage>,
    /// Destinations that own metrics are sent to.
    pub(crate) readers: Vec<ReaderPlan>,
    /// Lines of the log.
    pub(crate) logs: LogConfig,
    /// Destinations that log lines are sent to.
    pub(crate) log_processors: Vec<ProcessorPlan>,
    /// Own traces; `None`: off.
    pub(crate) spans: Option<SpansPlan>,
    /// Attributes of the resource, without the defaults; a default without a value is removed.
    pub(crate) resource: Vec<(String, Option<AttributeValue>)>,
    /// Identity of the section.
    pub(crate) settings: Option<Fingerprint>,
    /// Files that the section names.
    pub(crate) files: Vec<NamedFile>,
}

/// A destination of log records or spans, and the queue before it.
#[derive(Debug)]
pub(crate) struct ProcessorPlan {
    /// The queue.
    pub(crate) queue: OwnQueueConfig,
    /// Time after which a request is given up.
    pub(crate) export_timeout: Duration,
    /// The destination.
    pub(crate) exporter: OwnExporterPlan,
}

/// Reads values of the section, and collects problems and notes with their places.
struct Reading<'a> {
    node: &'a Node,
    problems: &'a mut Problems,
    notes: &'a mut Vec<Note>,
}

/// Keys of the Collector's `service.telemetry` that have no effect here.
pub(crate) const TELEMETRY_RULES: &[KeyRule] = &[
    KeyRule::ignored("logs.development", LOG_FORM),
    KeyRule::ignored("logs.disable_caller", LOG_FORM),
    KeyRule::ignored("logs.disable_stacktrace", LOG_FORM),
    KeyRule::ignored("logs.disable_zap_resource", LOG_FORM),
    KeyRule::ignored("logs.error_output_paths", "errors of the log itself go to stderr"),
    KeyRule::ignored("metrics.views", "all metrics of the level are on the page"),
    KeyRule::ignored("metrics.readers.periodic.producers", "there are own metrics alone"),
    KeyRule::ignored("metrics.readers.pull.producers", "there are own metrics alone"),
    KeyRule::ignored("metrics.readers.periodic.cardinality_limits", LIMITS),
    KeyRule::ignored("metrics.readers.pull.cardinality_limits", LIMITS),
    KeyRule::ignored_unless(
        "metrics.readers.periodic.exporter.otlp.default_histogram_aggregation",
        "explicit_bucket_histogram",
        "histograms have explicit buckets",
    ),
    KeyRule::ignored("metrics.readers.pull.exporter.prometheus.without_scope_info", PAGE_FORM),
    KeyRule::ignored("metrics.readers.pull.exporter.prometheus.without_units", PAGE_FORM),
    KeyRule::ignored("metrics.readers.pull.exporter.prometheus.with_resource_constant_labels", PAGE_FORM),
    KeyRule::ignored("resource.schema_url", "the attributes alone are sent"),
    KeyRule::ignored("resource.detectors", "attributes come from the file alone"),
    KeyRule::ignored("traces.limits", "own spans are small"),
    KeyRule::on_if_there("metrics.readers.periodic.exporter.console"),
    KeyRule::on_if_there("logs.processors.batch.exporter.console"),
    KeyRule::on_if_there("logs.processors.simple.exporter.console"),
    KeyRule::on_if_there("traces.processors.batch.exporter.console"),
    KeyRule::on_if_there("traces.processors.simple.exporter.console"),
    KeyRule::on_if_there("metrics.readers.periodic.exporter.otlp"),
    KeyRule::on_if_there("logs.processors.batch.exporter.otlp"),
    KeyRule::on_if_there("logs.processors.simple.exporter.otlp"),
    KeyRule::on_if_there("traces.processors.batch.exporter.otlp"),
    KeyRule::on_if_there("traces.processors.simple.exporter.otlp"),
    KeyRule::on_if_there("traces.sampler.always_on"),
    KeyRule::on_if_there("traces.sampler.always_off"),
    KeyRule::on_if_there("traces.sampler.parent_based"),
    KeyRule::on_if_there("traces.sampler.parent_based.*.always_on"),
    KeyRule::on_if_there("traces.sampler.parent_based.*.always_off"),
];

impl OwnTelemetry {
    /// Returns own telemetry without the section.
    pub(crate) fn without_section() -> Self {
        Self { pages: vec![MetricsPage::new(DEFAULT_METRICS_ENDPOINT)], ..Self::default() }
    }

    /// Returns the servers to which own telemetry is sent.
    pub(crate) fn servers(&self) -> impl Iterator<Item = OwnServer> {
        let spans = self.spans.iter().flat_map(|spans| &spans.processors);
        let queues = self.log_processors.iter().chain(spans).map(|processor| &processor.exporter);
        self.readers.iter().map(|reader| &reader.exporter).chain(queues).filter_map(OwnExporterPlan::server)
    }

    /// Returns true if nothing is sent.
    pub(crate) fn is_unsent(&self) -> bool {
        self.readers.is_empty() && self.log_processors.is_empty() && self.spans.is_none()
    }
}

/// Decodes the section and drops the result, to find the keys of the section.
pub(crate) fn probe(settings: Settings<'_>) {
    drop(Telemetry::deserialize(settings));
}

/// Reads the section.
pub(crate) fn telemetry(node: &Node, problems: &mut Problems, notes: &mut Vec<Note>) -> Option<OwnTelemetry> {
    let Telemetry { metrics, logs, traces, resource } = decode(node, problems)?;
    let files = std::mem::take(&mut problems.files);
    let mut reading = Reading { node, problems, notes };
    let (pages, readers) = metrics.plan(&mut reading);
    let (logs, log_processors) = logs.plan(&mut reading);
    let spans = traces.plan(&mut reading);
    Some(OwnTelemetry {
        pages,
        readers,
        logs,
        log_processors,
        spans,
        resource: resource.0,
        settings: Some(fingerprint::of(node)),
        files: files.into_iter().map(|file| file.named("service.telemetry", node)).collect(),
    })
}

// === impl Reading ===

impl Reading<'_> {
    fn span(&self, path: &str) -> Span {
        self.node.span_of(path)
    }

    /// Reports an error in the setting at `path`.
    fn wrong(&mut self, path: &str, problem: &str) {
        let problem = Problem::at(self.span(path), format!("service.telemetry.{path}: {problem}"));
        self.problems.push(problem);
    }

    /// Notes a fact about the setting at `path`.
    fn note(&mut self, path: &str, text: &str) {
        self.notes.push(Note { span: self.span(path), text: format!("service.telemetry.{path}: {text}") });
    }
}

/// Address of own metrics without a setting.
const DEFAULT_METRICS_ENDPOINT: &str = "localhost:8888";
const LOG_FORM: &str = "the form of log lines is fixed";
const PAGE_FORM: &str = "the form of the page is fixed";
const LIMITS: &str = "the number of own metrics is bounded by the configuration";
