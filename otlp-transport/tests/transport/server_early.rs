//! Answers that come before the whole request: they reach clients that read nothing before they have sent everything.

use crate::harness::{Capture, Http1Peer, connect, context, fixture, framed, serve, serve_with};
use otlp_transport::{GrpcTransportStrategy, HttpTransportStrategy, ServerStrategy};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A frame of HTTP/2.
pub(crate) fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&len[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

/// The frames of `bytes`, by type, flags and stream.
pub(crate) fn frames(mut bytes: &[u8]) -> Vec<(u8, u8, u8)> {
    let mut frames = Vec::new();
    while let [a, b, c, kind, flags, _, _, _, stream, rest @ ..] = bytes {
        let len = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        let Some(rest) = rest.get(len..) else { break };
        frames.push((*kind, *flags, *stream));
        bytes = rest;
    }
    frames
}

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

#[tokio::test]
async fn a_body_is_sent_whole_before_the_refusal_is_read() {
    let server = serve_with(&HttpTransportStrategy, &Capture::accepting(), &context(), |limits| {
        limits.max_request_bytes = 8 << 20;
    })
    .await;
    let protobuf = "content-type: application/x-protobuf\r\n";
    for (path, headers, len, status) in [
        ("/v1/nothing", protobuf.to_owned(), 200 << 10, 404),
        ("/v1/nothing", protobuf.to_owned(), 4 << 20, 404),
        ("/v1/logs", "content-type: text/plain\r\n".into(), 4 << 20, 415),
        ("/v1/logs", format!("{protobuf}content-encoding: rot13\r\n"), 4 << 20, 415),
        ("/v1/logs", protobuf.to_owned(), 9 << 20, 413),
    ] {
        let mut peer = Http1Peer::connect(server.local_addr()).await;
        peer.write(format!("POST {path} HTTP/1.1\r\nhost: a\r\n{headers}content-length: {len}\r\n\r\n"))
            .await;
        // Slower than the refusal.
        tokio::time::sleep(Duration::from_millis(20)).await;
        peer.write(vec![0; len]).await;
        let reply = peer.answer().await.unwrap_or_else(|| panic!("{path} {headers} {len}: no answer"));
        assert_eq!(reply.status, status, "{path} {headers} {len}");
        if len <= 256 << 10 {
            peer.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
            assert_eq!(peer.answer().await.unwrap().status, 404, "the connection goes on");
        } else {
            assert!(peer.rest().await.is_empty());
        }
    }
}

#[tokio::test]
async fn a_refused_stream_ends_without_a_reset() {
    let strategies: [&dyn ServerStrategy; 2] = [&GrpcTransportStrategy, &HttpTransportStrategy];
    for strategy in strategies {
        let server = serve(strategy, &Capture::accepting()).await;
        let mut io = connect(server.local_addr()).await;
        // POST / over http.
        let head = frame(HEADERS, END_HEADERS, 1, &[0x83, 0x86, 0x84]);
        io.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[]), &head].concat()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let body = frame(DATA, END_STREAM, 1, &[0; 10_000]);
        io.write_all(&body).await.unwrap();
        let mut answer = Vec::new();
        let is_ended = |answer: &[u8]| {
            frames(answer).iter().any(|(_, flags, stream)| *stream == 1 && flags & END_STREAM != 0)
        };
        while !is_ended(&answer) {
            assert!(io.read_buf(&mut answer).await.unwrap() > 0, "{answer:?}");
        }
        io.write_all(&frame(PING, 0, 0, &[7; 8])).await.unwrap();
        while !frames(&answer).iter().any(|(kind, flags, _)| (*kind, *flags) == (PING, 1)) {
            assert!(io.read_buf(&mut answer).await.unwrap() > 0, "{answer:?}");
        }
        let resets = frames(&answer).iter().filter(|(kind, ..)| *kind == RST_STREAM).count();
        assert_eq!(resets, 0, "{}: {answer:?}", strategy.name());
    }
}

#[tokio::test]
async fn a_peer_that_has_sent_all_is_answered() {
    let permits = Arc::new(tokio::sync::Semaphore::new(0));
    let released = Arc::clone(&permits);
    let capture = Capture::with(move |_| {
        let permits = Arc::clone(&permits);
        Box::pin(async move {
            permits.acquire().await.unwrap().forget();
            Ok(otlp_protocol::Accepted::FULL)
        })
    });
    let server = serve(&HttpTransportStrategy, &capture).await;
    let body = fixture("valid/logs_min.pb");
    let mut io = connect(server.local_addr()).await;
    let head = format!(
        "POST /v1/logs HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    io.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
    io.shutdown().await.unwrap();
    while capture.taken() == 0 {
        tokio::task::yield_now().await;
    }
    released.add_permits(1);
    let mut answer = Vec::new();
    io.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn heads_that_http_forbids_are_refused() {
    let server = serve(&HttpTransportStrategy, &Capture::accepting()).await;
    let head = "content-type: application/x-protobuf\r\n";
    for (version, headers, body, status) in [
        ("1.1", "", "", 400),
        ("1.1", "host: a\r\nhost: a\r\n", "", 400),
        ("1.1", "host: \r\n", "", 200),
        ("1.0", "", "", 200),
        ("1.0", "host: a\r\nhost: b\r\n", "", 400),
        ("1.1", "host: a\r\ntransfer-encoding: gzip, chunked\r\n", "0\r\n\r\n", 501),
        ("1.1", "host: a\r\ntransfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n", 501),
        ("1.1", "host: a\r\ntransfer-encoding: gzip\r\n", "", 400),
        ("1.1", "host: a\r\ntransfer-encoding: Chunked\r\n", "0\r\n\r\n", 200),
        ("1.1", "host: a\r\ncontent-length: 0\r\ncontent-length: 0\r\n", "", 200),
        ("1.1", "host: a\r\ncontent-length: 0\r\ncontent-length: 1\r\n", "", 400),
        ("1.1", "host: a\r\ncontent-type: application/json\r\n", "", 415),
        ("1.1", "host: a\r\ncontent-type: application/x-protobuf\r\n", "", 200),
    ] {
        let mut peer = Http1Peer::connect(server.local_addr()).await;
        peer.write(format!("POST /v1/logs HTTP/{version}\r\n{head}{headers}\r\n{body}")).await;
        let reply = peer.answer().await.unwrap_or_else(|| panic!("{version} {headers}: no answer"));
        assert_eq!(reply.status, status, "{version} {headers}: {reply:?}");
    }
}

#[tokio::test]
async fn two_lengths_are_refused_in_a_pipelined_request() {
    let server = serve(&HttpTransportStrategy, &Capture::accepting()).await;
    let mut peer = Http1Peer::connect(server.local_addr()).await;
    let head = "POST /v1/logs HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\n";
    let plain = format!("{head}content-length: 0\r\n\r\n");
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n0\r\n\r\n");
    let both = format!("{head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n");
    // Empty lines before a request belong to none. RFC 9112 §2.2.
    peer.write(["\r\n\n", &plain, &chunked, "\r\n", &both].concat()).await;
    for status in [200, 200, 400] {
        assert_eq!(peer.answer().await.unwrap().status, status);
    }
    assert!(peer.rest().await.is_empty());
}

#[tokio::test]
async fn content_encodings_are_read_from_all_their_lines() {
    let body = framed(false, b"");
    let gzip = otlp_transport::codec("x-gzip").unwrap();
    let gzip = gzip.compressor().unwrap().compress(&Vec::new().into(), &context().buffers).unwrap();
    let server = serve(&HttpTransportStrategy, &Capture::accepting()).await;
    for (encodings, body, status) in [
        (&["identity", "gzip"][..], &gzip, 200),
        (&["gzip", ""], &gzip, 200),
        (&["identity, gzip"], &gzip, 200),
        (&["X-GZIP"], &gzip, 200),
        (&["identity,identity"], &body, 400),
        (&["gzip", "gzip"], &gzip, 415),
        (&["zstd, gzip"], &gzip, 415),
        (&["identity", "rot13"], &body, 415),
    ] {
        let mut headers = vec![("content-type", "application/x-protobuf")];
        headers.extend(encodings.iter().map(|encoding| ("content-encoding", *encoding)));
        let mut peer = Http1Peer::connect(server.local_addr()).await;
        assert_eq!(peer.post("/v1/logs", &headers, body).await.status, status, "{encodings:?}");
    }
    assert_eq!(server.stats().refused_unsupported.load(Ordering::Relaxed), 3);
}
