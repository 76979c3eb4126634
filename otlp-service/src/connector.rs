//! The connectors of this crate, a file or a folder each.

mod forward;

pub use forward::ForwardConnector;
