//! `service.telemetry.logs`: lines of the log, and destinations that they are sent to.

use super::attributes::FieldValue;
use super::requests::OwnProcessor;
use super::{ProcessorPlan, Reading};
use otlp_service::GoDuration;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use tracing::level_filters::LevelFilter;

/// Lines of the log.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OwnLogs {
    /// debug, info, warn, error. Default info.
    level: LogLevel,
    /// console, json. Default console.
    encoding: LogEncoding,
    /// Streams and files that lines are written to: stderr, stdout, or a path; lines are appended to a file. Default stderr.
    output_paths: Vec<String>,
    /// Fields that are added to every line.
    initial_fields: Fields,
    sampling: OwnSampling,
    /// Destinations that lines are sent to, beside `output_paths`: each `batch` or `simple`. Default none.
    processors: Vec<OwnProcessor>,
}

/// Drops lines that are repeated too often.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OwnSampling {
    /// Drops lines. Default false.
    enabled: bool,
    /// Interval in which lines of the same level and text are counted. Default 10 s.
    tick: Option<GoDuration>,
    /// Number of lines that are always written in an interval. Default 10.
    initial: Option<u64>,
    /// One in this many of the further lines is written; 0: none. Default 100.
    thereafter: Option<u64>,
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

/// Fields by name, in order.
#[derive(Debug, Default)]
struct Fields(Vec<(String, FieldValue)>);

/// Own logs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LogConfig {
    /// The least severe lines that are written.
    pub(crate) level: LevelFilter,
    /// One JSON object a line instead of text.
    pub(crate) json: bool,
    /// Streams and files that lines are written to.
    pub(crate) outputs: Vec<LogOutput>,
    /// Fields that are added to every line.
    pub(crate) fields: Vec<(String, FieldValue)>,
    /// Drops lines that are repeated too often.
    pub(crate) sampling: Option<LogSampling>,
}

/// A stream or a file for the lines of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogOutput {
    /// The stream stderr.
    Stderr,
    /// The stream stdout.
    Stdout,
    /// A file, to which lines are appended.
    File(PathBuf),
}

/// Limit of lines of the same level and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogSampling {
    /// Interval in which lines are counted.
    pub(crate) tick: Duration,
    /// Number of lines that are always written.
    pub(crate) initial: u64,
    /// One in this many of the further lines is written; 0: none.
    pub(crate) thereafter: u64,
}

// === impl OwnLogs ===

impl OwnLogs {
    /// Returns the settings of lines, and the destinations that they are sent to.
    pub(super) fn plan(self, reading: &mut Reading<'_>) -> (LogConfig, Vec<ProcessorPlan>) {
        let OwnLogs { level, encoding, output_paths, initial_fields, sampling, processors } = self;
        let mut outputs = Vec::new();
        for output in output_paths.iter().map(|path| LogOutput::of(path)) {
            // Also an output that is named twice gets each line once.
            if !outputs.contains(&output) {
                outputs.push(output);
            }
        }
        if outputs.is_empty() {
            outputs.push(LogOutput::Stderr);
        }
        let config = LogConfig {
            level: level.0,
            json: encoding == LogEncoding::Json,
            outputs,
            fields: initial_fields.0,
            sampling: sampling.enabled.then(|| LogSampling {
                tick: sampling.tick.map_or(DEFAULT_TICK, |GoDuration(tick)| tick),
                initial: sampling.initial.unwrap_or(DEFAULT_INITIAL),
                thereafter: sampling.thereafter.unwrap_or(DEFAULT_THEREAFTER),
            }),
        };
        (config, OwnProcessor::plans(processors, "logs", LINES_DELAY, reading))
    }
}

impl LogOutput {
    fn of(path: &str) -> Self {
        match path {
            "stderr" => Self::Stderr,
            "stdout" => Self::Stdout,
            path => Self::File(path.strip_prefix("file://").unwrap_or(path).into()),
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        let level = LogLevel::default().0;
        Self { level, json: false, outputs: vec![LogOutput::Stderr], fields: Vec::new(), sampling: None }
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
            _ => Err(Error::custom("unknown level; available: debug, info, warn, error")),
        }
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Fields::default();
                while let Some(field) = map.next_entry()? {
                    fields.0.push(field);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Map)
    }
}

/// Delay of lines, in the Collector's SDK.
const LINES_DELAY: Duration = Duration::from_secs(1);
/// As in the Collector.
const DEFAULT_TICK: Duration = Duration::from_secs(10);
const DEFAULT_INITIAL: u64 = 10;
const DEFAULT_THEREAFTER: u64 = 100;
