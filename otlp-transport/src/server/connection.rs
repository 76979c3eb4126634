//! How a connection begins: who comes, whether it is secured, and which HTTP it speaks.

use super::engine::Version;
use super::hyper::{Hyper, Stream};
use super::intake::Intake;
use super::life::{Life, Terms};
use super::peer::Peer;
use super::refusals::Reason;
use super::services::Services;
use super::{Phase, Protocol, ServerStats};
use crate::connections::Slot;
use crate::tls::{Accepted, TlsAcceptor};
use crate::{Address, BoxIo, Connections, PeerCertificate, ServerConfig};
use std::io;
use std::sync::Arc;
use tokio::sync::watch;

/// Serves connections.
pub(super) struct Serve {
    pub(super) terms: Terms,
    /// Room for connections.
    pub(super) connections: Arc<Connections>,
    /// The most that unfinished bodies of one connection may take of the byte budget.
    share: u64,
    tls: Option<TlsAcceptor>,
    engine: Hyper,
    services: Services,
}

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

    /// Serves one connection until it closes. The parts of its life are boxed, so that an idle connection does not keep
    /// room for them.
    pub(super) async fn connection(&self, io: BoxIo, address: Address, slot: Slot) {
        let stats = &self.terms.stats;
        let slow = self.terms.clock.sleep(self.terms.limits.header_timeout);
        let (version, stream, certificate) = tokio::select! {
            biased;
            begun = Box::pin(self.begin(io, &address)) => match begun {
                Ok(begun) => begun,
                Err(_) => return,
            },
            () = slow => return ServerStats::count(&stats.timed_out_connections),
            () = slot.evicted() => return ServerStats::count(&stats.evicted_connections),
        };
        let peer = Arc::new(Peer::new(address, certificate, self.share));
        let life = Life::new(&self.terms, peer, &slot);
        match version {
            Version::Http1 => self.http1(stream, &life).await,
            Version::Http2 => Box::pin(self.http2(stream, &life)).await,
        }
    }

    async fn http1(&self, stream: Stream, life: &Life<'_>) {
        if stream.is_tls() {
            let what = "TLS came to a port without TLS: set tls here, or `insecure: true` at the sender";
            life.is_refused(Reason::TlsUnexpected, what);
            return self.engine.refuse(stream, life).await;
        }
        let http = match &self.services {
            Services::Http(http) => http,
            Services::Both(both) => &both.http,
            Services::Grpc(_) => {
                let what = "HTTP/1.1, or what is not HTTP, came to a gRPC port; OTLP/HTTP has another port";
                return life.is_refused(Reason::WrongPort, what);
            }
        };
        self.engine.http1(http, stream, life).await;
    }

    async fn http2(&self, stream: Stream, life: &Life<'_>) {
        match &self.services {
            Services::Grpc(grpc) => self.engine.http2(grpc, stream, life).await,
            Services::Http(http) => self.engine.http2(http, stream, life).await,
            Services::Both(both) => self.engine.http2(both, stream, life).await,
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
            Some(tls) => {
                tls.accept(io).await.inspect_err(|error| self.terms.refusals.tls_handshake(error, address))?
            }
        };
        let (version, stream) = Stream::begin(io).await?;
        Ok((version, stream, certificate))
    }
}
