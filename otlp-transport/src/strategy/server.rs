//! Servers of a way to speak OTLP.

use crate::{ConfigError, Routes, Server, ServerConfig, TransportContext};
use std::pin::Pin;

/// A boxed future of a [`Server`]: the answer of [`ServerStrategy::bind`].
pub type BindFuture<'a> = Pin<Box<dyn Future<Output = Result<Server, ConfigError>> + Send + 'a>>;

/// Makes servers of one way to speak OTLP.
///
/// ```
/// use otlp_protocol::Accepted;
/// use otlp_transport::{
///     BoxExport, MultiplexTransportStrategy, Routes, ServerConfig, ServerStrategy, TransportContext,
/// };
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), otlp_transport::ConfigError> {
/// let context = TransportContext::tcp(64 << 20);
/// let routes = Routes::all(BoxExport::from_fn(|_batch| async { Ok(Accepted::FULL) }));
/// let server = MultiplexTransportStrategy.bind(&context, ServerConfig::new("127.0.0.1:0"), routes).await?;
/// println!("listening on {}", server.local_addr());
///
/// let error = MultiplexTransportStrategy.bind(&context, ServerConfig::new("127.0.0.1"), Routes::new()).await;
/// assert_eq!(
///     error.unwrap_err().to_string(),
///     r#"endpoint "127.0.0.1": no port; write host:port, such as 127.0.0.1:4317"#
/// );
/// server.drain(context.clock.now() + Duration::from_secs(10)).await;
/// # Ok(())
/// # }
/// ```
pub trait ServerStrategy: Send + Sync + 'static {
    /// The name of the protocol, as in the metric label `transport`: `grpc`, `http` or `grpc+http`.
    fn name(&self) -> &'static str;

    /// Listens on the configured endpoint, and hands received batches to `routes` until the server is drained or dropped. Must
    /// be awaited within a tokio runtime.
    ///
    /// # Errors
    /// If a setting cannot work, a file of the TLS settings cannot be used, or the endpoint cannot be listened on: the
    /// error then has the system's error as its source.
    fn bind<'a>(
        &'a self,
        context: &'a TransportContext,
        config: ServerConfig,
        routes: Routes,
    ) -> BindFuture<'a>;
}
