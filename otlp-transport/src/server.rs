//! Servers: read requests from sockets, check them, export their batches, and answer.

mod body;
mod checks;
mod connection;
mod discard;
mod engine;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod grpc;
mod health_source;
mod http;
mod hyper;
mod intake;
#[cfg(feature = "tonic")]
pub(crate) mod mounted;
mod peer;
mod refusals;
mod services;
mod stats;
#[cfg(feature = "testing")]
pub(crate) mod testing;

pub use health_source::HealthSource;
pub use stats::ServerStats;

use crate::tls::{Alpn, TlsAcceptor};
use crate::{Address, Clock, ConfigError, Routes, ServerConfig, TransportContext};
use connection::{Acceptor, Serve};
use futures_util::FutureExt;
use intake::Intake;
use refusals::Refusals;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A listening server. Dropping it closes the listener and all connections at once; [`drain`](Self::drain) finishes the
/// requests under way.
///
/// ```
/// use otlp_protocol::Accepted;
/// use otlp_transport::{BoxExport, HttpTransportStrategy, Routes, ServerConfig, ServerStrategy, TransportContext};
/// use std::{sync::atomic::Ordering, time::Duration};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), otlp_transport::ConfigError> {
/// let context = TransportContext::tcp(64 << 20);
/// let routes = Routes::all(BoxExport::from_fn(|_batch| async { Ok(Accepted::FULL) }));
/// let server = HttpTransportStrategy.bind(&context, ServerConfig::new("127.0.0.1:0"), routes).await?;
/// println!("http://{}", server.local_addr());
/// let stats = server.stats().clone();
/// server.drain(context.clock.now() + Duration::from_secs(10)).await;
/// assert_eq!(stats.accepted_requests.load(Ordering::Relaxed), 0);
/// # Ok(())
/// # }
/// ```
pub struct Server {
    local_addr: Address,
    stats: Arc<ServerStats>,
    clock: Arc<dyn Clock>,
    phase: watch::Sender<Phase>,
    acceptor: JoinHandle<()>,
}

/// State of a server in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    /// Accepts requests, but the health service reports that the server is not serving.
    Leaving,
    /// Accepts no new connections. Open connections close in their peers' own time.
    Retiring,
    /// Accepts no new connections or requests.
    Draining,
}

/// Protocols served on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// OTLP/gRPC, on HTTP/2 with prior knowledge.
    Grpc,
    /// OTLP/HTTP, on HTTP/1.1 and on HTTP/2 with prior knowledge.
    Http,
    /// Both, told apart by the content type. OTLP §Default ports allows it.
    Both,
}

/// Listens on the configured endpoint and serves until the server is drained or dropped.
///
/// # Errors
/// If a setting cannot work, or the endpoint cannot be listened on.
pub(crate) async fn bind(
    context: &TransportContext,
    config: ServerConfig,
    routes: Routes,
    protocol: Protocol,
) -> Result<Server, ConfigError> {
    config.check()?;
    let alpn = if protocol == Protocol::Grpc { Alpn::Http2 } else { hyper::ALPN };
    let tls = config.tls.as_ref().map(|tls| TlsAcceptor::new(context, tls, alpn)).transpose()?;
    let cannot_listen = |error| ConfigError::cannot_listen(&config.endpoint, error);
    let listener = context.net.bind(&config.endpoint).await.map_err(cannot_listen)?;
    let local_addr = listener.local_addr().map_err(cannot_listen)?;
    let stats = Arc::new(ServerStats::default());
    let (phase, phases) = watch::channel(Phase::Serving);
    let (name, clock) = (config.log_name(&local_addr), Arc::clone(&context.clock));
    let refusals = Refusals::new(name, protocol, clock, Arc::clone(&stats));
    let intake = Intake::new(context.clone(), &config, routes, Arc::clone(&stats), refusals);
    let serve = Serve::new(Arc::new(intake), &config, protocol, tls, phases);
    let acceptor = tokio::spawn(Acceptor::new(listener, serve).run().boxed());
    Ok(Server { local_addr, stats, clock: Arc::clone(&context.clock), phase, acceptor })
}

// === impl Protocol ===

impl Protocol {
    /// As [`ServerStrategy::name`](crate::ServerStrategy::name).
    fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http",
            Self::Both => "grpc+http",
        }
    }
}

// === impl Server ===

impl Server {
    /// Returns the address that the server listens on.
    pub fn local_addr(&self) -> Address {
        self.local_addr.clone()
    }

    /// Returns the server's counters.
    pub fn stats(&self) -> &Arc<ServerStats> {
        &self.stats
    }

    /// Reports through the gRPC health service that the server is not serving, and goes on serving. Load balancers then
    /// send requests elsewhere before [`drain`](Self::drain) closes the port.
    pub fn leave(&self) {
        self.phase.send_if_modified(|phase| {
            let is_first = *phase == Phase::Serving;
            *phase = (*phase).max(Phase::Leaving);
            is_first
        });
    }

    /// Stops accepting connections, and lets peers disconnect in their own time: HTTP/2 connections get GOAWAY, requests over
    /// HTTP/1.1 are answered with `connection: close`. Resolves when the last connection has closed. To be followed by
    /// [`drain`](Self::drain), which closes idle connections. For a server that another server replaces. Cancel-safe.
    pub async fn retire(&self) {
        self.phase.send_if_modified(|phase| {
            let is_first = *phase < Phase::Retiring;
            *phase = (*phase).max(Phase::Retiring);
            is_first
        });
        // Each connection holds a receiver of the phase.
        self.phase.closed().await;
    }

    /// Stops accepting connections, asks peers to disconnect (GOAWAY, `connection: close`), and waits for requests in flight
    /// until `deadline`. Connections still open then are closed.
    pub async fn drain(mut self, deadline: Instant) {
        self.phase.send_replace(Phase::Draining);
        let too_late = self.clock.sleep_until(deadline);
        tokio::select! {
            biased;
            _ = &mut self.acceptor => {}
            () = too_late => {}
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("local_addr", &self.local_addr)
            .field("phase", &*self.phase.borrow())
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}
