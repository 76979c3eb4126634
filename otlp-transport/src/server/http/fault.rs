//! Faults of an HTTP/1.1 request's head: RFC 9112 §3.2, §6.

use http::header::{HOST, TRANSFER_ENCODING};
use http::{HeaderMap, StatusCode, Version};
use otlp_protocol::ErrorKind;

/// Reason to refuse a request for its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Fault {
    /// Both Content-Length and Transfer-Encoding, which contradict each other.
    TwoLengths,
    /// A transfer coding other than `chunked`.
    TransferCoding,
    /// Not exactly one Host header.
    Host,
}

// === impl Fault ===

impl Fault {
    /// Returns the fault of a request. `may_have_two_lengths`: the engine may have hidden a Content-Length beside the
    /// Transfer-Encoding.
    pub(in crate::server) fn of(
        version: Version,
        headers: &HeaderMap,
        may_have_two_lengths: bool,
    ) -> Option<Self> {
        let mut codings = headers.get_all(TRANSFER_ENCODING).into_iter();
        if let Some(coding) = codings.next() {
            if may_have_two_lengths {
                return Some(Self::TwoLengths);
            }
            if codings.next().is_some() || !coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return Some(Self::TransferCoding);
            }
        }
        let mut hosts = headers.get_all(HOST).into_iter();
        let may_be_without = version != Version::HTTP_11;
        match (hosts.next(), hosts.next()) {
            (_, Some(_)) => Some(Self::Host),
            (None, _) if !may_be_without => Some(Self::Host),
            _ => None,
        }
    }

    /// Returns the kind that the refusal counts as.
    pub(super) fn kind(self) -> ErrorKind {
        match self {
            Self::TwoLengths | Self::Host => ErrorKind::InvalidData,
            Self::TransferCoding => ErrorKind::Unimplemented,
        }
    }

    /// Returns the answer's status.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::TwoLengths | Self::Host => StatusCode::BAD_REQUEST,
            Self::TransferCoding => StatusCode::NOT_IMPLEMENTED,
        }
    }

    /// Returns a text that says what is wrong and what to do.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::TwoLengths => "a request has Content-Length or Transfer-Encoding, not both",
            Self::TransferCoding => {
                "Transfer-Encoding other than chunked is not implemented: compress with Content-Encoding"
            }
            Self::Host => "an HTTP/1.1 request has exactly one Host header",
        }
    }
}
