//! Exporters: attempts from a queue to a client, and the exporters `debug`, `nop` and `prometheus`.

mod debug;
mod nop;
#[cfg(feature = "prometheus")]
mod prometheus;
mod show;
mod signal_exporter;

pub use debug::{DebugConfig, DebugExporter, DebugFormat};
pub use nop::NopExporter;
#[cfg(feature = "prometheus")]
pub use prometheus::{PrometheusConfig, PrometheusExporter, ResourceLabels, TranslationStrategy};

pub(crate) use signal_exporter::{Losses, Outage, SignalExporter, Watch, WatchedAttempt};
