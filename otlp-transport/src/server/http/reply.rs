//! HTTP answers: the response message, or `google.rpc.Status`. OTLP §Failures-1.

use crate::ExportError;
use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use otlp_protocol::{Accepted, Code, Retry, RpcStatus, http_status};
use std::time::Duration;

/// 200 with the response message.
pub(super) fn success(accepted: &Accepted) -> Response<Full<Bytes>> {
    answer(StatusCode::OK, accepted.encode())
}

/// An error: its status, its details, and when to come back.
pub(super) fn failure(error: &ExportError) -> Response<Full<Bytes>> {
    let status = http_status(error.kind(), error.retry());
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = answer(status, error.to_status().encode());
    if let Retry::After(delay) = error.retry() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(whole_seconds(delay)));
    }
    response
}

/// 405: there is only POST.
pub(super) fn method_not_allowed() -> Response<Full<Bytes>> {
    let status = RpcStatus::new(Code::Unimplemented, "only POST is served");
    let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, status.encode());
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    response
}

/// The same, as the last answer on its connection.
pub(super) fn closing(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn answer(status: StatusCode, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROTOBUF));
    response
}

/// Rounded up, so that nobody comes back too early, and at least one: zero would mean "at once".
fn whole_seconds(delay: Duration) -> u64 {
    delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0)).max(1)
}

pub(super) const PROTOBUF: &str = "application/x-protobuf";
