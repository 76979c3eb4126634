//! The gRPC services in a server that is not ours: requests and replies pass through as values, and what they carry is
//! checked and charged as in a server of ours.

use super::engine::{BrokenBody, Head, Request, RequestBody, Service as _, Version};
use super::grpc::Grpc;
use super::intake::Intake;
use super::peer::Peer;
use super::refusals::Refusals;
use super::{Phase, Protocol, ServerStats};
use crate::{Address, ConfigError, Routes, ServerConfig, TransportContext};
use bytes::Bytes;
use http_body::Body;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::watch;

pub(crate) use super::engine::ReplyBody;

/// The gRPC services, without connections.
pub(crate) struct Mounted {
    intake: Arc<Intake>,
    grpc: Arc<Grpc>,
}

/// The body of a request, of whichever server the services are mounted in.
struct MountedBody<B>(B);

// === impl Mounted ===

impl Mounted {
    /// Services with these settings; endpoint and TLS belong to the other server.
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
        // The phase of the server shows in its health service alone, which is the other server's own.
        let (_, phases) = watch::channel(Phase::Serving);
        let grpc = Arc::new(Grpc::new(Arc::clone(&intake), phases));
        Ok(Self { intake, grpc })
    }

    /// Counters of the requests.
    pub(crate) fn stats(&self) -> &Arc<ServerStats> {
        &self.intake.stats
    }

    /// Answers a request of `peer`. Connections are not known here: each request has a share of the byte budget that
    /// is otherwise a connection's.
    pub(crate) fn respond<B>(
        &self,
        request: http::Request<B>,
        peer: Address,
    ) -> impl Future<Output = http::Response<ReplyBody>> + Send + use<B>
    where
        B: Body<Data = Bytes, Error: Into<Cause>> + Send + Unpin + 'static,
    {
        let (parts, body) = request.into_parts();
        let (method, target, headers) = (parts.method, parts.uri, parts.headers);
        let head = Head { version: Version::Http2, method, target, headers, fault: None };
        let peer = Arc::new(Peer::new(peer, None, self.intake.connection_share()));
        let reply = self.grpc.respond(Request { head, body: MountedBody(body) }, &peer);
        async move {
            let reply = reply.await;
            let mut response = http::Response::new(reply.body);
            (*response.status_mut(), *response.headers_mut()) = (reply.status, reply.headers);
            response
        }
    }
}

/// Why a body broke off.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

impl<B> RequestBody for MountedBody<B>
where
    B: Body<Data = Bytes, Error: Into<Cause>> + Send + Unpin + 'static,
{
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenBody>>> {
        loop {
            match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
                None => return Poll::Ready(None),
                // The other server tells no more of it.
                Some(Err(error)) => {
                    return Poll::Ready(Some(Err(BrokenBody { is_gone: true, cause: error.into() })));
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) if !bytes.is_empty() => return Poll::Ready(Some(Ok(bytes))),
                    _ => {}
                },
            }
        }
    }

    fn is_at_end(&self) -> bool {
        self.0.is_end_stream()
    }

    fn remaining(&self) -> Option<u64> {
        self.0.size_hint().exact()
    }
}
