//! Exporters: the way of a batch from its queue to a client, and the clients that need no network.

mod debug;
mod nop;
mod outlet;

pub use debug::{DebugExporter, Verbosity};
pub use nop::NopExporter;

pub(crate) use outlet::{Attempt, Outlet};

#[cfg(test)]
mod tests;
