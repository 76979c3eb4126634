//! Parsing of request headers, for the fuzz targets.

use super::http::cors::Cors;
use super::{body, grpc};
use crate::CorsConfig;
use http::HeaderMap;
use std::time::Duration;

/// Parses `grpc-timeout`.
pub fn grpc_timeout(value: &[u8]) -> Option<Duration> {
    grpc::timeout(value)
}

/// Returns whether the content type is supported gRPC, and whether it is gRPC at all.
pub fn is_grpc(headers: &HeaderMap) -> (bool, bool) {
    (body::is_grpc(headers), body::is_any_grpc(headers))
}

/// True if a page may send whose browser asks with these headers, and `pattern` is an allowed origin.
pub fn is_allowed_origin(pattern: &str, headers: &HeaderMap) -> bool {
    let config = CorsConfig { allowed_origins: vec![pattern.to_owned()], ..CorsConfig::default() };
    let cors = Cors::new(&config);
    cors.preflight(headers);
    cors.origin(headers).is_some()
}
