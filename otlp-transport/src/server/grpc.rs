//! OTLP/gRPC: unary calls on HTTP/2.

mod failure;
mod health;

use super::Phase;
use super::body::{BodyTimer, Gather, Gathered, MediaType, is_grpc, next_piece};
use super::discard::{MAX_HTTP2_BYTES, discard};
use super::engine::{Reply, ReplyBody, Request, RequestBody, Service, Version};
use super::intake::{Intake, Wire};
use super::peer::{Admission, Peer};
use super::refusals::Reason;
use crate::compression::{Codec, accepted_encodings, codec};
use crate::counter;
use crate::{BoxExport, ExportError, Identity, SlowCheck};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use health::Health;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use otlp_protocol::{
    Accepted, BatchTrace, ErrorKind, FRAME_HEADER_LEN, FrameError, FrameHeader, FrameReader, Hops, Origin,
    Retry, Signal,
};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The gRPC services.
pub(super) struct Grpc {
    intake: Arc<Intake>,
    health: Health,
}

/// A unary call after its head was read.
struct Call<B> {
    signal: Signal,
    export: BoxExport,
    /// Codec of the message, used if the message's flag says that it is compressed.
    codec: Option<&'static dyn Codec>,
    deadline: Option<Instant>,
    origin: Option<Arc<Origin>>,
    hops: Arc<Hops>,
    trace: Option<Arc<BatchTrace>>,
    peer: Arc<Peer>,
    body: B,
}

/// Result of reading a request's head.
enum HeadOutcome<B> {
    Call(Call<B>),
    Health(Box<(Request<B>, Arc<Peer>)>),
    /// An answer, and the body that the answer leaves unread.
    Answered(Box<(Reply, B)>),
}

impl Grpc {
    /// Returns the answer to HTTP/1.1 on a gRPC port: a status line and a text. Empty if credentials are required, since
    /// then 401 is the only answer without credentials; the connection is closed without an answer.
    pub(super) fn answer_to_http1(&self) -> &'static str {
        if self.intake.gate.is_open() { failure::HTTP1_ON_GRPC_PORT } else { "" }
    }
}

impl Service for Grpc {
    /// Answers a request. The future holds only what it needs of the request, since futures are moved and kept for as
    /// long as an answer takes.
    fn respond<B: RequestBody>(
        self: &Arc<Self>,
        request: Request<B>,
        peer: &Arc<Peer>,
    ) -> impl Future<Output = Reply> + Send + use<B> {
        let grpc = Arc::clone(self);
        let opened = match grpc.intake.gate.authenticate(&request.head.headers, peer) {
            Admission::Granted(identity) => Ok(grpc.open(request, peer, identity.as_ref())),
            Admission::Refused(error) => Ok(grpc.unknown(request, &error)),
            Admission::Pending(check) => Err(Box::new((request, check, Arc::clone(peer)))),
        };
        async move {
            let opened = match opened {
                Ok(opened) => opened,
                Err(checking) => grpc.check(*checking).await,
            };
            match opened {
                HeadOutcome::Call(mut call) => grpc.answer(&mut call).await,
                // Boxed, so that rare answers do not enlarge every request's future.
                HeadOutcome::Health(request) => Box::pin(grpc.health(*request)).await,
                HeadOutcome::Answered(answered) => Box::pin(grpc.answered_early(*answered)).await,
            }
        }
    }
}

// === impl Grpc ===

impl Grpc {
    /// `phases`: phases of the server, which the health service reports.
    pub(super) fn new(intake: Arc<Intake>, phases: watch::Receiver<Phase>) -> Self {
        let health = Health::new(&intake, phases);
        Self { intake, health }
    }

    /// Waits for a slow check of credentials.
    async fn check<B: RequestBody>(
        &self,
        (request, check, peer): (Request<B>, SlowCheck, Arc<Peer>),
    ) -> HeadOutcome<B> {
        match self.intake.gate.finish_check(check, &peer).await {
            Ok(identity) => self.open(request, &peer, Some(&identity)),
            Err(error) => self.unknown(request, &error),
        }
    }

    async fn answered_early<B: RequestBody>(&self, (reply, mut body): (Reply, B)) -> Reply {
        self.discard(&mut body).await;
        reply
    }

    async fn discard<B: RequestBody>(&self, body: &mut B) {
        discard(body, &HeaderMap::new(), MAX_HTTP2_BYTES, &*self.intake.context.clock).await;
    }

    /// Answers a sender without valid credentials.
    fn unknown<B>(&self, request: Request<B>, error: &ExportError) -> HeadOutcome<B> {
        let reply = match is_grpc(&request.head.headers) {
            true => failure::failure(error),
            false => failure::http_refusal(error, self.intake.gate.challenge()),
        };
        HeadOutcome::Answered(Box::new((reply, request.body)))
    }

    /// Reads a request's head: routes the call, or answers it.
    fn open<B>(&self, request: Request<B>, peer: &Arc<Peer>, identity: Option<&Identity>) -> HeadOutcome<B> {
        let (path, headers) = (request.head.path(), &request.head.headers);
        if path.starts_with(health::PATH) {
            return HeadOutcome::Health(Box::new((request, Arc::clone(peer))));
        }
        if request.head.method != Method::POST || !is_grpc(headers) {
            return self.not_grpc(request, peer);
        }
        let refused = |error: ExportError, request: Request<B>| {
            self.intake.refusals.request(&error, peer);
            HeadOutcome::Answered(Box::new((failure::failure(&error), request.body)))
        };
        let Some(route) = self.intake.routes.by_grpc_path(path) else {
            let message = format!("{path} is not served");
            return refused(ExportError::new(ErrorKind::Unimplemented, Retry::Never, message), request);
        };
        let codec = match encoding(headers) {
            Ok(codec) => codec,
            Err(error) => return refused(error, request),
        };
        let budget = &self.intake.context.budget;
        let hops = match self.intake.hop.with(headers, budget) {
            Ok(hops) => hops,
            Err(error) => return refused(error, request),
        };
        let (deadline, trace) = (self.deadline(headers), self.intake.trace(headers));
        let (signal, export) = (route.signal, route.export.clone());
        let origin = match peer.origin(&self.intake.origin, budget, headers, identity) {
            Ok(origin) => origin,
            Err(error) => return refused(error, request),
        };
        let (peer, body) = (Arc::clone(peer), request.body);
        HeadOutcome::Call(Call { signal, export, codec, deadline, origin, hops, trace, peer, body })
    }

    /// Answers a request that is not gRPC.
    fn not_grpc<B>(&self, request: Request<B>, peer: &Peer) -> HeadOutcome<B> {
        let (method, path) = (&request.head.method, request.head.path());
        let (kind, status) = match *method == Method::POST {
            true => (ErrorKind::UnsupportedMediaType, StatusCode::UNSUPPORTED_MEDIA_TYPE),
            false => (ErrorKind::Unimplemented, StatusCode::METHOD_NOT_ALLOWED),
        };
        let mut reply = failure::http_only(status);
        if *method == Method::HEAD {
            reply.body = ReplyBody::NONE;
        }
        let what = format_args!(
            "{method} {path} is not gRPC: this port serves OTLP/gRPC alone; send OTLP/HTTP to the HTTP port"
        );
        self.intake.refusals.request_as(Reason::WrongPort, kind, what, peer);
        HeadOutcome::Answered(Box::new((reply, request.body)))
    }

    async fn answer<B: RequestBody>(&self, call: &mut Call<B>) -> Reply {
        match self.export(call).await {
            Ok(accepted) => {
                counter::count(&self.intake.stats.accepted_requests);
                success(&accepted)
            }
            Err(error) => {
                Box::pin(self.discard(&mut call.body)).await;
                failure::failure(&error)
            }
        }
    }

    async fn export<B: RequestBody>(&self, call: &mut Call<B>) -> Result<Accepted, ExportError> {
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
        (batch.hops, batch.trace) = (Some(Arc::clone(&call.hops)), call.trace.take());
        self.intake.export(&call.export, batch, &call.peer).await
    }

    fn refused<B>(&self, error: ExportError, call: &Call<B>) -> ExportError {
        self.intake.refuse_export(&error, &call.export, &call.peer);
        error
    }

    /// Returns the caller's deadline. An invalid timeout is ignored.
    fn deadline(&self, headers: &HeaderMap) -> Option<Instant> {
        let timeout = timeout(headers.get(TIMEOUT)?.as_bytes())?;
        self.intake.context.clock.now().checked_add(timeout)
    }

    /// Reads the message of a unary call.
    async fn read<B: RequestBody>(&self, call: &mut Call<B>) -> Result<Wire, ExportError> {
        let limit = self.intake.limits.max_request_bytes;
        let (header, gathered) = self.gather(&mut call.body, &call.peer, call.deadline, limit).await?;
        let Gathered { mut bytes, charge, is_small_slice } = gathered;
        counter::add(&self.intake.stats.received_bytes, bytes.len() as u64);
        bytes.advance(FRAME_HEADER_LEN);
        let codec = of_message(call.codec, header)?;
        let (media_type, deadline) = (MediaType::Protobuf, call.deadline);
        Ok(Wire { bytes, charge, is_small_slice, codec, media_type, deadline })
    }

    /// Collects a body that is one message of at most `limit` bytes, including its header.
    async fn gather<B: RequestBody>(
        &self,
        body: &mut B,
        peer: &Peer,
        deadline: Option<Instant>,
        limit: usize,
    ) -> Result<(FrameHeader, Gathered), ExportError> {
        let context = &self.intake.context;
        let mut timer = BodyTimer::new(&*context.clock, &self.intake.limits, deadline);
        let mut gather = Gather::new(&context.buffers, peer, self.intake.charge()?, Version::Http2);
        let mut frame = FrameReader::new(limit);
        while let Some(piece) = next_piece(body, &mut timer).await? {
            frame.push(&piece.bytes).map_err(|error| self.unframed(error))?;
            self.intake.check_fits(frame.expected())?;
            gather.push(piece, frame.expected())?;
        }
        let header = frame.finish().map_err(|error| self.unframed(error))?;
        Ok((header, gather.finish()))
    }

    fn unframed(&self, error: FrameError) -> ExportError {
        match error {
            FrameError::TooLong { len, limit: health::MAX_BYTES } => health::too_large(len),
            FrameError::TooLong { len, .. } => {
                self.intake.too_large(format_args!("the message of {len} bytes"))
            }
            error => ExportError::new(ErrorKind::Internal, Retry::Never, error.to_string()),
        }
    }
}

/// Answers OK with the response message.
fn success(accepted: &Accepted) -> Reply {
    let message =
        if accepted.is_partial() { framed(&accepted.encode()) } else { Bytes::from_static(&EMPTY_MESSAGE) };
    reply(ReplyBody::Whole(message, Some(ok())))
}

/// Returns the trailers of a successful call.
fn ok() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(STATUS, HeaderValue::from_static("0"));
    trailers
}

fn reply(body: ReplyBody) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    Reply { status: StatusCode::OK, headers, body }
}

fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(FRAME_HEADER_LEN + message.len());
    framed.put_slice(&FrameHeader::new(false, message.len() as u32).encode());
    framed.put_slice(message);
    framed.freeze()
}

/// Returns the codec that `grpc-encoding` names; `None` for no compression.
fn encoding(headers: &HeaderMap) -> Result<Option<&'static dyn Codec>, ExportError> {
    let mut names = headers.get_all(ENCODING).into_iter();
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
        let message =
            format!("grpc-encoding {name:?} is not supported: send one of {}", accepted_encodings());
        ExportError::new(ErrorKind::UnsupportedEncoding, Retry::Never, message)
    })
}

/// Returns the codec of a message, by its flag and the call's encoding.
fn of_message(
    encoding: Option<&'static dyn Codec>,
    header: FrameHeader,
) -> Result<Option<&'static dyn Codec>, ExportError> {
    if header.compressed && encoding.is_none() {
        let message = "the message is flagged as compressed, but the header grpc-encoding is missing";
        return Err(ExportError::new(ErrorKind::Internal, Retry::Never, message));
    }
    Ok(encoding.filter(|_| header.compressed))
}

/// Parses `grpc-timeout`: one to eight digits and a unit. `None` if the value is anything else.
pub(super) fn timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let count = digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    match unit {
        b'H' => Some(Duration::from_secs(count * 3600)),
        b'M' => Some(Duration::from_secs(count * 60)),
        b'S' => Some(Duration::from_secs(count)),
        b'm' => Some(Duration::from_millis(count)),
        b'u' => Some(Duration::from_micros(count)),
        b'n' => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

const STATUS: &str = "grpc-status";
const ENCODING: &str = "grpc-encoding";
const TIMEOUT: &str = "grpc-timeout";
const EMPTY_MESSAGE: [u8; FRAME_HEADER_LEN] = FrameHeader::new(false, 0).encode();

#[cfg(test)]
mod tests;
