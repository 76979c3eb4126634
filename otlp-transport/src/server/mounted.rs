//! The gRPC services of OTLP inside a server of another library: requests and replies pass through as values; bodies are
//! checked and charged as in the servers of this crate.

use super::engine::{Head, Request, Service as _, Version};
use super::grpc::Grpc;
use super::intake::Intake;
use super::peer::Peer;
use super::refusals::Refusals;
use super::{Phase, Protocol, ServerStats};
use crate::{Address, ConfigError, Routes, ServerConfig, TransportContext};
use http::request::Parts;
use std::sync::Arc;
use tokio::sync::watch;

pub(crate) use super::engine::{BrokenBody, ReplyBody, RequestBody};

/// The gRPC services, without connections.
pub(crate) struct Mounted {
    intake: Arc<Intake>,
    grpc: Arc<Grpc>,
}

// === impl Mounted ===

impl Mounted {
    /// Makes services with these settings. Endpoint and TLS are not used: they belong to the other server.
    pub(crate) fn new(
        context: &TransportContext,
        config: &ServerConfig,
        routes: Routes,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let stats = Arc::new(ServerStats::default());
        let clock = Arc::clone(&context.clock);
        let refusals = Refusals::new(config.name.clone(), Protocol::Grpc, clock, Arc::clone(&stats));
        let intake = Arc::new(Intake::new(context.clone(), config, routes, stats, refusals));
        // The phase is used by the health service alone, which is not mounted.
        let (_, phases) = watch::channel(Phase::Serving);
        let grpc = Arc::new(Grpc::new(Arc::clone(&intake), phases));
        Ok(Self { intake, grpc })
    }

    /// Counters of the requests.
    pub(crate) fn stats(&self) -> &Arc<ServerStats> {
        &self.intake.stats
    }

    /// Answers a request of `peer`. Connections are not known here, so each request gets the share of the byte budget that a
    /// connection has in the servers of this crate.
    pub(crate) fn respond<B: RequestBody>(
        &self,
        Parts { method, uri: target, headers, .. }: Parts,
        body: B,
        peer: Address,
    ) -> impl Future<Output = http::Response<ReplyBody>> + Send + use<B> {
        let head = Head { version: Version::Http2, method, target, headers, fault: None };
        let peer = Arc::new(Peer::new(peer, None, self.intake.connection_share()));
        let reply = self.grpc.respond(Request { head, body }, &peer);
        async move {
            let reply = reply.await;
            let mut response = http::Response::new(reply.body);
            (*response.status_mut(), *response.headers_mut()) = (reply.status, reply.headers);
            response
        }
    }
}
