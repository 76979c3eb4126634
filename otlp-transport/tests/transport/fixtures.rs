//! The vectors of otlp-protocol's `tests/fixtures`, over sockets: the same verdict over gRPC and HTTP, on a port of their
//! own, on a shared one and on a Unix socket; and what is accepted comes out byte for byte.

mod cases;

use crate::harness::engines::{Engine, Port, Served};
use crate::harness::{Capture, SocketPath, context, framed};
use cases::{Case, Verdict};
use http::HeaderMap;
use otlp_protocol::{Accepted, RpcStatus, Signal};
use otlp_transport::{InvalidUtf8, ServerConfig, TransportContext, accepted_encodings};
use std::sync::atomic::Ordering;

/// A server under test, and what it hands on.
struct Door {
    server: Served,
    capture: Capture,
    context: TransportContext,
    invalid_utf8: InvalidUtf8,
    repaired: u64,
}

// === impl Door ===

impl Door {
    async fn open(engine: Engine, port: Port, endpoint: &str, invalid_utf8: InvalidUtf8) -> Self {
        let (capture, context) = (Capture::accepting(), context());
        let mut config = ServerConfig::new(endpoint);
        config.invalid_utf8 = invalid_utf8;
        let server = engine.serve_config(port, &capture, &context, config).await;
        Self { server, capture, context, invalid_utf8, repaired: 0 }
    }

    /// Sends all cases in protobuf over gRPC.
    async fn grpc(&mut self, cases: &[Case]) {
        let peer = self.server.http2().await;
        for case in cases.iter().filter(|case| !case.is_json) {
            let encoding = case.encoding.as_deref().map(|encoding| ("grpc-encoding", encoding));
            let frames = vec![framed(case.encoding.is_some(), &case.wire)];
            let reply = peer.call(case.signal.grpc_path, encoding.as_slice(), frames).await;
            let verdict = self.check("gRPC", case);
            assert_eq!((reply.status, reply.code()), (200, verdict.grpc_code()), "{}: {reply:?}", case.name);
            assert_eq!(reply.has_trailers, verdict == Verdict::Accepted, "{}", case.name);
            match verdict {
                Verdict::Accepted => {
                    assert_eq!(reply.body[0], 0, "{}", case.name);
                    check_success(case, Accepted::decode(&reply.body[5..]).unwrap());
                }
                Verdict::Rejected => assert!(!reply.header("grpc-message").is_empty(), "{}", case.name),
                // OTLP §Failures: no RetryInfo, so that it is not sent again.
                Verdict::TooLarge => assert!(!reply.headers.contains_key("grpc-status-details-bin")),
                Verdict::Unsupported => {
                    assert_eq!(reply.header("grpc-accept-encoding"), accepted_encodings())
                }
            }
        }
    }

    /// Sends all cases over HTTP/1.1.
    async fn http1(&mut self, cases: &[Case]) {
        for case in cases {
            let mut peer = self.server.http1().await;
            let reply = peer.post(case.signal.http_path, &headers(case), &case.wire).await;
            let headers = HeaderMap::from_iter([(
                http::header::CONTENT_TYPE,
                reply.header("content-type").parse().unwrap(),
            )]);
            let verdict = self.check("HTTP/1.1", case);
            check_reply(case, verdict, reply.status, &headers, &reply.body);
        }
    }

    /// Sends all cases over HTTP/2.
    async fn http2(&mut self, cases: &[Case]) {
        for case in cases {
            let peer = self.server.http2().await;
            let frames = vec![case.wire.clone()];
            let reply = peer.try_request("POST", case.signal.http_path, &headers(case), frames).await;
            let verdict = self.check("HTTP/2", case);
            // A refusal before all was sent may end the stream.
            if let Ok(reply) = reply {
                check_reply(case, verdict, reply.status, &reply.headers, &reply.body);
            } else {
                assert_ne!(verdict, Verdict::Accepted, "{}", case.name);
            }
        }
    }

    /// What was handed on is what went in, and nothing is held any more.
    fn check(&mut self, transport: &str, case: &Case) -> Verdict {
        let (verdict, expected, is_repaired) = case.expected(self.invalid_utf8);
        let taken: Vec<_> = self.capture.take().into_iter().map(|(signal, body, _)| (signal, body)).collect();
        assert!(taken == expected, "{transport}: {} did not come out as it went in", case.name);
        assert_eq!(self.context.budget.used(), 0, "{transport}: {} is held", case.name);
        self.repaired += u64::from(is_repaired);
        let repaired = self.server.stats().repaired_requests.load(Ordering::Relaxed);
        assert_eq!(repaired, self.repaired, "{transport}: {}", case.name);
        verdict
    }
}

fn headers(case: &Case) -> Vec<(&str, &str)> {
    let media_type = if case.is_json { "application/json" } else { "application/x-protobuf" };
    let mut headers = vec![("content-type", media_type)];
    headers.extend(case.encoding.as_deref().map(|encoding| ("content-encoding", encoding)));
    headers
}

/// The answer is written as the request was. OTLP §Full Success, §Failures-1.
fn check_reply(case: &Case, verdict: Verdict, status: u16, headers: &HeaderMap, body: &[u8]) {
    assert_eq!(status, verdict.http_status(), "{}: {body:?}", case.name);
    let media_type = if case.is_json { "application/json" } else { "application/x-protobuf" };
    assert_eq!(headers["content-type"], media_type, "{}", case.name);
    if verdict == Verdict::Accepted {
        let accepted =
            if case.is_json { Accepted::decode_json(body).unwrap() } else { Accepted::decode(body).unwrap() };
        check_success(case, accepted);
        return;
    }
    let told =
        if case.is_json { RpcStatus::decode_json(body).unwrap() } else { RpcStatus::decode(body).unwrap() };
    assert!(!told.message.is_empty(), "{}", case.name);
}

/// OTLP §Full Success, §Partial Success.
fn check_success(case: &Case, accepted: Accepted) {
    assert_eq!(accepted.rejected, case.rejected(), "{}", case.name);
    assert_eq!(accepted.message.is_empty(), accepted.rejected == 0, "{}: {accepted:?}", case.name);
}

const ANY_PORT: &str = "127.0.0.1:0";

on_each_engine!(
    grpc_gives_every_vector_its_verdict,
    http_gives_every_vector_its_verdict,
    one_port_gives_every_vector_its_verdict,
    a_refusal_names_the_field,
);

async fn grpc_gives_every_vector_its_verdict(engine: Engine) {
    for (cases, invalid_utf8) in [
        (Case::listed(), InvalidUtf8::Refuse),
        (Case::derived(), InvalidUtf8::Refuse),
        (Case::listed(), InvalidUtf8::Replace),
    ] {
        Door::open(engine, Port::Grpc, ANY_PORT, invalid_utf8).await.grpc(&cases).await;
    }
}

async fn http_gives_every_vector_its_verdict(engine: Engine) {
    for (cases, invalid_utf8) in [
        (Case::listed(), InvalidUtf8::Refuse),
        (Case::derived(), InvalidUtf8::Refuse),
        (Case::listed(), InvalidUtf8::Replace),
    ] {
        let mut door = Door::open(engine, Port::Http, ANY_PORT, invalid_utf8).await;
        door.http1(&cases).await;
        door.http2(&cases).await;
    }
}

async fn one_port_gives_every_vector_its_verdict(engine: Engine) {
    let cases = Case::listed();
    let mut door = Door::open(engine, Port::Both, ANY_PORT, InvalidUtf8::Refuse).await;
    door.grpc(&cases).await;
    door.http1(&cases).await;
    door.http2(&cases).await;
}

#[tokio::test]
async fn a_unix_socket_gives_every_vector_its_verdict() {
    let path = SocketPath::new("vectors");
    let cases = Case::listed();
    let mut door = Door::open(Engine::Hyper, Port::Both, &path.address(), InvalidUtf8::Refuse).await;
    door.grpc(&cases).await;
    door.http1(&cases).await;
    door.http2(&cases).await;
}

#[tokio::test]
async fn the_vectors_have_strings_to_put_right() {
    let repaired = |is_json: bool| {
        let cases = Case::listed();
        let of = cases.iter().filter(|case| case.is_json == is_json);
        of.filter(|case| case.expected(InvalidUtf8::Replace).2).count()
    };
    assert_eq!((repaired(false), repaired(true)), (11, 2));
}

async fn a_refusal_names_the_field(engine: Engine) {
    let capture = Capture::accepting();
    let server = engine.serve(Port::Grpc, &capture).await;
    let peer = server.http2().await;
    let body = framed(false, b"\x0a\x03\x18\x01\xff");
    let reply = peer.call(Signal::LOGS.grpc_path, &[], vec![body]).await;
    assert_eq!(reply.code(), 3);
    let details = reply.details();
    assert_eq!(details.violations[0].field, "resource_logs[0].schema_url");
    assert_eq!((details.code, details.retry_delay), (3, None));
    assert!(reply.header("grpc-message").contains("resource_logs[0].schema_url"), "{reply:?}");
}
