//! A gateway of one's own: all of `otlp`, and five components more.

mod append;
mod drop_repeats;
mod json_lines;
mod size_limit;
mod span_count;

use otlp_service::{Clash, Components, OtlpPlugin, PluginManager};
use std::process::ExitCode;

fn main() -> Result<ExitCode, Clash> {
    let mut plugins = PluginManager::new();
    plugins.load(MyGateway)?;
    Ok(otlp_app::run(plugins))
}

struct MyGateway;

impl OtlpPlugin for MyGateway {
    fn name(&self) -> &str {
        env!("CARGO_PKG_NAME")
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn register(&self, components: &mut Components<'_>) {
        components.receiver(
            "json_lines",
            "reads a file of OTLP/JSON lines, and what is added to it",
            json_lines::make,
        );
        components.processor("size_limit", "drops requests of too many items", size_limit::make);
        components.holder("drop_repeats", "drops requests that came before", drop_repeats::make);
        components.connector("span_count", "counts spans into a metric", span_count::make);
        components.exporter("append", "appends OTLP/JSON lines to a file", append::make);
    }
}
