//! Exporters: attempts from a queue to a client, and the exporters `debug` and `nop`.

mod debug;
mod nop;
mod show;
mod signal_exporter;

pub use debug::{DebugConfig, DebugExporter, DebugFormat};
pub use nop::NopExporter;

pub(crate) use signal_exporter::{Losses, Outage, SignalExporter, Watch, WatchedAttempt};
