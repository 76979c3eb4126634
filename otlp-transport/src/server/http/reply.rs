//! HTTP answers: the response message, or `google.rpc.Status`, in the format of the request. OTLP §Failures-1.

use super::Fault;
use crate::ExportError;
use crate::server::body::MediaType;
use crate::server::engine::{Reply, ReplyBody};
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use otlp_protocol::{Accepted, Code, Retry, RpcStatus, Signal, http_status};
use std::time::Duration;

/// Answers 200 with the response message.
pub(super) fn success(signal: Signal, accepted: &Accepted, media_type: MediaType) -> Reply {
    let message = match media_type {
        MediaType::Protobuf => accepted.encode(),
        MediaType::Json => accepted.encode_json(signal),
    };
    answer(StatusCode::OK, message, media_type)
}

/// Answers an error: status, details, and the delay before a retry.
pub(super) fn failure(error: &ExportError, media_type: MediaType) -> Reply {
    let status = http_status(error.kind(), error.retry());
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = answer(status, encoded(&error.to_status(), media_type), media_type);
    if let Retry::After(delay) = error.retry() {
        reply.headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(delay)));
    }
    reply
}

/// Answers 401 with the challenge. RFC 9110 §11.6.1.
pub(super) fn unauthenticated(error: &ExportError, media_type: MediaType, challenge: &str) -> Reply {
    let mut reply = failure(error, media_type);
    if let (StatusCode::UNAUTHORIZED, Ok(challenge)) = (reply.status, HeaderValue::try_from(challenge)) {
        reply.headers.insert(WWW_AUTHENTICATE, challenge);
    }
    reply
}

/// Answers 405: only POST is served.
pub(super) fn method_not_allowed(media_type: MediaType) -> Reply {
    let status = RpcStatus::new(Code::Unimplemented, "only POST is served");
    let mut reply = answer(StatusCode::METHOD_NOT_ALLOWED, encoded(&status, media_type), media_type);
    reply.headers.insert(ALLOW, HeaderValue::from_static("POST"));
    reply
}

/// Answers 400 or 501: the head is faulty.
pub(super) fn fault(fault: Fault, media_type: MediaType) -> Reply {
    let code =
        if fault.status() == StatusCode::BAD_REQUEST { Code::InvalidArgument } else { Code::Unimplemented };
    answer(fault.status(), encoded(&RpcStatus::new(code, fault.message()), media_type), media_type)
}

/// Answers a preflight with 204. Fetch Standard §CORS-preflight fetch.
pub(super) fn preflight(headers: HeaderMap) -> Reply {
    Reply { status: StatusCode::NO_CONTENT, headers, body: ReplyBody::NONE }
}

/// Marks an answer as the last on its connection.
pub(super) fn closing(mut reply: Reply) -> Reply {
    reply.headers.insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}

fn encoded(status: &RpcStatus, media_type: MediaType) -> Vec<u8> {
    match media_type {
        MediaType::Protobuf => status.encode(),
        MediaType::Json => status.encode_json(),
    }
}

fn answer(status: StatusCode, body: Vec<u8>, media_type: MediaType) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type.name()));
    Reply { status, headers, body: ReplyBody::Whole(body.into(), None) }
}

/// Rounds up, so that no client retries too early, to at least one second: zero would mean "at once".
fn whole_seconds(delay: Duration) -> u64 {
    delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0)).max(1)
}
