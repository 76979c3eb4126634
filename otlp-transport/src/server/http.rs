//! OTLP/HTTP: bodies in POST requests, over HTTP/1.1 and HTTP/2.

pub(super) mod cors;
mod encodings;
mod fault;
mod reply;

use super::ServerStats;
use super::body::{Gather, Gathered, next_piece};
use super::deadline::Patience;
use super::discard::{MAX_HTTP1_BYTES, discard};
use super::intake::{Intake, Wire};
use super::media_type::{MediaType, is_any_grpc};
use super::peer::Peer;
use super::refusals::Reason;
use crate::{ExportError, Identity, Route, ServerConfig};
use bytes::Bytes;
use cors::Cors;
use encodings::Encodings;
pub(super) use fault::Fault;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Version};
use http_body::Body;
use http_body_util::Full;
use hyper::body::Incoming;
use otlp_protocol::{Accepted, ErrorKind, Retry};
use std::sync::Arc;

/// The HTTP paths.
pub(super) struct Http {
    intake: Arc<Intake>,
    encodings: Encodings,
    cors: Option<Cors>,
    /// Every answer gets these.
    headers: HeaderMap,
}

impl Http {
    /// `config` must have been [checked](ServerConfig::check): what is no header is left out.
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

    /// Answers a request, whatever it is.
    pub(super) async fn respond(&self, request: Request<Incoming>, peer: &Peer) -> Response<Full<Bytes>> {
        let is_head = request.method() == Method::HEAD;
        let mut response = self.respond_in_full(request, peer).await;
        if is_head {
            // RFC 9110 §9.3.2; hyper sees to it on HTTP/1.1 alone.
            *response.body_mut() = Full::default();
        }
        response
    }

    async fn respond_in_full(&self, request: Request<Incoming>, peer: &Peer) -> Response<Full<Bytes>> {
        let Some(cors) = &self.cors else { return self.finished(self.answer(request, peer).await) };
        // On any path: a stranger is not told by this which of them are served.
        if Cors::is_preflight(&request) {
            return self.finished(reply::preflight(cors.preflight(request.headers())));
        }
        let origin = cors.origin(request.headers());
        let mut response = self.answer(request, peer).await;
        cors.allow(response.headers_mut(), origin);
        self.finished(response)
    }

    /// Answers a request whose head is at fault. Its connection is closed, since what follows may not be a request.
    pub(super) async fn refuse_fault(
        &self,
        fault: Fault,
        headers: &HeaderMap,
        peer: &Peer,
    ) -> Response<Full<Bytes>> {
        let media_type = MediaType::of_answer(headers);
        let response = match self.intake.authenticated(headers, peer).await {
            Err(error) => reply::unauthenticated(&error, media_type, self.intake.gate.challenge()),
            Ok(_) => {
                let (kind, message) = (fault.kind(), fault.message());
                self.intake.refuse_as(Reason::of(kind), kind, message, peer);
                reply::fault(fault, media_type)
            }
        };
        self.finished(reply::closing(response))
    }

    async fn answer(&self, request: Request<Incoming>, peer: &Peer) -> Response<Full<Bytes>> {
        let media_type = MediaType::of_answer(request.headers());
        match self.open(&request, peer, media_type).await {
            Ok((route, identity)) => match self.export(route, request, peer, identity).await {
                Ok(accepted) => {
                    ServerStats::count(&self.intake.stats.accepted_requests);
                    reply::success(route.signal, &accepted, media_type)
                }
                Err(error) => reply::failure(&error, media_type),
            },
            Err(response) => {
                let (head, body) = request.into_parts();
                Box::pin(self.discard(head, body)).await;
                *response
            }
        }
    }

    /// Goes by a request's head: who sent it, and where it goes; or the answer.
    async fn open(
        &self,
        request: &Request<Incoming>,
        peer: &Peer,
        media_type: MediaType,
    ) -> Result<(&Route, Option<Identity>), Box<Response<Full<Bytes>>>> {
        let identity = match self.intake.authenticated(request.headers(), peer).await {
            Ok(identity) => identity,
            Err(error) => {
                let challenge = self.intake.gate.challenge();
                return Err(Box::new(reply::unauthenticated(&error, media_type, challenge)));
            }
        };
        let path = request.uri().path();
        let Some(route) = self.intake.routes.by_http_path(path) else {
            return Err(Box::new(self.not_served(request, peer, media_type)));
        };
        if request.method() != Method::POST {
            let what = format_args!("{} {path}: only POST is served", request.method());
            self.intake.refuse_as(Reason::NotServed, ErrorKind::Unimplemented, what, peer);
            return Err(Box::new(reply::method_not_allowed(media_type)));
        }
        Ok((route, identity))
    }

    /// Answers a request for a path that is not served.
    fn not_served(
        &self,
        request: &Request<Incoming>,
        peer: &Peer,
        media_type: MediaType,
    ) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        let (reason, message) = match is_any_grpc(request.headers()) {
            true => (
                Reason::WrongPort,
                format!("{path} is gRPC; this port serves OTLP/HTTP alone, gRPC has another port"),
            ),
            false => (Reason::NotServed, format!("{path} is not served")),
        };
        let error = ExportError::new(ErrorKind::Unimplemented, Retry::Never, message);
        self.intake.refuse_as(reason, error.kind(), error.message(), peer);
        reply::failure(&error, media_type)
    }

    async fn export(
        &self,
        route: &Route,
        request: Request<Incoming>,
        peer: &Peer,
        identity: Option<Identity>,
    ) -> Result<Accepted, ExportError> {
        let (head, mut body) = request.into_parts();
        let admitted = async {
            let read = async {
                let hops = self.intake.hops(&head.headers)?;
                let (kept, budget) = (&self.intake.origin, &self.intake.context.budget);
                let origin = peer.origin(kept, budget, &head.headers, identity.as_ref())?;
                Ok::<_, ExportError>((self.read(&head, &mut body, peer).await?, origin, hops))
            };
            let (wire, origin, hops) = match read.await {
                Ok(read) => read,
                Err(error) => {
                    // Boxed, so that the rare path does not swell every request's future.
                    Box::pin(self.discard(head, body)).await;
                    return Err(error);
                }
            };
            // Headers are slices of the connection's read buffer, which they keep from being freed.
            drop(head);
            Ok((self.intake.admit(route.signal, wire).await?, origin, hops))
        };
        let admitted = admitted
            .await
            .inspect_err(|error: &ExportError| self.intake.refuse_export(error, &route.export, peer))?;
        let (Some(mut batch), origin, hops) = admitted else { return Ok(Accepted::FULL) };
        (batch.origin, batch.hops) = (origin, Some(hops));
        self.intake.export(&route.export, batch, peer).await
    }

    /// Reads and drops the rest of a refused body. HTTP/1.1 does so before the answer. On HTTP/2 the answer does not wait,
    /// but the stream's reset does: a client that is still sending reads the answer first, and stops by itself.
    async fn discard(&self, head: Parts, mut body: Incoming) {
        let clock = Arc::clone(&self.intake.context.clock);
        if head.version == Version::HTTP_2 {
            tokio::spawn(async move { discard(&mut body, &head.headers, u64::MAX, &*clock).await });
        } else {
            discard(&mut body, &head.headers, MAX_HTTP1_BYTES, &*clock).await;
        }
    }

    async fn read(&self, head: &Parts, body: &mut Incoming, peer: &Peer) -> Result<Wire, ExportError> {
        let media_type = MediaType::of(&head.headers)?;
        let codec = self.encodings.of(&head.headers)?;
        let context = &self.intake.context;
        let limit = self.intake.limits.max_request_bytes;
        let too_large = || self.intake.too_large("the body");
        let expected = body.size_hint().exact();
        if expected.is_some_and(|expected| expected > limit as u64) {
            return Err(too_large());
        }
        let expected = expected.map(|expected| expected as usize);
        self.intake.check_fits(expected)?;
        let mut patience = Patience::new(&*context.clock, &self.intake.limits, None);
        let mut gather = Gather::new(&context.buffers, peer, self.intake.charge()?, head.version);
        while let Some(piece) = next_piece(body, &mut patience).await? {
            if gather.len() + piece.bytes.len() > limit {
                return Err(too_large());
            }
            gather.push(piece, expected)?;
        }
        let Gathered { bytes, charge, is_small_slice } = gather.finish();
        ServerStats::add(&self.intake.stats.received_bytes, bytes.len() as u64);
        Ok(Wire { bytes, charge, is_small_slice, codec, media_type, deadline: None })
    }

    /// The answer with what every answer gets, unless it says otherwise itself.
    fn finished(&self, mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
        for (name, value) in &self.headers {
            response.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        response
    }
}
