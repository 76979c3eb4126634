//! gRPC answers of failed calls, and answers to requests that are not gRPC. All end with their headers.

use super::{STATUS, reply};
use crate::ExportError;
use crate::compression::accepted_encodings;
use crate::server::engine::{Reply, ReplyBody};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use otlp_protocol::{ErrorKind, RpcStatus, http_status};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// Answers an error: trailers only, with `google.rpc.Status` if it holds more than code and message.
pub(super) fn failure(error: &ExportError) -> Reply {
    let mut reply = status(error.to_status());
    if error.kind() == ErrorKind::UnsupportedEncoding {
        reply.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accepted_encodings()));
    }
    reply
}

/// Answers a status: trailers only.
pub(super) fn status(mut status: RpcStatus) -> Reply {
    truncate(&mut status.message);
    let mut reply = reply(ReplyBody::NONE);
    let headers = &mut reply.headers;
    headers.insert(STATUS, HeaderValue::from(status.code));
    let message = utf8_percent_encode(&status.message, &UNSAFE_IN_MESSAGE).to_string();
    if let Ok(message) = HeaderValue::try_from(message) {
        headers.insert(MESSAGE, message);
    }
    if let Some(details) = details(status) {
        headers.insert(DETAILS, details);
    }
    reply
}

/// Answers a request that is not gRPC with a text that says what the port is for.
pub(super) fn http_only(status: StatusCode) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("POST"));
    }
    Reply { status, headers, body: ReplyBody::Whole(Bytes::from_static(WHAT_THIS_IS.as_bytes()), None) }
}

/// Answers a request without valid credentials that is not gRPC. The answer does not say what the port is for.
pub(super) fn http_refusal(error: &ExportError, challenge: &str) -> Reply {
    let status = http_status(error.kind(), error.retry());
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED);
    let mut headers = HeaderMap::new();
    if let (StatusCode::UNAUTHORIZED, Ok(challenge)) = (status, HeaderValue::try_from(challenge)) {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    Reply { status, headers, body: ReplyBody::NONE }
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

/// Cuts a text: peers limit headers, commonly to 8 KiB.
fn truncate(text: &mut String) {
    text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
}

/// gRPC over HTTP2 §Responses: the percent sign and all but printable ASCII are percent-encoded.
const UNSAFE_IN_MESSAGE: AsciiSet = CONTROLS.add(b'%');
/// RFC 9110 §15.6.6: the version of HTTP is not supported.
pub(super) const HTTP1_ON_GRPC_PORT: &str = "505 HTTP Version Not Supported\n\
    This port serves OTLP/gRPC alone, over HTTP/2: send OTLP/HTTP to the HTTP port (4318), or use the exporter otlp_grpc.\n";
const WHAT_THIS_IS: &str =
    "This is an OTLP/gRPC port: exporters send it POST requests of application/grpc over HTTP/2.\n";
const MESSAGE: &str = "grpc-message";
const DETAILS: &str = "grpc-status-details-bin";
const ACCEPT_ENCODING: &str = "grpc-accept-encoding";
const MAX_TEXT_BYTES: usize = 1 << 10;
