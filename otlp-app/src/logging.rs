//! Own logs and crash messages, on stderr.

use crate::config::telemetry::LogConfig;
use crate::exit::FLUSH_LIMIT;
use crate::output::Output;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{IsTerminal, Write};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// Writes log lines from now on. Only the first call counts.
pub(crate) fn init(config: LogConfig) {
    // Libraries speak up about what goes wrong only; their inner life is not ours to show.
    let levels =
        Targets::new().with_target("otlp", config.level).with_default(config.level.min(LevelFilter::WARN));
    let lines = fmt::layer().with_writer(Output::stderr).with_target(false);
    let lines = if config.json {
        lines.json().flatten_event(true).boxed()
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).compact().boxed()
    };
    let _ = tracing_subscriber::registry().with(lines.with_filter(levels)).try_init();
}

/// Makes crash messages take the way of the log lines: Rust's own would wait for a stderr that nobody reads.
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
