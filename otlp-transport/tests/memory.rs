//! What bodies really keep from being freed, against what is charged for them: over sizes, pieces, encodings and protocols.
//! A test program of its own, since it counts all that the process allocates.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share may panic like the tests themselves"
)]

#[path = "transport/harness.rs"]
#[expect(dead_code, reason = "shared with the other tests")]
mod harness;

use bytes::Bytes;
use cap::Cap;
use harness::{Http1Peer, Http2Peer, framed};
use otlp_protocol::{Accepted, Batch, BufferPool, Signal};
use otlp_transport::{
    BoxExport, Export, ExportResult, GrpcTransportStrategy, HttpTransportStrategy, Routes, Server,
    ServerConfig, ServerStrategy, TransportContext, codec,
};
use parking_lot::Mutex;
use std::alloc::System;
use std::sync::Arc;
use std::time::Duration;

#[global_allocator]
static ALLOCATED: Cap<System> = Cap::new(System, usize::MAX);

/// At most so many times of what is charged may be kept from being freed.
const FACTOR: usize = 2;
/// And so much for each request, beside its body.
const PER_REQUEST: usize = 1 << 10;
const REQUESTS: usize = 10;

/// A server whose batches are kept.
struct Kept {
    server: Server,
    context: TransportContext,
    sink: Sink,
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<Batch>>>);

impl Export for Sink {
    async fn export(&self, batch: Batch) -> ExportResult {
        self.0.lock().push(batch);
        Ok(Accepted::FULL)
    }
}

impl Kept {
    async fn serve(strategy: &dyn ServerStrategy) -> Self {
        let mut context = TransportContext::tcp(1 << 30);
        // Idle buffers would be taken for what batches kept.
        context.buffers = BufferPool::new(1);
        let sink = Sink::default();
        let routes = Routes::new().with(Signal::LOGS, BoxExport::new(sink.clone()));
        let config = ServerConfig::new("127.0.0.1:0");
        let server = strategy.bind(&context, config, routes).await.unwrap();
        Self { server, context, sink }
    }

    /// Checks what the batches kept from being freed, by letting go of them.
    async fn check(&self, shape: &str) {
        let charged = self.context.budget.used() as usize;
        let batches = std::mem::take(&mut *self.sink.0.lock());
        let count = batches.len();
        settle().await;
        let before = ALLOCATED.allocated();
        drop(batches);
        settle().await;
        let pinned = before.saturating_sub(ALLOCATED.allocated());
        assert_eq!(count, REQUESTS, "{shape}");
        assert!(
            pinned <= FACTOR * charged + PER_REQUEST * count,
            "{shape}: {pinned} pinned, {charged} charged"
        );
        assert_eq!(self.context.budget.used(), 0, "{shape}");
    }
}

async fn settle() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

/// A request with one log record, of `len` bytes and a few.
fn logs(len: usize) -> Bytes {
    let nested = |number: u8, inner: &[u8]| {
        let mut outer = vec![number << 3 | 2];
        let mut len = inner.len();
        while len >= 0x80 {
            outer.push(len as u8 | 0x80);
            len >>= 7;
        }
        outer.push(len as u8);
        outer.extend_from_slice(inner);
        outer
    };
    // Letters that hardly compress.
    let text: Vec<u8> = std::iter::repeat_with(|| fastrand::alphanumeric() as u8).take(len).collect();
    [1, 5, 2, 2, 1].into_iter().fold(text, |inner, number| nested(number, &inner)).into()
}

fn compressed(encoding: Option<&str>, plain: &Bytes) -> Bytes {
    let Some(encoding) = encoding else { return plain.clone() };
    let compressor = codec(encoding).unwrap().compressor().unwrap();
    Bytes::copy_from_slice(&compressor.compress(&plain.clone().into(), &BufferPool::new(1)).unwrap())
}

fn post(encoding: Option<&str>, body: &[u8]) -> Vec<u8> {
    let encoding = encoding.map_or(String::new(), |encoding| format!("content-encoding: {encoding}\r\n"));
    let head = format!(
        "POST /v1/logs HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\n{encoding}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn pieces(bytes: &Bytes, len: usize) -> Vec<Bytes> {
    bytes.chunks(len).map(|piece| bytes.slice_ref(piece)).collect()
}

const SIZES: [usize; 7] = [100, 4_200, 33_000, 60_000, 70_000, 100_000, 400_000];
const ENCODINGS: [Option<&str>; 3] = [None, Some("gzip"), Some("zstd")];
/// Large and malformed: it makes a connection's read buffer grow.
const JUNK: usize = 400_000;

/// On one connection: alone, in two writes, and each behind a large one that is refused, pipelined.
async fn http1(kept: &Kept, size: usize, encoding: Option<&str>, wire: &Bytes) {
    for shape in ["whole", "in two writes", "behind junk"] {
        let mut peer = Http1Peer::connect(kept.server.local_addr()).await;
        for _ in 0..REQUESTS {
            let request = post(encoding, wire);
            match shape {
                "whole" => peer.write(request).await,
                "in two writes" => {
                    let (head, tail) = request.split_at(request.len() - wire.len() / 3);
                    peer.write(head).await;
                    tokio::task::yield_now().await;
                    peer.write(tail).await;
                }
                _ => {
                    let junk = post(None, &vec![0xff; JUNK]);
                    let both = [junk, request].concat();
                    peer.write(both).await;
                    assert_eq!(peer.answer().await.unwrap().status, 400);
                }
            }
            assert_eq!(peer.answer().await.unwrap().status, 200);
        }
        kept.check(&format!("HTTP/1.1, {size} bytes, {encoding:?}, {shape}")).await;
    }
}

/// Of a gRPC call, and of an HTTP request on HTTP/2: in frames of several lengths, and each beside a large one that is
/// refused.
async fn http2(kept: &Kept, size: usize, encoding: Option<&str>, wire: &Bytes, is_grpc: bool) {
    for (len, has_junk) in [(50, false), (1_000, false), (16 << 10, false), (1 << 20, false), (1 << 20, true)]
    {
        if wire.len() / len > 100 {
            continue;
        }
        let peer = Http2Peer::connect(kept.server.local_addr()).await;
        for _ in 0..REQUESTS {
            let send = async |encoding: Option<&str>, wire: &Bytes| match is_grpc {
                true => {
                    let body = framed(encoding.is_some(), wire);
                    let headers = encoding.map(|encoding| ("grpc-encoding", encoding));
                    peer.call(Signal::LOGS.grpc_path, headers.as_slice(), pieces(&body, len)).await.code()
                        == 0
                }
                false => {
                    let mut headers = vec![("content-type", "application/x-protobuf")];
                    headers.extend(encoding.map(|encoding| ("content-encoding", encoding)));
                    let sent = peer.try_request("POST", "/v1/logs", &headers, pieces(wire, len));
                    sent.await.unwrap().status == 200
                }
            };
            if has_junk {
                assert!(!send(None, &vec![0xff; JUNK].into()).await);
            }
            assert!(send(encoding, wire).await);
        }
        let protocol = if is_grpc { "gRPC" } else { "HTTP/2" };
        let junk = if has_junk { ", behind junk" } else { "" };
        kept.check(&format!("{protocol}, {size} bytes, {encoding:?}, frames of {len}{junk}")).await;
    }
}

#[tokio::test]
async fn what_bodies_keep_from_being_freed_is_charged() {
    let http = Kept::serve(&HttpTransportStrategy).await;
    let grpc = Kept::serve(&GrpcTransportStrategy).await;
    for size in SIZES {
        for encoding in ENCODINGS {
            let wire = compressed(encoding, &logs(size));
            http1(&http, size, encoding, &wire).await;
            http2(&http, size, encoding, &wire, false).await;
            http2(&grpc, size, encoding, &wire, true).await;
        }
    }
}
