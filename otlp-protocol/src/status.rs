//! Error kinds, their gRPC codes and HTTP statuses, the retry tables, and `google.rpc.Status`.
//!
//! Clients decide by the tables of the specification (OTLP §Failures, §Failures-1) if a request may be sent again. Servers
//! answer by the inverse tables.

mod rpc;
mod size;

pub use rpc::{FieldViolation, RpcStatus};

use crate::{Code, HOPS_HEADER};
use std::time::{Duration, SystemTime};

/// Kind of an error.
///
/// ```
/// use otlp_protocol::{Code, ErrorKind, Retry, classify_grpc, classify_http, grpc_code, http_status};
/// use std::time::Duration;
///
/// let wait = Duration::from_secs(5);
/// // A client reads an answer.
/// assert_eq!(classify_grpc(Code::Unavailable, Some(wait)), (ErrorKind::Unavailable, Retry::After(wait)));
/// assert_eq!(classify_http(400, None), (ErrorKind::InvalidData, Retry::Never));
/// // A server answers.
/// assert_eq!(grpc_code(ErrorKind::InvalidData, Retry::Never), Code::InvalidArgument);
/// assert_eq!(http_status(ErrorKind::Exhausted, Retry::After(wait)), 429);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The call was cancelled, or the sender closed the connection.
    Cancelled,
    /// An internal error, or an answer with no more specific kind; see the message.
    Internal,
    /// The data is not valid OTLP.
    InvalidData,
    /// The request has passed this receiver before: exporters forward it in a loop.
    Loop,
    /// The credentials are valid, but do not permit the request.
    PermissionDenied,
    /// A resource is exhausted: a quota, or memory.
    Exhausted,
    /// The deadline passed.
    Timeout,
    /// The message is over a size limit.
    TooLarge,
    /// Credentials are missing or invalid.
    Unauthenticated,
    /// The peer is unreachable or overloaded.
    Unavailable,
    /// The peer does not serve this signal or method.
    Unimplemented,
    /// The peer does not support the content type.
    UnsupportedMediaType,
    /// The peer does not support the content encoding.
    UnsupportedEncoding,
}

/// Permission to send the same request again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The request must not be sent again: the answer would be the same.
    Never,
    /// The request may be sent again, after a backoff of the sender's choice.
    Backoff,
    /// The request may be sent again, after this time at the earliest.
    After(Duration),
}

/// Classifies a gRPC status by the retry table of OTLP/gRPC. `delay` is the delay of the status' `RetryInfo`, if present.
pub fn classify_grpc(code: Code, delay: Option<Duration>) -> (ErrorKind, Retry) {
    let retryable = match delay {
        Some(delay) if !delay.is_zero() => Retry::After(delay),
        _ => Retry::Backoff,
    };
    match code {
        Code::Cancelled => (ErrorKind::Cancelled, retryable),
        Code::DeadlineExceeded => (ErrorKind::Timeout, retryable),
        Code::Aborted | Code::OutOfRange | Code::Unavailable | Code::DataLoss => {
            (ErrorKind::Unavailable, retryable)
        }
        Code::ResourceExhausted if delay.is_some() => (ErrorKind::Exhausted, retryable),
        Code::ResourceExhausted => (ErrorKind::Exhausted, Retry::Never),
        Code::InvalidArgument => (ErrorKind::InvalidData, Retry::Never),
        Code::PermissionDenied => (ErrorKind::PermissionDenied, Retry::Never),
        Code::Unauthenticated => (ErrorKind::Unauthenticated, Retry::Never),
        Code::Unimplemented | Code::NotFound => (ErrorKind::Unimplemented, Retry::Never),
        Code::Ok | Code::Unknown | Code::AlreadyExists | Code::FailedPrecondition | Code::Internal => {
            (ErrorKind::Internal, Retry::Never)
        }
    }
}

/// Classifies a gRPC status and its message, as [`classify_grpc`] does. If there is no delay and the message names a size
/// limit, the kind is [`ErrorKind::TooLarge`] for the codes that servers use for sizes. FAILED_PRECONDITION with a message
/// that names [`HOPS_HEADER`](crate::HOPS_HEADER) is [`ErrorKind::Loop`].
///
/// ```
/// use otlp_protocol::{Code, ErrorKind, Retry, classify_grpc_refusal};
///
/// let text = "grpc: received message larger than max (5000000 vs. 4194304)";
/// let too_large = (ErrorKind::TooLarge, Retry::Never);
/// assert_eq!(classify_grpc_refusal(Code::ResourceExhausted, None, text), too_large);
/// assert_ne!(classify_grpc_refusal(Code::Unauthenticated, None, text), too_large);
/// ```
pub fn classify_grpc_refusal(code: Code, delay: Option<Duration>, message: &str) -> (ErrorKind, Retry) {
    if delay.is_none() && size::grpc(code, message) {
        return (ErrorKind::TooLarge, Retry::Never);
    }
    if code == Code::FailedPrecondition && message.contains(HOPS_HEADER) {
        return (ErrorKind::Loop, Retry::Never);
    }
    classify_grpc(code, delay)
}

/// Classifies an HTTP status and its message, as [`classify_http`] does. 400, 422 and 500 with a message that names a size
/// limit are [`ErrorKind::TooLarge`].
pub fn classify_http_refusal(status: u16, delay: Option<Duration>, message: &str) -> (ErrorKind, Retry) {
    if size::http(status, message) {
        return (ErrorKind::TooLarge, Retry::Never);
    }
    classify_http(status, delay)
}

/// Classifies an HTTP status by the retry table of OTLP/HTTP: 429, 502, 503 and 504 are retryable. `delay` is the value of
/// `Retry-After`, if present.
pub fn classify_http(status: u16, delay: Option<Duration>) -> (ErrorKind, Retry) {
    let retryable = match delay {
        Some(delay) if !delay.is_zero() => Retry::After(delay),
        _ => Retry::Backoff,
    };
    match status {
        429 => (ErrorKind::Exhausted, retryable),
        502 | 503 => (ErrorKind::Unavailable, retryable),
        504 => (ErrorKind::Timeout, retryable),
        400 | 422 => (ErrorKind::InvalidData, Retry::Never),
        // 407 comes from a proxy on the way.
        401 | 407 => (ErrorKind::Unauthenticated, Retry::Never),
        403 => (ErrorKind::PermissionDenied, Retry::Never),
        404 | 405 | 501 => (ErrorKind::Unimplemented, Retry::Never),
        413 => (ErrorKind::TooLarge, Retry::Never),
        415 => (ErrorKind::UnsupportedMediaType, Retry::Never),
        508 => (ErrorKind::Loop, Retry::Never),
        _ => (ErrorKind::Internal, Retry::Never),
    }
}

/// Returns the gRPC code for a server's answer. Retryable errors are UNAVAILABLE, except cancelled calls and timeouts.
pub fn grpc_code(kind: ErrorKind, retry: Retry) -> Code {
    match (kind, retry) {
        (ErrorKind::Cancelled, Retry::Backoff) => Code::Cancelled,
        (ErrorKind::Timeout, Retry::Backoff) => Code::DeadlineExceeded,
        (_, Retry::Backoff | Retry::After(_)) => Code::Unavailable,
        (ErrorKind::InvalidData, Retry::Never) => Code::InvalidArgument,
        (ErrorKind::Loop, Retry::Never) => Code::FailedPrecondition,
        (ErrorKind::PermissionDenied, Retry::Never) => Code::PermissionDenied,
        (ErrorKind::Exhausted | ErrorKind::TooLarge, Retry::Never) => Code::ResourceExhausted,
        (ErrorKind::Unauthenticated, Retry::Never) => Code::Unauthenticated,
        (
            ErrorKind::Unimplemented | ErrorKind::UnsupportedMediaType | ErrorKind::UnsupportedEncoding,
            Retry::Never,
        ) => Code::Unimplemented,
        (
            ErrorKind::Cancelled | ErrorKind::Internal | ErrorKind::Timeout | ErrorKind::Unavailable,
            Retry::Never,
        ) => Code::Internal,
    }
}

/// Returns the HTTP status for a server's answer. Retryable errors are 429 or 503.
pub fn http_status(kind: ErrorKind, retry: Retry) -> u16 {
    match (kind, retry) {
        (ErrorKind::Exhausted, Retry::Backoff | Retry::After(_)) => 429,
        (_, Retry::Backoff | Retry::After(_)) => 503,
        (ErrorKind::InvalidData, Retry::Never) => 400,
        (ErrorKind::Unauthenticated, Retry::Never) => 401,
        (ErrorKind::PermissionDenied, Retry::Never) => 403,
        (ErrorKind::Unimplemented, Retry::Never) => 404,
        (ErrorKind::TooLarge, Retry::Never) => 413,
        (ErrorKind::UnsupportedMediaType | ErrorKind::UnsupportedEncoding, Retry::Never) => 415,
        // RFC 5842 §7.2.
        (ErrorKind::Loop, Retry::Never) => 508,
        // A final RESOURCE_EXHAUSTED must not become a 429, which OTLP clients retry.
        (
            ErrorKind::Cancelled
            | ErrorKind::Exhausted
            | ErrorKind::Internal
            | ErrorKind::Timeout
            | ErrorKind::Unavailable,
            Retry::Never,
        ) => 500,
    }
}

/// Returns the gRPC code for an HTTP status without `grpc-status` (gRPC's HTTP mapping).
pub fn http_to_grpc(status: u16) -> Code {
    match status {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

/// Parses `Retry-After`: whole seconds, or an HTTP date, which is converted into the time from `now`. A date in the past is
/// zero. `None` for other texts and for more than 10,000 years.
pub fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = value.parse().ok().filter(|&seconds| seconds <= MAX_DURATION_SECS);
        return seconds.map(Duration::from_secs);
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

impl ErrorKind {
    /// True if the reason of the error can be the content or the size of the request, so that parts of the request may be
    /// accepted. Errors of credentials, URL, method or encoding concern every request.
    pub fn may_be_about_content(self) -> bool {
        matches!(self, Self::InvalidData | Self::TooLarge | Self::Exhausted | Self::Internal)
    }
}

impl Retry {
    /// True if the same request may be sent again.
    pub fn is_retryable(self) -> bool {
        self != Self::Never
    }
}

/// The largest `google.protobuf.Duration`, 10,000 years. Adding it to a point in time cannot overflow.
const MAX_DURATION_SECS: u64 = 315_576_000_000;

#[cfg(test)]
mod tests;
