//! Own logs, on stderr.

use crate::config::telemetry::LogConfig;
use std::io::IsTerminal;
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
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let lines = if config.json {
        lines.json().flatten_event(true).boxed()
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).compact().boxed()
    };
    let _ = tracing_subscriber::registry().with(lines.with_filter(levels)).try_init();
}
