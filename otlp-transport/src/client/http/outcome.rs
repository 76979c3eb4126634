//! What an HTTP server's answer means. OTLP/HTTP §Response.

use super::PROTOBUF;
use crate::client::answer::Answer;
use crate::client::encoding::internal;
use crate::{ExportError, ExportResult};
use http::HeaderMap;
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use otlp_protocol::{Accepted, RpcStatus, parse_retry_after};
use std::time::SystemTime;

/// Reads an answer; `now` is what dates in `Retry-After` are relative to.
pub(super) fn read(answer: &Answer, now: SystemTime) -> ExportResult {
    if answer.status.is_success() {
        // Some backends answer in text or JSON, whatever was asked; the status is what counts, as for the Collector.
        if !is_protobuf(&answer.headers) {
            return Ok(Accepted::FULL);
        }
        return Accepted::decode(&answer.body).map_err(|error| internal("reading the answer", error));
    }
    let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let status = if is_protobuf(&answer.headers) { RpcStatus::decode(&answer.body).ok() } else { None };
    let RpcStatus { message, retry_delay, violations, .. } = status.unwrap_or_default();
    let why = match header(LOCATION).filter(|_| answer.status.is_redirection()) {
        Some(location) => format!("redirect to {}, not followed", excerpt(location.as_bytes())),
        None if !message.is_empty() => excerpt(message.as_bytes()),
        None if is_protobuf(&answer.headers) => String::new(),
        None => excerpt(&answer.body),
    };
    let code = answer.status.as_u16();
    let message = if why.is_empty() { format!("HTTP {code}") } else { format!("HTTP {code}: {why}") };
    let delay = header(RETRY_AFTER).and_then(|value| parse_retry_after(value, now)).or(retry_delay);
    let error = ExportError::from_http(code, message, delay);
    Err(violations.into_iter().fold(error, ExportError::with_violation))
}

/// Whether the body is, or may be, protobuf: parameters and case of the type do not matter.
fn is_protobuf(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_none_or(|value| {
        let essence = value.as_bytes().split(|&byte| byte == b';').next().unwrap_or_default();
        essence.trim_ascii().eq_ignore_ascii_case(PROTOBUF.as_bytes())
    })
}

/// The beginning of a text on one line, for a message: proxies send whole pages.
fn excerpt(text: &[u8]) -> String {
    let beginning = String::from_utf8_lossy(&text[..text.len().min(8 * MAX_EXCERPT_CHARS)]);
    let visible =
        beginning.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = visible.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_EXCERPT_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

const MAX_EXCERPT_CHARS: usize = 200;
