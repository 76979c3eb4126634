//! `service.telemetry`: own metrics and logs.

use super::decode::decode;
use super::listen::listen_address;
use super::node::Node;
use super::problem::{Problem, Problems};
use super::rules::Note;
use otlp_service::KeyRule;
use serde::{Deserialize, Deserializer};
use tracing::level_filters::LevelFilter;

/// Settings of `service.telemetry`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Telemetry {
    metrics: Metrics,
    logs: Logs,
}

/// Own metrics: one Prometheus page.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Metrics {
    /// none, basic, normal, detailed: none turns them off, the others are the same. Default normal.
    level: MetricsLevel,
    /// `host:port`. Default `localhost:8888`.
    address: Option<String>,
    /// Newer place of the address in the Collector: the first reader with `pull` is used. Readers without `pull` serve no
    /// page.
    readers: Vec<Reader>,
}

/// Values of `metrics.level`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MetricsLevel {
    None,
    Basic,
    #[default]
    Normal,
    Detailed,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Reader {
    pull: Option<Pull>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Pull {
    exporter: PullExporter,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PullExporter {
    prometheus: Prometheus,
}

/// Address of the page.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Prometheus {
    /// Host of the page. Default `localhost`.
    host: String,
    /// Port of the page. Default 8888.
    port: u16,
}

/// Own logs, on stderr.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Logs {
    /// debug, info, warn, error. Default info.
    level: LogLevel,
    /// console, json. Default console.
    encoding: LogEncoding,
}

/// The least severe lines that are written.
#[derive(Clone, Copy, Debug)]
struct LogLevel(LevelFilter);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LogEncoding {
    /// Text.
    #[default]
    Console,
    /// One JSON object a line.
    Json,
}

/// Own logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogConfig {
    /// The least severe lines that are written.
    pub(crate) level: LevelFilter,
    /// One JSON object a line instead of text.
    pub(crate) json: bool,
}

/// Keys of the Collector's `service.telemetry` that have no effect here.
pub(crate) const TELEMETRY_RULES: &[KeyRule] = &[
    KeyRule::ignored("traces", "the gateway does not trace itself"),
    KeyRule::ignored("resource", "own metrics carry no resource"),
    KeyRule::ignored("logs.development", LOG_FORM),
    KeyRule::ignored("logs.disable_caller", LOG_FORM),
    KeyRule::ignored("logs.disable_stacktrace", LOG_FORM),
    KeyRule::ignored("logs.disable_zap_resource", LOG_FORM),
    KeyRule::ignored("logs.sampling", "every line is written"),
    KeyRule::ignored("logs.initial_fields", LOG_FORM),
    KeyRule::ignored("logs.output_paths", "lines go to stderr"),
    KeyRule::ignored("logs.error_output_paths", "lines go to stderr"),
    KeyRule::ignored("logs.processors", "own logs go to stderr and are not sent"),
    KeyRule::ignored(
        "metrics.readers.periodic",
        "own metrics are not sent; a reader with `pull` serves them",
    ),
    KeyRule::ignored("metrics.views", "all metrics are on the page"),
    KeyRule::ignored("metrics.readers.pull.exporter.prometheus.without_scope_info", PAGE_FORM),
    KeyRule::ignored("metrics.readers.pull.exporter.prometheus.without_type_suffix", PAGE_FORM),
    KeyRule::ignored("metrics.readers.pull.exporter.prometheus.without_units", PAGE_FORM),
    KeyRule::ignored("metrics.readers.pull.exporter.prometheus.with_resource_constant_labels", PAGE_FORM),
];

/// Decodes the section and drops the result, to find the keys of the section.
pub(crate) fn probe(deserializer: &mut dyn erased_serde::Deserializer<'_>) {
    drop(erased_serde::deserialize::<Telemetry>(deserializer));
}

/// Reads the section: the address of own metrics, and the settings of own logs.
pub(crate) fn telemetry(
    node: &Node,
    problems: &mut Problems,
    notes: &mut Vec<Note>,
) -> Option<(Option<String>, LogConfig)> {
    let Telemetry { metrics, logs } = decode(node, problems)?;
    let logs = LogConfig { level: logs.level.0, json: logs.encoding == LogEncoding::Json };
    let pulls: Vec<_> = metrics.readers.iter().filter_map(|reader| reader.pull.as_ref()).collect();
    if pulls.len() > 1 {
        let text = "service.telemetry.metrics.readers: only the first reader with `pull` is served";
        notes.push(Note { span: node.span_of("metrics.readers"), text: text.into() });
    }
    let address = match (pulls.first(), metrics.readers.is_empty()) {
        (Some(pull), _) => pull.exporter.prometheus.address(),
        (None, true) => metrics.address.unwrap_or_else(|| DEFAULT_METRICS_ENDPOINT.into()),
        (None, false) => return Some((None, logs)),
    };
    let address = listen_address(&address).map_err(|problem| {
        let message = format!("service.telemetry.metrics: `{address}`: {problem}");
        problems.push(Problem::at(node.span_of("metrics.address"), message));
    });
    Some(((metrics.level != MetricsLevel::None).then_some(address.ok()?), logs))
}

impl Prometheus {
    fn address(&self) -> String {
        let Self { host, port } = self;
        if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
    }
}

impl Default for Prometheus {
    fn default() -> Self {
        Self { host: "localhost".into(), port: 8888 }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: LogLevel::default().0, json: false }
    }
}

impl Default for LogLevel {
    fn default() -> Self {
        Self(LevelFilter::INFO)
    }
}

impl<'de> Deserialize<'de> for LogLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let level = String::deserialize(deserializer)?.to_ascii_lowercase();
        match level.as_str() {
            "debug" => Ok(Self(LevelFilter::DEBUG)),
            "info" => Ok(Self(LevelFilter::INFO)),
            "warn" | "warning" => Ok(Self(LevelFilter::WARN)),
            "error" | "dpanic" | "panic" | "fatal" => Ok(Self(LevelFilter::ERROR)),
            _ => Err(serde::de::Error::custom("unknown level; available: debug, info, warn, error")),
        }
    }
}

/// Address of own metrics without a setting.
pub(crate) const DEFAULT_METRICS_ENDPOINT: &str = "localhost:8888";
const LOG_FORM: &str = "the form of log lines is fixed";
const PAGE_FORM: &str = "the form of the page is fixed";
