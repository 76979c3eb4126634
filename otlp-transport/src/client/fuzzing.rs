//! Parsing of answers, for the fuzz targets.

use super::attempt::Answer;
use super::stats::ClientStats;
use super::{grpc, http};
use crate::ExportResult;
use ::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use otlp_protocol::BufferPool;
use std::time::UNIX_EPOCH;

/// Reads a gRPC answer with these headers and without trailers.
pub fn grpc_answer(headers: HeaderMap, body: Bytes) -> ExportResult {
    let answer = Answer { status: StatusCode::OK, headers, body, fault: None, trailers: None };
    grpc::outcome(answer, "http://localhost:4317", 1 << 16, &BufferPool::new(1), &ClientStats::default())
}

/// Reads an HTTP answer.
pub fn http_answer(status: u16, headers: HeaderMap, body: Bytes) -> ExportResult {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
    let answer = Answer { status, headers, body, fault: None, trailers: None };
    http::outcome(&answer, "http://localhost/v1/logs", UNIX_EPOCH, &ClientStats::default())
}
