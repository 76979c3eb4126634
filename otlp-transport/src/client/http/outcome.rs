//! What an HTTP server's answer means. OTLP/HTTP §Response.

use super::{JSON, PROTOBUF};
use crate::client::answer::{Answer, BodyFault};
use crate::client::excerpt::excerpt;
use crate::client::stats::ClientStats;
use crate::{ExportError, ExportResult};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use otlp_protocol::{Accepted, ErrorKind, Retry, RpcStatus, parse_retry_after};
use std::time::SystemTime;

/// Reads an answer of `url`, which messages name; `now` is what dates in `Retry-After` are relative to.
///
/// The status judges the request: 2xx is success, also if the body is text, malformed, too large or cut short.
pub(in crate::client) fn read(
    answer: &Answer,
    url: &str,
    now: SystemTime,
    stats: &ClientStats,
) -> ExportResult {
    if let Some(fault) = &answer.fault {
        fault.count(stats);
    }
    if is_grpc(&answer.headers) {
        return Err(speaks_grpc(answer, url));
    }
    if answer.status.is_success() {
        return Ok(accepted(answer, stats));
    }
    let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let language = Language::of(&answer.headers);
    let status = match language {
        Language::Protobuf | Language::Unnamed => RpcStatus::decode(&answer.body).ok(),
        Language::Json => RpcStatus::decode_json(&answer.body).ok(),
        Language::Other => None,
    };
    let RpcStatus { message, retry_delay, violations, .. } = status.unwrap_or_default();
    let why = match header(LOCATION).filter(|_| answer.status.is_redirection()) {
        Some(location) => format!("redirect to {}, not followed", excerpt(location.as_bytes())),
        None if answer.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED => PROXY_AUTHENTICATION.to_owned(),
        None if !message.is_empty() => excerpt(message.as_bytes()),
        None if language == Language::Protobuf => String::new(),
        None => excerpt(&answer.body),
    };
    let code = answer.status.as_u16();
    let colon = if why.is_empty() { "" } else { ": " };
    let message = format!("HTTP {code} from {url}{colon}{why}");
    let delay = header(RETRY_AFTER).and_then(|value| parse_retry_after(value, now)).or(retry_delay);
    let error = ExportError::from_http(code, message, delay);
    Err(violations.into_iter().fold(error, ExportError::with_violation))
}

/// What a 2xx tells of the request. Some backends answer in text or HTML, whatever was asked.
fn accepted(answer: &Answer, stats: &ClientStats) -> Accepted {
    let read = match Language::of(&answer.headers) {
        _ if answer.fault.is_some() => return Accepted::FULL,
        Language::Protobuf => Accepted::decode(&answer.body).map_err(|error| error.into()),
        Language::Json => Accepted::decode_json(&answer.body).map_err(|error| error.into()),
        // Proxies lose the type; without it the body may as well be text.
        Language::Unnamed => return Accepted::decode(&answer.body).unwrap_or(Accepted::FULL),
        Language::Other => return Accepted::FULL,
    };
    read.unwrap_or_else(|error| {
        BodyFault::Undecodable(error).count(stats);
        Accepted::FULL
    })
}

/// Whether a gRPC server answered: its HTTP status is 200 whatever it thinks of the request.
fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    headers.contains_key("grpc-status")
        || content_type.get(..GRPC.len()).is_some_and(|start| start.eq_ignore_ascii_case(GRPC))
}

fn speaks_grpc(answer: &Answer, url: &str) -> ExportError {
    let message = format!(
        "HTTP {} from {url}: the server speaks gRPC; OTLP/HTTP has another port (4318), or use the exporter otlp_grpc",
        answer.status.as_u16()
    );
    ExportError::new(ErrorKind::Unimplemented, Retry::Never, message)
}

/// What a body is written in.
#[derive(Clone, Copy, PartialEq)]
enum Language {
    Protobuf,
    Json,
    Other,
    /// There is no content type.
    Unnamed,
}

impl Language {
    /// By its type, whose parameters and case do not matter.
    fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(CONTENT_TYPE) else { return Self::Unnamed };
        let essence = value.as_bytes().split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
        match () {
            () if essence.eq_ignore_ascii_case(PROTOBUF.as_bytes()) => Self::Protobuf,
            () if essence.eq_ignore_ascii_case(JSON.as_bytes()) => Self::Json,
            () => Self::Other,
        }
    }
}

const GRPC: &[u8] = b"application/grpc";
const PROXY_AUTHENTICATION: &str = "the proxy asks for credentials: put user:password into the proxy's URL";
