//! The connectors of this crate, a file or a folder each.

mod forward;
mod routing;

pub use forward::ForwardConnector;
pub use routing::{Route, RoutingConfig, RoutingConnector, RoutingError};
