//! A protocol engine without sockets: requests go in as values, and replies come out as values. Tests send the same requests
//! to this engine and to hyper, and compare the replies.

use super::connection::{Life, Terms};
use super::engine::{BrokenBody, Head, Reply, ReplyBody, ReplyPiece, Request, RequestBody, Service, Version};
use super::intake::Intake;
use super::peer::Peer;
use super::refusals::Refusals;
use super::services::Services;
use super::{Phase, Protocol, ServerStats};
use crate::connections::Slot;
use crate::{Address, ConfigError, Connections, Routes, ServerConfig, TransportContext};
use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt as _};
use http::{HeaderMap, Method, StatusCode, Uri};
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::watch;

/// Protocols of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP.
    Http,
    /// Both.
    Both,
}

/// A server that requests are passed to as values.
pub struct MemoryServer {
    phase: watch::Sender<Phase>,
    shared: Arc<Shared>,
}

/// A connection to a [`MemoryServer`]. Clones are the same connection.
#[derive(Clone)]
pub struct MemoryConnection(Arc<Open>);

/// A reply: its head, and then its pieces.
pub struct MemoryReply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    body: ReplyBody,
}

/// A part of a reply after its head.
#[derive(Clone, Debug)]
pub enum MemoryPiece {
    /// Bytes of its body.
    Bytes(Bytes),
    /// Its trailers.
    Trailers(HeaderMap),
}

struct Shared {
    terms: Terms,
    services: Services,
    /// The most that unfinished bodies of one connection may take of the byte budget.
    share: u64,
    connections: Arc<Connections>,
}

struct Open {
    server: Arc<Shared>,
    version: Version,
    peer: Arc<Peer>,
    slot: Slot,
}

/// The body of a request.
struct MemoryBody {
    /// Bytes left, if the head told the length.
    left: Option<u64>,
    pieces: BoxStream<'static, Bytes>,
    is_at_end: bool,
}

// === impl MemoryServer ===

impl MemoryServer {
    /// Makes a server with these settings; endpoint and TLS are not used.
    ///
    /// # Errors
    /// If a setting is invalid.
    pub fn new(
        context: &TransportContext,
        config: &ServerConfig,
        routes: Routes,
        spoken: Spoken,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let protocol = match spoken {
            Spoken::Grpc => Protocol::Grpc,
            Spoken::Http => Protocol::Http,
            Spoken::Both => Protocol::Both,
        };
        let (phase, phases) = watch::channel(Phase::Serving);
        let stats = Arc::new(ServerStats::default());
        let clock = Arc::clone(&context.clock);
        let refusals = Refusals::new(config.log_name(&peer_address()), protocol, clock, Arc::clone(&stats));
        let intake = Arc::new(Intake::new(context.clone(), config, routes, stats, refusals));
        let services = Services::new(protocol, &intake, config, &phases);
        let (terms, share) = (intake.terms(phases), intake.connection_share());
        let connections = Arc::clone(&context.connections);
        Ok(Self { phase, shared: Arc::new(Shared { terms, services, share, connections }) })
    }

    /// Returns the server's counters.
    pub fn stats(&self) -> &Arc<ServerStats> {
        &self.shared.terms.stats
    }

    /// As [`Server::leave`](crate::Server::leave).
    pub fn leave(&self) {
        self.phase.send_replace(Phase::Leaving);
    }

    /// Starts the drain. Requests in flight are the caller's to wait for.
    pub fn drain(self) {
        self.phase.send_replace(Phase::Draining);
    }

    /// Opens a connection; `None` if too many are open.
    pub fn connect(&self, is_http2: bool) -> Option<MemoryConnection> {
        let server = Arc::clone(&self.shared);
        let slot = server.connections.admit()?;
        let peer = Arc::new(Peer::new(peer_address(), None, server.share));
        let version = if is_http2 { Version::Http2 } else { Version::Http1 };
        Some(MemoryConnection(Arc::new(Open { server, version, peer, slot })))
    }
}

impl fmt::Debug for MemoryServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryServer").field("stats", self.stats()).finish_non_exhaustive()
    }
}

// === impl MemoryConnection ===

impl MemoryConnection {
    /// Sends a request and waits for the head of its reply. `len` is the length that the head tells. `None` if the server
    /// supports no protocol on this version of HTTP.
    pub async fn request(
        &self,
        method: Method,
        target: Uri,
        headers: HeaderMap,
        len: Option<u64>,
        pieces: impl Stream<Item = Bytes> + Send + 'static,
    ) -> Option<MemoryReply> {
        let Open { server, version, peer, slot } = &*self.0;
        let life = Life::new(&server.terms, Arc::clone(peer), slot);
        life.is_busy();
        let head = Head { version: *version, method, target, headers, fault: None };
        let body = MemoryBody { left: len, pieces: pieces.boxed(), is_at_end: len == Some(0) };
        let request = Request { head, body };
        let reply = match (&server.services, version) {
            (Services::Grpc(_), Version::Http1) => return None,
            (Services::Grpc(grpc), Version::Http2) => grpc.respond(request, life.peer()).await,
            (Services::Http(http), _) => http.respond(request, life.peer()).await,
            (Services::Both(both), Version::Http1) => both.http.respond(request, life.peer()).await,
            (Services::Both(both), Version::Http2) => both.respond(request, life.peer()).await,
        };
        life.is_idle();
        let Reply { status, headers, body } = reply;
        Some(MemoryReply { status, headers, body })
    }
}

impl fmt::Debug for MemoryConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryConnection").field("version", &self.0.version).finish_non_exhaustive()
    }
}

// === impl MemoryReply ===

impl MemoryReply {
    /// Returns the next part of the reply; `None` at the end.
    pub async fn next(&mut self) -> Option<MemoryPiece> {
        let piece = std::future::poll_fn(|cx| self.body.poll_piece(cx)).await?;
        Some(match piece {
            ReplyPiece::Bytes(bytes) => MemoryPiece::Bytes(bytes),
            ReplyPiece::Trailers(trailers) => MemoryPiece::Trailers(trailers),
        })
    }
}

impl fmt::Debug for MemoryReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, headers, body: _ } = self;
        f.debug_struct("MemoryReply")
            .field("status", status)
            .field("headers", headers)
            .finish_non_exhaustive()
    }
}

// === impl MemoryBody ===

impl RequestBody for MemoryBody {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenBody>>> {
        if self.is_at_end {
            return Poll::Ready(None);
        }
        let piece = std::task::ready!(self.pieces.as_mut().poll_next(cx));
        let left = self.left.map(|left| left.saturating_sub(piece.as_ref().map_or(0, Bytes::len) as u64));
        self.left = left;
        match piece {
            Some(bytes) if bytes.is_empty() => self.poll_piece(cx),
            Some(bytes) => {
                self.is_at_end = left == Some(0);
                Poll::Ready(Some(Ok(bytes)))
            }
            None => {
                self.is_at_end = true;
                let cause = || BrokenBody { is_gone: true, cause: "the body ended too early".into() };
                Poll::Ready(left.filter(|left| *left > 0).map(|_| Err(cause())))
            }
        }
    }

    fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    fn remaining(&self) -> Option<u64> {
        self.left
    }
}

/// Address that stands for the peer in the log.
fn peer_address() -> Address {
    Address::Tcp(([127, 0, 0, 1], 1).into())
}
