//! OTLP/HTTP: bodies in POST requests, over HTTP/1.1 and HTTP/2.

pub(super) mod cors;
mod encodings;
mod fault;
mod reply;

use super::body::{BodyTimer, Gather, Gathered, MediaType, is_any_grpc, next_piece};
use super::discard::{MAX_HTTP1_BYTES, discard};
use super::engine::{Head, Reply, ReplyBody, Request, RequestBody, Service, Version};
use super::intake::{Intake, Wire};
use super::peer::Peer;
use super::refusals::Reason;
use crate::counter;
use crate::{ExportError, Identity, Route, ServerConfig};
use cors::Cors;
use encodings::Encodings;
pub(super) use fault::Fault;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use otlp_protocol::{Accepted, ErrorKind, Retry};
use std::sync::Arc;

/// The HTTP paths.
pub(super) struct Http {
    intake: Arc<Intake>,
    encodings: Encodings,
    cors: Option<Cors>,
    /// Headers added to every answer.
    headers: HeaderMap,
}

impl Service for Http {
    fn respond<B: RequestBody>(
        self: &Arc<Self>,
        request: Request<B>,
        peer: &Arc<Peer>,
    ) -> impl Future<Output = Reply> + Send + use<B> {
        let (http, peer) = (Arc::clone(self), Arc::clone(peer));
        async move {
            match request.head.fault {
                None => http.answer(request, &peer).await,
                // Boxed, so that the rare path does not enlarge every request's future.
                Some(fault) => Box::pin(http.refuse_fault(fault, &request.head.headers, &peer)).await,
            }
        }
    }
}

// === impl Http ===

impl Http {
    /// `config` must have been [checked](ServerConfig::check): invalid headers are left out.
    pub(super) fn new(intake: Arc<Intake>, config: &ServerConfig) -> Self {
        let header = |(name, value): &(String, String)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
        };
        Self {
            intake,
            encodings: Encodings::new(config),
            cors: config.cors.as_ref().map(Cors::new),
            headers: config.response_headers.iter().filter_map(header).collect(),
        }
    }

    /// Answers any request.
    async fn answer<B: RequestBody>(&self, request: Request<B>, peer: &Peer) -> Reply {
        let is_head = request.head.method == Method::HEAD;
        let mut reply = self.answer_in_full(request, peer).await;
        if is_head {
            // RFC 9110 §9.3.2.
            reply.body = ReplyBody::NONE;
        }
        reply
    }

    async fn answer_in_full<B: RequestBody>(&self, request: Request<B>, peer: &Peer) -> Reply {
        let Some(cors) = &self.cors else { return self.finished(self.export_or_refuse(request, peer).await) };
        // On any path, so that a preflight does not tell which paths are served.
        if Cors::is_preflight(&request.head) {
            return self.finished(reply::preflight(cors.preflight(&request.head.headers)));
        }
        let origin = cors.origin(&request.head.headers);
        let mut reply = self.export_or_refuse(request, peer).await;
        cors.allow(&mut reply.headers, origin);
        self.finished(reply)
    }

    /// Answers a request with a faulty head. The connection is closed, since the bytes that follow may not be a request.
    async fn refuse_fault(&self, fault: Fault, headers: &HeaderMap, peer: &Peer) -> Reply {
        let media_type = MediaType::of_answer(headers);
        let reply = match self.intake.gate.authenticated(headers, peer).await {
            Err(error) => reply::unauthenticated(&error, media_type, self.intake.gate.challenge()),
            Ok(_) => {
                let (kind, message) = (fault.kind(), fault.message());
                self.intake.refusals.request_as(Reason::of(kind), kind, message, peer);
                reply::fault(fault, media_type)
            }
        };
        self.finished(reply::closing(reply))
    }

    async fn export_or_refuse<B: RequestBody>(&self, request: Request<B>, peer: &Peer) -> Reply {
        let media_type = MediaType::of_answer(&request.head.headers);
        match self.open(&request.head, peer, media_type).await {
            Ok((route, identity)) => match self.export(&route, request, peer, identity).await {
                Ok(accepted) => {
                    counter::count(&self.intake.stats.accepted_requests);
                    reply::success(route.signal, &accepted, media_type)
                }
                Err(error) => reply::failure(&error, media_type),
            },
            Err(reply) => {
                Box::pin(self.discard(request)).await;
                *reply
            }
        }
    }

    /// Reads a request's head: returns route and identity, or the answer.
    async fn open(
        &self,
        head: &Head,
        peer: &Peer,
        media_type: MediaType,
    ) -> Result<(Arc<Route>, Option<Identity>), Box<Reply>> {
        let identity = match self.intake.gate.authenticated(&head.headers, peer).await {
            Ok(identity) => identity,
            Err(error) => {
                let challenge = self.intake.gate.challenge();
                return Err(Box::new(reply::unauthenticated(&error, media_type, challenge)));
            }
        };
        let path = head.path();
        let Some(route) = self.intake.routes.by_http_path(path) else {
            return Err(Box::new(self.not_served(head, peer, media_type)));
        };
        if head.method != Method::POST {
            let what = format_args!("{} {path}: only POST is served", head.method);
            self.intake.refusals.request_as(Reason::NotServed, ErrorKind::Unimplemented, what, peer);
            return Err(Box::new(reply::method_not_allowed(media_type)));
        }
        Ok((route, identity))
    }

    /// Answers a request for a path that is not served.
    fn not_served(&self, head: &Head, peer: &Peer, media_type: MediaType) -> Reply {
        let path = head.path();
        let (reason, message) = match is_any_grpc(&head.headers) {
            true => (
                Reason::WrongPort,
                format!("{path} is gRPC: this port serves OTLP/HTTP alone; send gRPC to the gRPC port"),
            ),
            false => (Reason::NotServed, format!("{path} is not served")),
        };
        let error = ExportError::new(ErrorKind::Unimplemented, Retry::Never, message);
        self.intake.refusals.request_as(reason, error.kind(), error.message(), peer);
        reply::failure(&error, media_type)
    }

    async fn export<B: RequestBody>(
        &self,
        route: &Route,
        mut request: Request<B>,
        peer: &Peer,
        identity: Option<Identity>,
    ) -> Result<Accepted, ExportError> {
        let admitted = async {
            let read = async {
                let (headers, budget) = (&request.head.headers, &self.intake.context.budget);
                let hops = self.intake.hop.with(headers, budget)?;
                let origin = peer.origin(&self.intake.origin, budget, headers, identity.as_ref())?;
                let trace = self.intake.trace(headers);
                Ok::<_, ExportError>((self.read(&mut request, peer).await?, origin, hops, trace))
            };
            let (wire, origin, hops, trace) = match read.await {
                Ok(read) => read,
                Err(error) => {
                    // Boxed, so that the rare path does not enlarge every request's future.
                    Box::pin(self.discard(request)).await;
                    return Err(error);
                }
            };
            // Headers are slices of the connection's read buffer, and keep it allocated.
            drop(request);
            Ok((self.intake.admit(route.signal, wire).await?, origin, hops, trace))
        };
        let admitted = admitted
            .await
            .inspect_err(|error: &ExportError| self.intake.refuse_export(error, &route.export, peer))?;
        let (Some(mut batch), origin, hops, trace) = admitted else { return Ok(Accepted::FULL) };
        (batch.origin, batch.hops, batch.trace) = (origin, Some(hops), trace);
        self.intake.export(&route.export, batch, peer).await
    }

    /// Reads and drops the rest of a refused body: on HTTP/1.1 before the answer. On HTTP/2 the answer is sent first and
    /// the reset of the stream waits: a client that is still sending reads the answer and stops by itself.
    async fn discard<B: RequestBody>(&self, request: Request<B>) {
        let Request { head: Head { version, headers, .. }, mut body } = request;
        let clock = Arc::clone(&self.intake.context.clock);
        match version {
            Version::Http2 => {
                let rest = async move { discard(&mut body, &headers, u64::MAX, &*clock).await };
                tokio::spawn(rest.boxed());
            }
            Version::Http1 => {
                discard(&mut body, &headers, MAX_HTTP1_BYTES, &*clock).await;
            }
        }
    }

    async fn read<B: RequestBody>(&self, request: &mut Request<B>, peer: &Peer) -> Result<Wire, ExportError> {
        let Request { head, body } = request;
        let media_type = MediaType::of(&head.headers)?;
        let codec = self.encodings.of(&head.headers)?;
        let context = &self.intake.context;
        let limit = self.intake.limits.max_request_bytes;
        let too_large = || self.intake.too_large("the body");
        let expected = body.remaining();
        if expected.is_some_and(|expected| expected > limit as u64) {
            return Err(too_large());
        }
        let expected = expected.map(|expected| expected as usize);
        self.intake.check_fits(expected)?;
        let mut timer = BodyTimer::new(&*context.clock, &self.intake.limits, None);
        let mut gather = Gather::new(&context.buffers, peer, self.intake.charge()?, head.version);
        while let Some(piece) = next_piece(body, &mut timer).await? {
            if gather.len() + piece.bytes.len() > limit {
                return Err(too_large());
            }
            gather.push(piece, expected)?;
        }
        let Gathered { bytes, charge, is_small_slice } = gather.finish();
        counter::add(&self.intake.stats.received_bytes, bytes.len() as u64);
        Ok(Wire { bytes, charge, is_small_slice, codec, media_type, deadline: None })
    }

    /// Adds the configured headers that the answer does not set itself.
    fn finished(&self, mut reply: Reply) -> Reply {
        for (name, value) in &self.headers {
            reply.headers.entry(name).or_insert_with(|| value.clone());
        }
        reply
    }
}
