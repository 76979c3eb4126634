//! The connectors of this crate, a file or a folder each.

mod forward;
pub(crate) mod routing;

pub use forward::ForwardConnector;
pub use routing::{Route, RoutingConfig, RoutingConnector, RoutingError};
