//! The services of a port: gRPC, HTTP, or both, told apart by the content type.

use super::Phase;
use super::Protocol;
use super::body::is_any_grpc;
use super::engine::{Reply, Request, RequestBody, Service};
use super::grpc::Grpc;
use super::http::Http;
use super::intake::Intake;
use super::peer::Peer;
use crate::ServerConfig;
use futures_util::future::Either;
use std::sync::Arc;
use tokio::sync::watch;

pub(super) enum Services {
    Grpc(Arc<Grpc>),
    Http(Arc<Http>),
    Both(Arc<Both>),
}

/// Both protocols on HTTP/2; OTLP/HTTP alone on HTTP/1.1.
pub(super) struct Both {
    grpc: Arc<Grpc>,
    pub(super) http: Arc<Http>,
}

impl Services {
    pub(super) fn new(
        protocol: Protocol,
        intake: &Arc<Intake>,
        config: &ServerConfig,
        phases: &watch::Receiver<Phase>,
    ) -> Self {
        let grpc = || Arc::new(Grpc::new(Arc::clone(intake), phases.clone()));
        let http = || Arc::new(Http::new(Arc::clone(intake), config));
        match protocol {
            Protocol::Grpc => Self::Grpc(grpc()),
            Protocol::Http => Self::Http(http()),
            Protocol::Both => Self::Both(Arc::new(Both { grpc: grpc(), http: http() })),
        }
    }
}

impl Service for Both {
    fn respond<B: RequestBody>(
        self: &Arc<Self>,
        request: Request<B>,
        peer: &Arc<Peer>,
    ) -> impl Future<Output = Reply> + Send + use<B> {
        match is_any_grpc(&request.head.headers) {
            true => Either::Left(self.grpc.respond(request, peer)),
            false => Either::Right(self.http.respond(request, peer)),
        }
    }
}
