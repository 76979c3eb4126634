//! One connection: how it begins, which HTTP it speaks, and how long it may live.

mod fault;
mod http1;
mod http2;

use super::gate::UNKNOWN_WINDOW_BYTES;
use super::grpc::Grpc;
use super::http::Http;
use super::intake::Intake;
use super::peer::Peer;
use super::refusals::{Reason, Refusals};
use super::stream::{Stream, Version};
use super::timer::ClockTimer;
use super::{Phase, Protocol, ServerStats};
use crate::connections::Slot;
use crate::tls::{Accepted, TlsAcceptor};
use crate::{Address, BoxIo, Clock, Connections, PeerCertificate, ServerConfig, ServerLimits};
use hyper_util::rt::TokioExecutor;
use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Serves connections.
pub(super) struct Serve {
    intake: Arc<Intake>,
    phases: watch::Receiver<Phase>,
    tls: Option<TlsAcceptor>,
    http1: hyper::server::conn::http1::Builder,
    http2: hyper::server::conn::http2::Builder<TokioExecutor>,
    service: Service,
}

enum Service {
    Grpc(Arc<Grpc>),
    Http(Arc<Http>),
    /// Told apart by the content type.
    Both(Arc<Grpc>, Arc<Http>),
}

impl Serve {
    pub(super) async fn new(
        intake: Arc<Intake>,
        config: &ServerConfig,
        protocol: Protocol,
        tls: Option<TlsAcceptor>,
        phases: watch::Receiver<Phase>,
    ) -> Self {
        let http1 = http1::settings(&intake.limits);
        let mut http2 = http2::settings(&intake.limits, ClockTimer(Arc::clone(&intake.context.clock)));
        if intake.gate.may_be_slow() {
            http2.initial_stream_window_size(UNKNOWN_WINDOW_BYTES);
        }
        // RFC 9110 §6.6.1 wants one; gRPC has no use for it.
        http2.auto_date_header(protocol != Protocol::Grpc);
        let http = || Arc::new(Http::new(Arc::clone(&intake), config));
        let grpc = async || Arc::new(Grpc::new(Arc::clone(&intake)).await);
        let service = match protocol {
            Protocol::Grpc => Service::Grpc(grpc().await),
            Protocol::Http => Service::Http(http()),
            Protocol::Both => Service::Both(grpc().await, http()),
        };
        Self { intake, phases, tls, http1, http2, service }
    }

    pub(super) fn stats(&self) -> &Arc<ServerStats> {
        &self.intake.stats
    }

    pub(super) fn refusals(&self) -> &Arc<Refusals> {
        &self.intake.refusals
    }

    pub(super) fn limits(&self) -> &ServerLimits {
        &self.intake.limits
    }

    pub(super) fn connections(&self) -> &Arc<Connections> {
        &self.intake.context.connections
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.intake.context.clock
    }

    /// Those who ask for health are told that the server will not serve for long.
    pub(super) async fn left(&self) {
        if let Service::Grpc(grpc) | Service::Both(grpc, _) = &self.service {
            grpc.left().await;
        }
    }

    /// Requests that never end, such as watching health, end now.
    pub(super) async fn drained(&self) {
        if let Service::Grpc(grpc) | Service::Both(grpc, _) = &self.service {
            grpc.drained().await;
        }
    }

    /// Serves one connection until it closes. The parts of its life are boxed, so that an idle connection does not keep
    /// room for them.
    pub(super) async fn connection(&self, io: BoxIo, address: Address, slot: Slot) {
        let slow = self.clock().sleep(self.limits().header_timeout);
        let (version, stream, certificate) = tokio::select! {
            biased;
            begun = Box::pin(self.begin(io, &address)) => match begun {
                Ok(begun) => begun,
                Err(_) => return,
            },
            () = slow => return ServerStats::count(&self.stats().timed_out_connections),
            () = slot.evicted() => return ServerStats::count(&self.stats().evicted_connections),
        };
        let peer = Arc::new(Peer::new(address, certificate, self.intake.connection_share()));
        if version == Version::Http1 && stream.is_tls() {
            let what = "TLS came to a port without TLS: set tls here, or `insecure: true` at the sender";
            self.broken(Reason::TlsUnexpected, &peer, what);
            return http1::refuse(self, stream, &slot).await;
        }
        match (&self.service, version) {
            (_, Version::Http2) => Box::pin(http2::serve(self, stream, peer, &slot)).await,
            (Service::Http(http) | Service::Both(_, http), Version::Http1) => {
                http1::serve(self, http, stream, peer, &slot).await;
            }
            (Service::Grpc(_), Version::Http1) => {
                let what = "HTTP/1.1, or what is not HTTP, came to a gRPC port; OTLP/HTTP has another port";
                self.broken(Reason::WrongPort, &peer, what);
            }
        }
    }

    /// Secures a connection, if that is wanted, and learns what it speaks. Not bounded in time.
    async fn begin(
        &self,
        io: BoxIo,
        address: &Address,
    ) -> io::Result<(Version, Stream, Option<PeerCertificate>)> {
        let Accepted { io, certificate } = match &self.tls {
            None => Accepted { io, certificate: None },
            Some(tls) => tls.accept(io).await.inspect_err(|error| {
                ServerStats::count(&self.stats().tls_handshake_errors);
                // A peer that closes without a word has no cause to tell, and is mostly a probe.
                if error.kind() != io::ErrorKind::UnexpectedEof {
                    self.refusals().note(Reason::TlsHandshake, 1, Some(address), error);
                }
            })?,
        };
        let (version, stream) = Stream::begin(io).await?;
        Ok((version, stream, certificate))
    }

    /// Counts how a connection ended, and logs what the peer did wrong.
    fn ended(&self, outcome: hyper::Result<()>, peer: &Peer) {
        let Err(error) = outcome else { return };
        if error.is_timeout() {
            ServerStats::count(&self.stats().timed_out_connections);
        }
        if error.is_parse_too_large() {
            self.stats().count_refused_headers();
            self.refusals().note(Reason::Headers, 1, Some(peer.address()), &error);
        } else if let Some(what) = fault::of_peer(&error) {
            self.broken(Reason::Protocol, peer, what);
        }
        tracing::debug!(%error, "connection closed");
    }

    /// Counts and logs a connection that is closed for what came on it.
    fn broken(&self, reason: Reason, peer: &Peer, what: impl Display) {
        ServerStats::count(&self.stats().protocol_errors);
        self.refusals().note(reason, 1, Some(peer.address()), what);
    }

    /// Resolves when the server is drained.
    pub(super) async fn draining(&self) {
        self.reached(Phase::Draining).await;
    }

    /// Resolves when the server is going to be drained.
    pub(super) async fn leaving(&self) {
        self.reached(Phase::Leaving).await;
    }

    async fn reached(&self, reached: Phase) {
        // An error means that the server is gone, which is as good.
        let _ = self.phases.clone().wait_for(|phase| *phase >= reached).await;
    }

    /// Resolves when a connection that begins now has reached its age: ±10 %, so that connections that came together
    /// do not leave together.
    async fn aged(&self) {
        let age = self.limits().max_connection_age;
        self.waited(age.map(|age| age.mul_f64(0.9 + 0.2 * fastrand::f64()))).await;
    }

    async fn waited(&self, duration: Option<Duration>) {
        match duration {
            Some(duration) => self.clock().sleep(duration).await,
            None => std::future::pending().await,
        }
    }
}

/// However short a limit is, looking this often is enough.
const SHORTEST_LOOK: Duration = Duration::from_millis(1);
