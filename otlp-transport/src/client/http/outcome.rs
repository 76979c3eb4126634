//! What an HTTP server's answer means. OTLP/HTTP §Response.

use super::{JSON, PROTOBUF};
use crate::client::answer::Answer;
use crate::client::encoding::internal;
use crate::{ExportError, ExportResult};
use http::HeaderMap;
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use otlp_protocol::{Accepted, RpcStatus, parse_retry_after};
use std::time::SystemTime;

/// Reads an answer; `now` is what dates in `Retry-After` are relative to.
pub(in crate::client) fn read(answer: &Answer, now: SystemTime) -> ExportResult {
    if answer.status.is_success() {
        // Some backends answer in text or HTML, whatever was asked; the status is what counts, as for the Collector.
        return match Language::of(&answer.headers) {
            Language::Protobuf => {
                Accepted::decode(&answer.body).map_err(|error| internal("reading the answer", error))
            }
            // Some answer in something like it.
            Language::Json => Ok(Accepted::decode_json(&answer.body).unwrap_or(Accepted::FULL)),
            Language::Other => Ok(Accepted::FULL),
        };
    }
    let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let language = Language::of(&answer.headers);
    let status = match language {
        Language::Protobuf => RpcStatus::decode(&answer.body).ok(),
        Language::Json => RpcStatus::decode_json(&answer.body).ok(),
        Language::Other => None,
    };
    let RpcStatus { message, retry_delay, violations, .. } = status.unwrap_or_default();
    let why = match header(LOCATION).filter(|_| answer.status.is_redirection()) {
        Some(location) => format!("redirect to {}, not followed", excerpt(location.as_bytes())),
        None if !message.is_empty() => excerpt(message.as_bytes()),
        None if language == Language::Protobuf => String::new(),
        None => excerpt(&answer.body),
    };
    let code = answer.status.as_u16();
    let message = if why.is_empty() { format!("HTTP {code}") } else { format!("HTTP {code}: {why}") };
    let delay = header(RETRY_AFTER).and_then(|value| parse_retry_after(value, now)).or(retry_delay);
    let error = ExportError::from_http(code, message, delay);
    Err(violations.into_iter().fold(error, ExportError::with_violation))
}

/// What a body is written in.
#[derive(Clone, Copy, PartialEq)]
enum Language {
    /// Also without a type: proxies lose it.
    Protobuf,
    Json,
    Other,
}

impl Language {
    /// By its type, whose parameters and case do not matter.
    fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(CONTENT_TYPE) else { return Self::Protobuf };
        let essence = value.as_bytes().split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
        match () {
            () if essence.eq_ignore_ascii_case(PROTOBUF.as_bytes()) => Self::Protobuf,
            () if essence.eq_ignore_ascii_case(JSON.as_bytes()) => Self::Json,
            () => Self::Other,
        }
    }
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
