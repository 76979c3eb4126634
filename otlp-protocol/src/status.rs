//! Errors as OTLP tells them: the two retry tables, `google.rpc.Status`, and both directions between them.
//!
//! Retryability is decided here, once, from the specification's tables (OTLP §Failures, §Failures-1); servers answer
//! with the inverse tables.

mod rpc;
mod size;

pub use rpc::{FieldViolation, RpcStatus};

use crate::{Code, HOPS_HEADER};
use std::time::{Duration, SystemTime};

/// What went wrong, in the terms an operator thinks in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The sender went away, or the call was cancelled.
    Cancelled,
    /// There is a bug or a misunderstanding; see the message.
    Internal,
    /// The data is not OTLP.
    InvalidData,
    /// The request has been at this receiver before: exporters send it in a circle.
    Loop,
    /// The credentials are good but not for this.
    PermissionDenied,
    /// A resource is used up: a quota, or memory.
    Exhausted,
    /// The deadline passed.
    Timeout,
    /// The message is over a size limit.
    TooLarge,
    /// Credentials are missing or wrong.
    Unauthenticated,
    /// The peer is unreachable or overloaded.
    Unavailable,
    /// The peer does not serve this signal or method.
    Unimplemented,
    /// The content type is not one the peer reads.
    UnsupportedMediaType,
    /// The content encoding is not one the peer reads.
    UnsupportedEncoding,
}

/// Whether the same bytes may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Never: the answer would be the same.
    Never,
    /// Yes, after a backoff of the sender's choice.
    Backoff,
    /// Yes, but not before this long.
    After(Duration),
}

/// Reads a gRPC status as a client must: the OTLP/gRPC retry table. `delay` is the status' `RetryInfo`, if it had one.
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

/// Reads a gRPC status with its text: as [`classify_grpc`], but a refusal whose text names a size limit, without a delay,
/// is [`ErrorKind::TooLarge`] under the codes that servers use for it, and a FAILED_PRECONDITION that names
/// [`HOPS_HEADER`](crate::HOPS_HEADER) is [`ErrorKind::Loop`].
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

/// Reads an HTTP status with its text: as [`classify_http`], but a 400, 422 or 500 whose text names a size limit is
/// [`ErrorKind::TooLarge`].
pub fn classify_http_refusal(status: u16, delay: Option<Duration>, message: &str) -> (ErrorKind, Retry) {
    if size::http(status, message) {
        return (ErrorKind::TooLarge, Retry::Never);
    }
    classify_http(status, delay)
}

/// Reads an HTTP status as a client must: 429, 502, 503 and 504 are retryable, nothing else is. `delay` is
/// `Retry-After`, if given.
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

/// The gRPC code a server answers with. What may be sent again is UNAVAILABLE, whatever its kind.
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

/// The HTTP status a server answers with. What may be sent again is 429 or 503.
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

/// The gRPC code that an HTTP status without `grpc-status` stands for (gRPC's HTTP mapping).
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

/// Reads `Retry-After`: whole seconds or an HTTP date, which is taken relative to `now`. `None` if it is neither, or
/// over 10,000 years; a date in the past is zero.
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
    /// Whether a final refusal of this kind can be about what the request holds or how much, so that parts of the request
    /// may fare better. What is wrong with credentials, URL, method or encoding is wrong with every request.
    pub fn may_be_about_content(self) -> bool {
        matches!(self, Self::InvalidData | Self::TooLarge | Self::Exhausted | Self::Internal)
    }
}

impl Retry {
    /// Whether the same bytes may be sent again.
    pub fn is_retryable(self) -> bool {
        self != Self::Never
    }
}

/// `google.protobuf.Duration` ends at 10,000 years; adding no more than that to a point in time cannot overflow.
const MAX_DURATION_SECS: u64 = 315_576_000_000;

#[cfg(test)]
mod tests;
