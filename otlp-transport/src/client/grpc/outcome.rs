//! What a gRPC server's answer means.

use super::GRPC_ENCODING;
use crate::client::answer::{Answer, BodyFault};
use crate::client::encoding::{decode_answer, internal};
use crate::client::excerpt::excerpt;
use crate::client::stats::ClientStats;
use crate::{ExportError, ExportResult};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::{Buf, Bytes};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, StatusCode};
use otlp_protocol::{Accepted, BufferPool, Code, FRAME_HEADER_LEN, FrameReader, RpcStatus, http_to_grpc};
use percent_encoding::percent_decode;

/// Reads an answer of `url`, which messages name: of at most `max_bytes`, inflated. Its status is in the trailers, or in the
/// headers if there is
/// nothing else (Trailers-Only). OK is success, also if the message cannot be read: the server has taken the request.
pub(in crate::client) fn read(
    answer: Answer,
    url: &str,
    max_bytes: usize,
    buffers: &BufferPool,
    stats: &ClientStats,
) -> ExportResult {
    let Answer { status: http_status, headers, body, fault, trailers } = answer;
    let with_status =
        trailers.as_ref().filter(|trailers| trailers.contains_key(&GRPC_STATUS)).unwrap_or(&headers);
    if let Some(fault) = &fault {
        fault.count(stats);
    }
    let Some(status) = with_status.get(&GRPC_STATUS) else {
        return Err(match fault {
            None => without_status(http_status, url, &headers, &body),
            Some(fault) => internal("reading the answer up to its grpc-status", fault),
        });
    };
    // What is not a code of gRPC's is read as UNKNOWN.
    let number = status.to_str().ok().and_then(|status| status.parse().ok());
    match number.and_then(Code::from_number).unwrap_or(Code::Unknown) {
        Code::Ok if fault.is_some() => Ok(Accepted::FULL),
        Code::Ok => Ok(accepted(&headers, body, max_bytes, buffers).unwrap_or_else(|fault| {
            fault.count(stats);
            Accepted::FULL
        })),
        code => Err(failed(code, with_status)),
    }
}

fn accepted(
    headers: &HeaderMap,
    mut body: Bytes,
    max_bytes: usize,
    buffers: &BufferPool,
) -> Result<Accepted, BodyFault> {
    // OK without a message: odd, but the server has taken the request.
    if body.is_empty() {
        return Ok(Accepted::FULL);
    }
    let mut frame = FrameReader::new(max_bytes);
    let header = frame
        .push(&body)
        .and_then(|()| frame.finish())
        .map_err(|error| BodyFault::Undecodable(error.into()))?;
    body.advance(FRAME_HEADER_LEN);
    if header.compressed {
        let encoding = headers.get(&GRPC_ENCODING).and_then(|encoding| encoding.to_str().ok());
        body = decode_answer(encoding, body, max_bytes, buffers)?;
    }
    Accepted::decode(&body).map_err(|error| BodyFault::Undecodable(error.into()))
}

fn failed(code: Code, headers: &HeaderMap) -> ExportError {
    let details = headers.get(&GRPC_STATUS_DETAILS).and_then(|details| status_details(details.as_bytes()));
    let RpcStatus { message: detailed, retry_delay, violations, .. } = details.unwrap_or_default();
    let given =
        headers.get(&GRPC_MESSAGE).map(|message| percent_decode(message.as_bytes()).decode_utf8_lossy());
    let message = match given {
        Some(given) if !given.is_empty() => given.into_owned(),
        _ if !detailed.is_empty() => detailed,
        _ => format!("the server answered {code:?}"),
    };
    let error = ExportError::from_grpc(code, message, retry_delay);
    violations.into_iter().fold(error, ExportError::with_violation)
}

/// `grpc-status-details-bin`: padded or not. What does not parse is ignored: the code counts.
fn status_details(base64: &[u8]) -> Option<RpcStatus> {
    if base64.len() > MAX_DETAILS_BYTES {
        return None;
    }
    RpcStatus::decode(&BASE64.decode(base64).ok()?).ok()
}

fn without_status(status: StatusCode, url: &str, headers: &HeaderMap, body: &[u8]) -> ExportError {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("no content type");
    let said = match kind.split(';').next().unwrap_or_default().trim() {
        "application/x-protobuf" => RpcStatus::decode(body).map(|status| status.message).unwrap_or_default(),
        text if text.starts_with("text/") || text == "application/json" => excerpt(body),
        _ => String::new(),
    };
    let said = if said.is_empty() { said } else { format!("; the answer: {}", excerpt(said.as_bytes())) };
    let message = format!(
        "HTTP {} from {url} with {kind} and without grpc-status: the server, or a proxy before it, does not speak gRPC \
         here; OTLP/HTTP has another port (4318) and exporter (otlp_http){said}",
        status.as_u16()
    );
    ExportError::from_grpc(http_to_grpc(status.as_u16()), message, None)
}

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_STATUS_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
/// In base64. gRPC servers keep trailers under 8 KiB.
const MAX_DETAILS_BYTES: usize = 8 << 10;
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
