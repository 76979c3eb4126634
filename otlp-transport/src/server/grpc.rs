//! OTLP/gRPC: unary calls on HTTP/2, taken apart by hand. Only health goes through tonic.

mod health;
mod reply;
pub(super) mod timeout;

use super::ServerStats;
use super::body::{Gather, Gathered, next_piece};
use super::deadline::Patience;
use super::discard::{MAX_HTTP2_BYTES, discard};
use super::gate::Admission;
use super::intake::{Intake, Wire};
use super::media_type::{MediaType, is_grpc};
use super::peer::Peer;
use super::refusals::Reason;
use crate::compression::{Codec, codec};
use crate::{BoxExport, ExportError, Identity, SlowCheck};
use bytes::Buf as _;
use health::Health;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use otlp_protocol::{
    Accepted, ErrorKind, FRAME_HEADER_LEN, FrameError, FrameHeader, FrameReader, Hops, Origin, Retry, Signal,
};
pub(super) use reply::ReplyBody;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

/// The gRPC services.
pub(super) struct Grpc {
    intake: Arc<Intake>,
    health: Health,
}

/// A unary call, as far as it was taken apart.
struct Call {
    signal: Signal,
    export: BoxExport,
    /// Of the message, if its flag says that it is compressed.
    codec: Option<&'static dyn Codec>,
    deadline: Option<Instant>,
    origin: Option<Arc<Origin>>,
    hops: Arc<Hops>,
    peer: Arc<Peer>,
    body: Incoming,
}

/// What a request's head comes to.
enum Opened {
    Call(Call),
    Health(Box<(Request<Incoming>, Arc<Peer>)>),
    /// An answer, and the body that it leaves unread.
    Answered(Box<(Response<ReplyBody>, Incoming)>),
}

impl Grpc {
    pub(super) async fn new(intake: Arc<Intake>) -> Self {
        let health = Health::new(&intake.routes).await;
        Self { intake, health }
    }

    /// Answers a request, whatever it is. The future holds what is needed of the request and no more: it is moved
    /// about and kept for as long as the answer takes.
    pub(super) fn respond(
        self: &Arc<Self>,
        request: Request<Incoming>,
        peer: &Arc<Peer>,
    ) -> impl Future<Output = Result<Response<ReplyBody>, Infallible>> + Send + use<> {
        let grpc = Arc::clone(self);
        let opened = match grpc.intake.authenticate(request.headers(), peer) {
            Admission::Granted(identity) => Ok(grpc.open(request, peer, identity.as_ref())),
            Admission::Refused(error) => Ok(grpc.unknown(request, &error)),
            Admission::Pending(check) => Err(Box::new((request, check, Arc::clone(peer)))),
        };
        async move {
            let opened = match opened {
                Ok(opened) => opened,
                Err(checking) => grpc.check(*checking).await,
            };
            Ok(match opened {
                Opened::Call(mut call) => grpc.answer(&mut call).await,
                // Boxed, so that rare answers do not swell every request's future.
                Opened::Health(request) => Box::pin(grpc.health(*request)).await,
                Opened::Answered(answered) => Box::pin(grpc.answered_early(*answered)).await,
            })
        }
    }

    /// Answers a request of the health service, whose message is a service's name.
    async fn health(&self, (request, peer): (Request<Incoming>, Arc<Peer>)) -> Response<ReplyBody> {
        let deadline = self.deadline(request.headers());
        let (head, mut body) = request.into_parts();
        match self.gather(&mut body, &peer, deadline, MAX_HEALTH_BYTES).await {
            Ok((_, gathered)) => self.health.respond(Request::from_parts(head, gathered.bytes)).await,
            Err(error) => {
                self.intake.refuse(&error, &peer);
                reply::failure(&error)
            }
        }
    }

    /// Tells those who ask for health that the server is not serving.
    pub(super) async fn left(&self) {
        self.health.left(&self.intake.routes).await;
    }

    /// Tells watchers of health that it is over, and lets them go.
    pub(super) async fn drained(&self) {
        self.health.drained(&self.intake.routes).await;
    }

    /// Waits until it is known who sent a request.
    async fn check(&self, (request, check, peer): (Request<Incoming>, SlowCheck, Arc<Peer>)) -> Opened {
        match self.intake.finish_check(check, &peer).await {
            Ok(identity) => self.open(request, &peer, Some(&identity)),
            Err(error) => self.unknown(request, &error),
        }
    }

    async fn answered_early(
        &self,
        (response, mut body): (Response<ReplyBody>, Incoming),
    ) -> Response<ReplyBody> {
        self.discard(&mut body).await;
        response
    }

    async fn discard(&self, body: &mut Incoming) {
        discard(body, &HeaderMap::new(), MAX_HTTP2_BYTES, &*self.intake.context.clock).await;
    }

    /// Answers a sender that is not known, whatever it asked for.
    fn unknown(&self, request: Request<Incoming>, error: &ExportError) -> Opened {
        let response = match is_grpc(request.headers()) {
            true => reply::failure(error),
            false => reply::http_refusal(error, self.intake.gate.challenge()),
        };
        Opened::Answered(Box::new((response, request.into_body())))
    }

    /// Goes by a request's head.
    fn open(&self, request: Request<Incoming>, peer: &Arc<Peer>, identity: Option<&Identity>) -> Opened {
        let path = request.uri().path();
        if path.starts_with(health::PATH) {
            return Opened::Health(Box::new((request, Arc::clone(peer))));
        }
        if request.method() != Method::POST || !is_grpc(request.headers()) {
            return self.not_grpc(request, peer);
        }
        let refused = |error: ExportError, request: Request<Incoming>| {
            self.intake.refuse(&error, peer);
            Opened::Answered(Box::new((reply::failure(&error), request.into_body())))
        };
        let Some(route) = self.intake.routes.by_grpc_path(path) else {
            let message = format!("{path} is not served");
            return refused(ExportError::new(ErrorKind::Unimplemented, Retry::Never, message), request);
        };
        let codec = match encoding(request.headers()) {
            Ok(codec) => codec,
            Err(error) => return refused(error, request),
        };
        let hops = match self.intake.hops(request.headers()) {
            Ok(hops) => hops,
            Err(error) => return refused(error, request),
        };
        let deadline = self.deadline(request.headers());
        let (signal, export) = (route.signal, route.export.clone());
        let budget = &self.intake.context.budget;
        let origin = match peer.origin(&self.intake.origin, budget, request.headers(), identity) {
            Ok(origin) => origin,
            Err(error) => return refused(error, request),
        };
        let (peer, body) = (Arc::clone(peer), request.into_body());
        Opened::Call(Call { signal, export, codec, deadline, origin, hops, peer, body })
    }

    /// Answers a request that no gRPC client sends.
    fn not_grpc(&self, request: Request<Incoming>, peer: &Peer) -> Opened {
        let (method, path) = (request.method(), request.uri().path());
        let (kind, mut response) = match *method == Method::POST {
            true => (ErrorKind::UnsupportedMediaType, reply::http_only(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
            false => (ErrorKind::Unimplemented, reply::http_only(StatusCode::METHOD_NOT_ALLOWED)),
        };
        if *method == Method::HEAD {
            *response.body_mut() = reply::NO_BODY;
        }
        let what = format_args!(
            "{method} {path} is not gRPC, which is all that this port serves; OTLP/HTTP has another port"
        );
        self.intake.refuse_as(Reason::WrongPort, kind, what, peer);
        Opened::Answered(Box::new((response, request.into_body())))
    }

    async fn answer(&self, call: &mut Call) -> Response<ReplyBody> {
        match self.export(call).await {
            Ok(accepted) => {
                ServerStats::count(&self.intake.stats.accepted_requests);
                reply::success(&accepted)
            }
            Err(error) => {
                Box::pin(self.discard(&mut call.body)).await;
                reply::failure(&error)
            }
        }
    }

    async fn export(&self, call: &mut Call) -> Result<Accepted, ExportError> {
        let wire = match self.read(call).await {
            Ok(wire) => wire,
            Err(error) => return Err(self.refused(error, call)),
        };
        let admitted = match self.intake.admit(call.signal, wire).await {
            Ok(admitted) => admitted,
            Err(error) => return Err(self.refused(error, call)),
        };
        let Some(mut batch) = admitted else { return Ok(Accepted::FULL) };
        (batch.deadline, batch.origin) = (call.deadline, call.origin.take());
        batch.hops = Some(Arc::clone(&call.hops));
        self.intake.export(&call.export, batch, &call.peer).await
    }

    fn refused(&self, error: ExportError, call: &Call) -> ExportError {
        self.intake.refuse_export(&error, &call.export, &call.peer);
        error
    }

    /// When the caller stops waiting. A timeout that is not one is ignored.
    fn deadline(&self, headers: &HeaderMap) -> Option<Instant> {
        let timeout = timeout::parse(headers.get(TIMEOUT)?.as_bytes())?;
        self.intake.context.clock.now().checked_add(timeout)
    }

    /// Reads the one message of a unary call.
    async fn read(&self, call: &mut Call) -> Result<Wire, ExportError> {
        let limit = self.intake.limits.max_request_bytes;
        let (header, gathered) = self.gather(&mut call.body, &call.peer, call.deadline, limit).await?;
        let Gathered { mut bytes, charge, is_small_slice } = gathered;
        ServerStats::add(&self.intake.stats.received_bytes, bytes.len() as u64);
        bytes.advance(FRAME_HEADER_LEN);
        let codec = call.codec.filter(|_| header.compressed);
        if header.compressed && codec.is_none() {
            let message = "the message is flagged as compressed, but there is no grpc-encoding";
            return Err(ExportError::new(ErrorKind::Internal, Retry::Never, message));
        }
        Ok(Wire {
            bytes,
            charge,
            is_small_slice,
            codec,
            media_type: MediaType::Protobuf,
            deadline: call.deadline,
        })
    }

    /// Gathers a body that is one message of at most `limit` bytes, its header included.
    async fn gather(
        &self,
        body: &mut Incoming,
        peer: &Peer,
        deadline: Option<Instant>,
        limit: usize,
    ) -> Result<(FrameHeader, Gathered), ExportError> {
        let context = &self.intake.context;
        let mut patience = Patience::new(&*context.clock, &self.intake.limits, deadline);
        let mut gather = Gather::new(&context.buffers, peer, self.intake.charge()?, Version::HTTP_2);
        let mut frame = FrameReader::new(limit);
        while let Some(piece) = next_piece(body, &mut patience).await? {
            frame.push(&piece.bytes).map_err(|error| self.unframed(error))?;
            self.intake.check_fits(frame.expected())?;
            gather.push(piece, frame.expected())?;
        }
        let header = frame.finish().map_err(|error| self.unframed(error))?;
        Ok((header, gather.finish()))
    }

    fn unframed(&self, error: FrameError) -> ExportError {
        match error {
            FrameError::TooLong { len, limit: MAX_HEALTH_BYTES } => {
                let message =
                    format!("the message of {len} bytes is over the {MAX_HEALTH_BYTES} of a health check");
                ExportError::new(ErrorKind::TooLarge, Retry::Never, message)
            }
            FrameError::TooLong { len, .. } => {
                self.intake.too_large(format_args!("the message of {len} bytes"))
            }
            error => ExportError::new(ErrorKind::Internal, Retry::Never, error.to_string()),
        }
    }
}

/// What messages are compressed with, if they are.
fn encoding(headers: &HeaderMap) -> Result<Option<&'static dyn Codec>, ExportError> {
    let mut names = headers.get_all(reply::ENCODING).into_iter();
    let Some(name) = names.next() else { return Ok(None) };
    if names.any(|other| other != name) {
        let message = "grpc-encoding names several encodings: compress a message once";
        return Err(ExportError::new(ErrorKind::UnsupportedEncoding, Retry::Never, message));
    }
    let name = String::from_utf8_lossy(name.as_bytes());
    if name == "identity" {
        return Ok(None);
    }
    codec(&name).map(Some).ok_or_else(|| {
        let message = format!("grpc-encoding {name:?} is not supported");
        ExportError::new(ErrorKind::UnsupportedEncoding, Retry::Never, message)
    })
}

const TIMEOUT: &str = "grpc-timeout";
/// A health check names a service.
const MAX_HEALTH_BYTES: usize = 4 << 10;
