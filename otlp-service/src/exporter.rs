//! Exporters: the way of a batch from its queue to a client, and the clients that need no network.

mod debug;
mod nop;
mod outlet;
mod show;

pub use debug::{DebugConfig, DebugExporter, DebugFormat};
pub use nop::NopExporter;

pub(crate) use outlet::{Outlet, Reachability, Watch, WatchedAttempt};
