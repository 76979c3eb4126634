//! gRPC answers: message and trailers, or trailers only.

use crate::ExportError;
use crate::compression::accepted_encodings;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{BufMut, Bytes, BytesMut};
use http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use otlp_protocol::{Accepted, ErrorKind, FRAME_HEADER_LEN, FrameHeader, RpcStatus, http_status};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The body of an answer.
pub(in crate::server) enum ReplyBody {
    /// A framed message, then trailers. Neither: an answer that ends with its headers.
    Unary { message: Option<Bytes>, trailers: Option<HeaderMap> },
    /// What tonic makes.
    Tonic(tonic::body::Body),
    /// What OTLP/HTTP answers, where both are spoken.
    Http(Full<Bytes>),
}

/// OK with the response message.
pub(super) fn success(accepted: &Accepted) -> Response<ReplyBody> {
    let message =
        if accepted.is_partial() { framed(&accepted.encode()) } else { Bytes::from_static(&EMPTY_MESSAGE) };
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(STATUS, HeaderValue::from_static("0"));
    answer(ReplyBody::Unary { message: Some(message), trailers: Some(trailers) })
}

/// An error as gRPC tells it: trailers only, with `google.rpc.Status` where it says more than code and message.
pub(super) fn failure(error: &ExportError) -> Response<ReplyBody> {
    let mut status = error.to_status();
    truncate(&mut status.message);
    let mut response = answer(NO_BODY);
    let headers = response.headers_mut();
    headers.insert(STATUS, HeaderValue::from(status.code));
    let message = utf8_percent_encode(&status.message, &UNSAFE_IN_MESSAGE).to_string();
    if let Ok(message) = HeaderValue::try_from(message) {
        headers.insert(MESSAGE, message);
    }
    if let Some(details) = details(status) {
        headers.insert(DETAILS, details);
    }
    if error.kind() == ErrorKind::UnsupportedEncoding {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accepted_encodings()));
    }
    response
}

/// An answer to what is not gRPC: it tells a person who looks in with a browser what this is.
pub(super) fn http_only(status: StatusCode) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::Http(Full::from(WHAT_THIS_IS)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// The answer to a stranger who does not speak gRPC; without a word about what this is.
pub(super) fn http_refusal(error: &ExportError, challenge: &str) -> Response<ReplyBody> {
    let mut response = Response::new(NO_BODY);
    let status = http_status(error.kind(), error.retry());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED);
    if let (StatusCode::UNAUTHORIZED, Ok(challenge)) = (response.status(), HeaderValue::try_from(challenge)) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

fn answer(body: ReplyBody) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(FRAME_HEADER_LEN + message.len());
    framed.put_slice(&FrameHeader::new(false, message.len() as u32).encode());
    framed.put_slice(message);
    framed.freeze()
}

fn details(mut status: RpcStatus) -> Option<HeaderValue> {
    if status.retry_delay.is_none() && status.violations.is_empty() {
        return None;
    }
    for violation in &mut status.violations {
        truncate(&mut violation.field);
        truncate(&mut violation.description);
    }
    HeaderValue::try_from(STANDARD_NO_PAD.encode(status.encode())).ok()
}

/// Peers bound their headers, commonly at 8 KiB.
fn truncate(text: &mut String) {
    text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        match self.get_mut() {
            Self::Unary { message, trailers } => {
                let frame = message.take().map(Frame::data).or_else(|| trailers.take().map(Frame::trailers));
                Poll::Ready(frame.map(Ok))
            }
            Self::Tonic(body) => Pin::new(body).poll_frame(cx),
            Self::Http(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Unary { message, trailers } => message.is_none() && trailers.is_none(),
            Self::Tonic(body) => body.is_end_stream(),
            Self::Http(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Http(body) => body.size_hint(),
            Self::Unary { .. } | Self::Tonic(_) => SizeHint::default(),
        }
    }
}

/// gRPC over HTTP2 §Responses: all but printable ASCII is percent-encoded, and the percent sign itself.
const UNSAFE_IN_MESSAGE: AsciiSet = CONTROLS.add(b'%');
pub(super) const NO_BODY: ReplyBody = ReplyBody::Unary { message: None, trailers: None };
const WHAT_THIS_IS: &str =
    "This is an OTLP/gRPC port: exporters send it POST requests of application/grpc over HTTP/2.\n";
const EMPTY_MESSAGE: [u8; FRAME_HEADER_LEN] = FrameHeader::new(false, 0).encode();
const STATUS: &str = "grpc-status";
const MESSAGE: &str = "grpc-message";
const DETAILS: &str = "grpc-status-details-bin";
const ACCEPT_ENCODING: &str = "grpc-accept-encoding";
pub(super) const ENCODING: &str = "grpc-encoding";
const MAX_TEXT_BYTES: usize = 1 << 10;
