//! What a body is written in.

use crate::ExportError;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use otlp_protocol::{ErrorKind, Retry};

/// What a body is written in: OTLP §Binary Protobuf Encoding, §JSON Protobuf Encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    Protobuf,
    Json,
}

// === impl MediaType ===

impl MediaType {
    /// What `content-type` says, in any case, perhaps with parameters.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ExportError> {
        let named = named(headers);
        [Self::Protobuf, Self::Json]
            .into_iter()
            .find(|media_type| named.eq_ignore_ascii_case(media_type.name().as_bytes()))
            .ok_or_else(|| {
                let found = String::from_utf8_lossy(named);
                let [protobuf, json] = [Self::Protobuf, Self::Json].map(Self::name);
                let message = format!("content-type {found:?} is not served: send {protobuf} or {json}");
                ExportError::new(ErrorKind::UnsupportedMediaType, Retry::Never, message)
            })
    }

    /// What an answer to such a request is written in: the same, if that is known. OTLP §Failures-1.
    pub(super) fn of_answer(headers: &HeaderMap) -> Self {
        Self::of(headers).unwrap_or(Self::Protobuf)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// Whether it is gRPC, as far as protobuf is in it: `application/grpc`, perhaps with the name of protobuf, perhaps with
/// parameters.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    only_value(headers) == GRPC
        || [GRPC, b"application/grpc+proto"]
            .iter()
            .any(|accepted| named(headers).eq_ignore_ascii_case(accepted))
}

/// Whether it is gRPC of any kind, served or not.
pub(super) fn is_any_grpc(headers: &HeaderMap) -> bool {
    only_value(headers) == GRPC
        || named(headers).get(..GRPC.len()).is_some_and(|start| start.eq_ignore_ascii_case(GRPC))
}

/// The media type that `content-type` names, without its parameters; empty if there is none.
fn named(headers: &HeaderMap) -> &[u8] {
    only_value(headers).split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii()
}

/// The value of `content-type`, which must not be repeated with another value; empty if there is none.
fn only_value(headers: &HeaderMap) -> &[u8] {
    let mut values = headers.get_all(CONTENT_TYPE).into_iter();
    let Some(first) = values.next() else { return b"" };
    if values.all(|other| other == first) { first.as_bytes() } else { b"" }
}

const GRPC: &[u8] = b"application/grpc";

#[cfg(test)]
mod tests;
