//! Exporters: the way of a batch from its queue to a client, and the clients that need no network.

mod debug;
mod nop;
mod show;
mod signal_exporter;

pub use debug::{DebugConfig, DebugExporter, DebugFormat};
pub use nop::NopExporter;

pub(crate) use signal_exporter::{Reachability, SignalExporter, Watch, WatchedAttempt};
