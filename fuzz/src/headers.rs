//! Headers of requests and answers, as strangers may write them.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use otlp_transport::fuzzing::{
    authenticate, grpc_answer, grpc_timeout, http_answer, is_allowed_origin, is_grpc,
};
use std::time::Duration;

/// Any headers are read without a panic, and nobody is known, allowed or served by accident.
pub fn headers(data: &[u8]) {
    let Some((&[choice, status], data)) = data.split_first_chunk() else { return };
    let headers = read(data);
    known(&headers);
    let (is_served, is_any) = is_grpc(&headers);
    assert!(is_any || !is_served);
    if let Some(timeout) = headers.get("grpc-timeout").and_then(|value| grpc_timeout(value.as_bytes())) {
        assert!(timeout <= Duration::from_secs(99_999_999 * 3600));
    }
    origins(&headers, PATTERNS[usize::from(choice) % PATTERNS.len()]);
    let body = Bytes::copy_from_slice(&data[..data.len().min(64)]);
    let status = 100 + u16::from(status) * 2;
    // What an answer is told to the log and to senders, who must not be flooded.
    for answer in [grpc_answer(headers.clone(), body.clone()), http_answer(status, headers, body)] {
        if let Err(error) = answer {
            assert!(error.message().len() <= 4 * data.len() + 400, "{}", error.message());
        }
    }
}

/// Only those who show the one password or the one token are known.
fn known(headers: &HeaderMap) {
    let [basic, bearer] = authenticate(headers);
    let mut shown = headers.get_all("authorization").iter();
    let (first, second) = (shown.next(), shown.next());
    let shown = first.map(HeaderValue::as_bytes).unwrap_or_default();
    let after = |scheme: &str| match shown.split_at_checked(scheme.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(scheme.as_bytes()) => rest.trim_ascii(),
        _ => b"",
    };
    assert_eq!(basic.is_some(), second.is_none() && after("Basic ") == b"dXNlcjpwYXNzd29yZA==");
    assert_eq!(bearer.is_some(), second.is_none() && after("Bearer ") == b"token");
}

/// A page may send only if its origin begins and ends as the pattern does.
fn origins(headers: &HeaderMap, pattern: &str) {
    if !is_allowed_origin(pattern, headers) {
        return;
    }
    let origin = headers.get("origin").expect("without an origin nothing is allowed");
    let origin = origin.to_str().expect("an origin is a text").to_ascii_lowercase();
    match pattern.split_once('*') {
        Some((start, end)) => {
            assert!(origin.starts_with(start) && origin.ends_with(end), "{origin}");
            assert!(origin.len() >= start.len() + end.len(), "{origin}");
        }
        None => assert_eq!(origin, pattern),
    }
}

/// Names by a byte each, then the length of the value, then the value. Some values are those that are right, which chance
/// would not come upon.
fn read(mut data: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    while let Some((&[name, len], rest)) = data.split_first_chunk() {
        let (value, rest) = rest.split_at(usize::from(len & 0x7f).min(rest.len()));
        data = rest;
        let name = HeaderName::from_static(NAMES[usize::from(name) % NAMES.len()]);
        let value = match len & 0x80 {
            0 => value.to_vec(),
            _ => {
                let right = RIGHT[value.first().map_or(0, |first| usize::from(*first)) % RIGHT.len()];
                [right.as_bytes(), value.get(1..).unwrap_or_default()].concat()
            }
        };
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            headers.append(name, value);
        }
    }
    headers
}

const NAMES: [&str; 14] = [
    "authorization",
    "content-type",
    "content-encoding",
    "grpc-timeout",
    "grpc-status",
    "grpc-message",
    "grpc-status-details-bin",
    "grpc-encoding",
    "retry-after",
    "location",
    "origin",
    "access-control-request-method",
    "access-control-request-headers",
    "x-api-key",
];
const RIGHT: [&str; 14] = [
    "Basic dXNlcjpwYXNzd29yZA==",
    "Bearer token",
    "basic ",
    "application/grpc",
    "application/grpc+proto; a=b",
    "application/json",
    "99999999H",
    "14",
    "%C3%A9%",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "120",
    "https://app.example.com",
    "POST",
    "CAgSBXNvcnJ5",
];
const PATTERNS: [&str; 4] =
    ["https://app.example.com", "https://*.example.com", "http://localhost:*", "https://*app"];
