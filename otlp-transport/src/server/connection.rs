//! Connections of a server. Accepts connections up to the limit, and closes idle connections for new ones. Each
//! connection begins with TLS, if configured, and with finding the HTTP version; the server's terms say how long it
//! lives.

use super::engine::Version;
use super::hyper::{Hyper, Stream};
use super::intake::Intake;
use super::peer::Peer;
use super::refusals::{Reason, Refusals};
use super::services::Services;
use super::{Phase, Protocol, ServerStats};
use crate::connections::Slot;
use crate::counter;
use crate::tls::{Accepted, TlsAcceptor};
use crate::{Address, BoxIo, Clock, Connections, Listener, PeerCertificate, ServerConfig, ServerLimits};
use futures_util::FutureExt;
use std::fmt::Display;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Accepts connections, and goes on after failures to accept.
pub(super) struct Acceptor {
    listener: Box<dyn Listener>,
    serve: Arc<Serve>,
    /// Dropping it closes all connections.
    connections: JoinSet<()>,
}

/// Counts a connection while it is open.
struct Open(Arc<ServerStats>);

/// Serves connections.
pub(super) struct Serve {
    terms: Terms,
    /// The limit of open connections.
    connections: Arc<Connections>,
    /// The most that unfinished bodies of one connection may take of the byte budget.
    share: u64,
    tls: Option<TlsAcceptor>,
    engine: Hyper,
    services: Services,
}

/// Settings and shared state of all connections of a server.
pub(super) struct Terms {
    pub(super) limits: ServerLimits,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stats: Arc<ServerStats>,
    pub(super) refusals: Arc<Refusals>,
    pub(super) phases: watch::Receiver<Phase>,
}

/// One connection, as its protocol engine sees it: when to close, and what to report.
pub(super) struct Life<'a> {
    terms: &'a Terms,
    peer: Arc<Peer>,
    slot: &'a Slot,
}

/// A connection while it is open. Boxed by HTTP version and service, so that it takes only the memory that it needs.
type Served<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

// === impl Acceptor ===

impl Acceptor {
    pub(super) fn new(listener: Box<dyn Listener>, serve: Serve) -> Self {
        Self { listener, serve: Arc::new(serve), connections: JoinSet::new() }
    }

    /// Accepts connections until the server retires or is drained, then waits for the connections to close.
    pub(super) async fn run(mut self) {
        let serve = Arc::clone(&self.serve);
        let mut retiring = pin!(serve.terms.retiring());
        let mut backoff = MIN_BACKOFF;
        loop {
            tokio::select! {
                biased;
                () = &mut retiring => break,
                Some(_) = self.connections.join_next() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((io, peer)) => {
                        backoff = MIN_BACKOFF;
                        self.admit(io, peer);
                        if serve.connections.is_full() {
                            // Lets the connections run that were asked to close.
                            tokio::task::yield_now().await;
                        }
                    }
                    Err(error) => {
                        let is_of_peer = serve.terms.refusals.accept(&error);
                        if is_of_peer {
                            continue;
                        }
                        // Without free file descriptors, closing an idle connection frees one.
                        serve.connections.evict();
                        serve.terms.clock.sleep(backoff).await;
                        backoff = (2 * backoff).min(MAX_BACKOFF);
                    }
                },
            }
        }
        let Self { listener, mut connections, .. } = self;
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    fn admit(&mut self, io: BoxIo, peer: Address) {
        let Serve { terms, connections, .. } = &*self.serve;
        let Some(slot) = connections.admit() else {
            let max = connections.max();
            let what = format_args!("{max} connections are open, which is the limit, and none is idle");
            return terms.refusals.connection(Reason::ConnectionLimit, Some(&peer), what);
        };
        let open = Open::new(&terms.stats);
        let serve = Arc::clone(&self.serve);
        let connection = async move {
            let _open = open;
            serve.connection(io, peer, slot).await;
        };
        self.connections.spawn(connection.boxed());
    }
}

// === impl Open ===

impl Open {
    fn new(stats: &Arc<ServerStats>) -> Self {
        counter::count(&stats.open_connections);
        Self(Arc::clone(stats))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open_connections.fetch_sub(1, Ordering::Relaxed);
    }
}

// === impl Serve ===

impl Serve {
    pub(super) fn new(
        intake: Arc<Intake>,
        config: &ServerConfig,
        protocol: Protocol,
        tls: Option<TlsAcceptor>,
        phases: watch::Receiver<Phase>,
    ) -> Self {
        let services = Services::new(protocol, &intake, config, &phases);
        let terms = intake.terms(phases);
        let engine = Hyper::new(&terms, protocol, intake.gate.may_be_slow());
        let connections = Arc::clone(&intake.context.connections);
        Self { terms, connections, share: intake.connection_share(), tls, engine, services }
    }

    /// Serves one connection until it closes. The phases of a connection are boxed, so that an idle connection does not
    /// reserve memory for them.
    async fn connection(&self, io: BoxIo, address: Address, slot: Slot) {
        let stats = &self.terms.stats;
        let slow = self.terms.clock.sleep(self.terms.limits.header_timeout);
        let (version, stream, certificate) = tokio::select! {
            biased;
            begun = Box::pin(self.begin(io, &address)) => match begun {
                Ok(begun) => begun,
                Err(_) => return,
            },
            () = slow => return counter::count(&stats.timed_out_connections),
            () = slot.evicted() => return counter::count(&stats.evicted_connections),
        };
        let peer = Arc::new(Peer::new(address, certificate, self.share));
        let life = Life::new(&self.terms, peer, &slot);
        match version {
            Version::Http1 => self.http1(stream, &life).await,
            Version::Http2 => self.http2(stream, &life).await,
        }
    }

    fn http1<'a>(&'a self, stream: Stream, life: &'a Life<'_>) -> Served<'a> {
        if stream.is_tls() {
            let what = "received TLS on a port without TLS: set tls for this receiver, or `insecure: true` at the sender";
            life.is_refused(Reason::TlsUnexpected, what);
            return Box::pin(Hyper::refuse_tls(stream, life));
        }
        let http = match &self.services {
            Services::Http(http) => http,
            Services::Both(both) => &both.http,
            Services::Grpc(grpc) => {
                let what =
                    "received HTTP/1.1, or no HTTP at all, on a gRPC port: send OTLP/HTTP to the HTTP port";
                life.is_refused(Reason::WrongPort, what);
                return Box::pin(Hyper::refuse_http1(stream, life, grpc.answer_to_http1()));
            }
        };
        Box::pin(self.engine.http1(http, stream, life))
    }

    fn http2<'a>(&'a self, stream: Stream, life: &'a Life<'_>) -> Served<'a> {
        match &self.services {
            Services::Grpc(grpc) => Box::pin(self.engine.http2(grpc, stream, life)),
            Services::Http(http) => Box::pin(self.engine.http2(http, stream, life)),
            Services::Both(both) => Box::pin(self.engine.http2(both, stream, life)),
        }
    }

    /// Performs the TLS handshake, if configured, and finds the HTTP version. No time limit of its own.
    async fn begin(
        &self,
        io: BoxIo,
        address: &Address,
    ) -> io::Result<(Version, Stream, Option<PeerCertificate>)> {
        let Accepted { io, certificate } = match &self.tls {
            None => Accepted { io, certificate: None },
            Some(tls) => {
                tls.accept(io).await.inspect_err(|error| self.terms.refusals.tls_handshake(error, address))?
            }
        };
        let (version, stream) = Stream::begin(io).await?;
        Ok((version, stream, certificate))
    }
}

// === impl Terms ===

impl Terms {
    /// Resolves when the server is drained.
    pub(super) async fn draining(&self) {
        self.reached(Phase::Draining).await;
    }

    /// Resolves when the server retires or is drained.
    pub(super) async fn retiring(&self) {
        self.reached(Phase::Retiring).await;
    }

    async fn reached(&self, wanted: Phase) {
        // An error means that the server was dropped.
        let _ = self.phases.clone().wait_for(|phase| *phase >= wanted).await;
    }

    /// Resolves after `duration`; never for `None`.
    pub(super) async fn waited(&self, duration: Option<Duration>) {
        match duration {
            Some(duration) => self.clock.sleep(duration).await,
            None => std::future::pending().await,
        }
    }
}

// === impl Life ===

impl<'a> Life<'a> {
    pub(super) fn new(terms: &'a Terms, peer: Arc<Peer>, slot: &'a Slot) -> Self {
        Self { terms, peer, slot }
    }

    /// Returns the terms of the server's connections.
    pub(super) fn terms(&self) -> &'a Terms {
        self.terms
    }

    /// Returns the peer.
    pub(super) fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// Records that a request has begun: the connection is not closed to make room for another.
    pub(super) fn is_busy(&self) {
        self.slot.leave();
    }

    /// Records that no request is in flight.
    pub(super) fn is_idle(&self) {
        self.slot.enter();
    }

    /// Resolves when a request comes on the connection after it was idle.
    pub(super) async fn used(&self) {
        self.slot.used().await;
    }

    /// Resolves when the connection is asked to close for a new one.
    pub(super) async fn evicted(&self) {
        self.slot.evicted().await;
    }

    /// Resolves when the server is drained.
    pub(super) async fn draining(&self) {
        self.terms.draining().await;
    }

    /// True once the server retires: the next answer is the connection's last.
    pub(super) fn is_retiring(&self) -> bool {
        *self.terms.phases.borrow() >= Phase::Retiring
    }

    /// Resolves when a connection that begins now has reached its maximum age, ±10 %, so that connections that began
    /// together do not close together.
    pub(super) async fn aged(&self) {
        let age = self.terms.limits.max_connection_age;
        self.terms.waited(age.map(|age| age.mul_f64(0.9 + 0.2 * fastrand::f64()))).await;
    }

    /// Resolves when the grace period for requests in flight at the maximum age is over.
    pub(super) async fn aged_grace(&self) {
        self.terms.waited(self.terms.limits.max_connection_age_grace).await;
    }

    /// Counts that the connection is closed for lack of requests.
    pub(super) fn has_timed_out(&self) {
        counter::count(&self.terms.stats.timed_out_connections);
    }

    /// Counts that the connection is closed to make room for another.
    pub(super) fn makes_room(&self) {
        counter::count(&self.terms.stats.evicted_connections);
    }

    /// Counts and logs that the connection is closed for what the peer sent.
    pub(super) fn is_refused(&self, reason: Reason, what: impl Display) {
        self.terms.refusals.connection(reason, Some(self.address()), what);
    }

    /// Counts and logs requests whose heads the engine refused by itself.
    pub(super) fn heads_refused(&self, count: u64, what: impl Display) {
        self.terms.refusals.heads(count, self.address(), what);
    }

    fn address(&self) -> &Address {
        self.peer.address()
    }
}

/// Pause after a failure to accept: without free file descriptors, closing a connection frees one.
const MIN_BACKOFF: Duration = Duration::from_millis(10);
const MAX_BACKOFF: Duration = Duration::from_millis(100);
