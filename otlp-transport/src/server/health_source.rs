//! The health of names, passed to the health service of a gRPC server.

use std::fmt;

/// The health of the whole and of its parts, by name: [`ServerConfig::health`](crate::ServerConfig::health).
///
/// ```
/// use otlp_transport::{GrpcTransportStrategy, HealthSource, Routes, ServerConfig, ServerStrategy, TransportContext};
/// use std::sync::Arc;
///
/// #[derive(Debug)]
/// struct Parts;
///
/// impl HealthSource for Parts {
///     fn is_serving(&self, name: &str) -> Option<bool> {
///         matches!(name, "" | "database").then_some(true)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), otlp_transport::ConfigError> {
/// let mut config = ServerConfig::new("127.0.0.1:0");
/// config.health = Some(Arc::new(Parts));
/// // A server of the health service alone: it takes no signal.
/// let server = GrpcTransportStrategy.bind(&TransportContext::tcp(1 << 20), config, Routes::new()).await?;
/// # drop(server);
/// # Ok(())
/// # }
/// ```
pub trait HealthSource: fmt::Debug + Send + Sync + 'static {
    /// Returns true if `name` works, false if it does not; the empty name is the whole. `None`: there is no such name here, and
    /// the server answers as without a source. Must not block: calls of `Watch` ask once a second.
    fn is_serving(&self, name: &str) -> Option<bool>;
}
