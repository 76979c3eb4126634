//! Own logs and crash messages: on stderr or other outputs, and as log records to destinations of own telemetry.

mod export;
mod sampling;
mod writer;

#[cfg(test)]
pub(crate) use export::tests::subscribed;
pub(crate) use export::{Attached, LogExport, LogLine, Unexported};

use crate::config::telemetry::LogConfig;
use crate::exit::FLUSH_LIMIT;
use crate::output::Output;
use export::ExportLayer;
use otlp_transport::TokioClock;
use sampling::SamplingLayer;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::sync::Arc;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};
use writer::Lines;

/// Writes log lines from now on. Only the first call counts. Returns the way of log lines to destinations of own telemetry.
///
/// # Errors
/// If a file of the settings cannot be opened.
pub(crate) fn init(config: &LogConfig, levels: Targets, has_color: bool) -> Result<LogExport, String> {
    let lines = Arc::new(Lines::open(config)?);
    let has_color = has_color && lines.is_stderr_alone();
    let clock = Arc::new(TokioClock);
    let export = LogExport::new(&config.fields);
    let written = fmt::layer().with_writer(move || Lines::writer(&lines)).with_target(false);
    let written = if config.json {
        written.json().flatten_event(true).boxed()
    } else {
        written.with_ansi(has_color).compact().boxed()
    };
    let sampling = config.sampling.map(|sampling| SamplingLayer::new(sampling, clock.clone()));
    let layers = written.and_then(ExportLayer::new(export.clone(), clock)).and_then(sampling);
    let _ = tracing_subscriber::registry().with(layers.with_filter(levels)).try_init();
    Ok(export)
}

/// Returns the levels of log lines to write: by `--log-level`, else by `RUST_LOG`, else by the configuration.
///
/// # Errors
/// If `RUST_LOG` is wrong and decides: what is wrong, and the levels without it.
pub(crate) fn levels(
    config: &LogConfig,
    argument: Option<LevelFilter>,
    rust_log: Option<&str>,
) -> Result<Targets, (String, Targets)> {
    // Of other crates only warnings and errors are written.
    let of = |level: LevelFilter| {
        Targets::new().with_target("otlp", level).with_default(level.min(LevelFilter::WARN))
    };
    match (argument, rust_log.filter(|text| !text.trim().is_empty())) {
        (Some(level), _) => Ok(of(level)),
        (None, Some(text)) => text
            .parse()
            .map_err(|error| (format!("RUST_LOG is ignored: `{text}`: {error}"), of(config.level))),
        (None, None) => Ok(of(config.level)),
    }
}

/// Writer that turns text of the exporter `debug` into log lines: the text of one write is one log line of level info, also
/// if the text has several lines; with `encoding: json` one object. These log lines are not sent to destinations of own telemetry.
pub(crate) struct LogLines;

impl Write for LogLines {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        tracing::info!(target: DATA_TARGET, "{}", String::from_utf8_lossy(text).trim_end());
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes crash messages through the buffer of the log lines: Rust's own hook would wait for a stderr that is not read.
pub(crate) fn show_crashes() {
    std::panic::set_hook(Box::new(|crash| {
        let mut text = format!("otlp: {crash}\n");
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            text = format!("{text}{backtrace}\n");
        }
        let _ = Output::stderr().write_all(text.as_bytes());
        // The crash may be the end of the process.
        Output::stderr().flush_within(FLUSH_LIMIT);
    }));
}

/// Target of log lines that hold telemetry of senders.
const DATA_TARGET: &str = "otlp::data";

#[cfg(test)]
mod tests;
