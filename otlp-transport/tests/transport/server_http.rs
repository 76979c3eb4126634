//! The HTTP server, request by request.

use crate::harness::engines::{Engine, Port};
use crate::harness::{Capture, Http1Peer, Http2Peer, context, fixture, serve, serve_config, serve_with};
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use otlp_protocol::{Accepted, ErrorKind, Retry, RpcStatus, Signal};
use otlp_transport::{
    CorsConfig, ExportError, HttpTransportStrategy, ServerConfig, ServerStrategy as _, TransportContext,
    codec,
};
use prost::Message as _;
use serde_json::Value;
use std::sync::atomic::Ordering;
use std::time::Duration;

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");

fn logs() -> Bytes {
    fixture("valid/logs_full.pb")
}

on_each_engine!(
    partial_success_is_told_in_the_body,
    failures_are_told_with_status_details_and_when_to_come_back,
    without_memory_the_sender_is_told_to_come_back,
    encodings_can_be_restricted,
    every_answer_gets_the_configured_headers,
);

/// A request by hand, for each case of the table; `None` for the one over HTTP/2.
fn request(case: &str) -> Option<Vec<u8>> {
    let post = |path: &str, headers: &str, body: &[u8]| {
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: a\r\n{headers}content-length: {}\r\n\r\n", body.len());
        Some([head.as_bytes(), body].concat())
    };
    let protobuf = "content-type: application/x-protobuf\r\n";
    let json = "content-type: application/json\r\n";
    let encoded = |encoding: &str| format!("{protobuf}content-encoding: {encoding}\r\n");
    let chunked = "transfer-encoding: chunked\r\n";
    let text = |text: String| Some(text.into_bytes());
    match case {
        "GET /v1/traces" => text("GET /v1/traces HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        "POST /v1/traces, no content-type" => post("/v1/traces", "", b""),
        "POST text/plain" => post("/v1/traces", "content-type: text/plain\r\n", b""),
        "POST 'application/x-protobuf; charset=utf-8'" => {
            post("/v1/traces", "content-type: Application/X-Protobuf ; charset=utf-8\r\n", b"")
        }
        "POST 'Application/JSON ; charset=UTF-8'" => {
            post("/v1/traces", "content-type: Application/JSON ; charset=UTF-8\r\n", b"{}")
        }
        "POST application/json, empty body" => post("/v1/traces", json, b""),
        "POST application/json, '{}'" => post("/v1/traces", json, b"{}"),
        "OPTIONS with Origin and CORS on" => text(
            "OPTIONS /v1/traces HTTP/1.1\r\nhost: a\r\norigin: https://page.example\r\n\
             access-control-request-method: POST\r\naccess-control-request-headers: content-type\r\n\r\n"
                .into(),
        ),
        "POST application/x-protobuf, empty body" => post("/v1/traces", protobuf, b""),
        "POST /v1/trace (typo)" => post("/v1/trace", protobuf, b""),
        "POST /v1/traces/ (slash)" => post("/v1/traces/", protobuf, b""),
        "POST /v1/traces?x=1" => post("/v1/traces?x=1", protobuf, b""),
        "POST with content-encoding: rot13" => post("/v1/traces", &encoded("rot13"), b""),
        "POST with content-encoding: identity or empty" => post("/v1/traces", &encoded("Identity"), b""),
        "POST content-length over the limit" => {
            text(format!("POST /v1/traces HTTP/1.1\r\nhost: a\r\n{protobuf}content-length: 100001\r\n\r\n"))
        }
        "POST chunked over the limit" => {
            let head = format!("POST /v1/logs HTTP/1.1\r\nhost: a\r\n{protobuf}{chunked}\r\n186a1\r\n");
            Some([head.as_bytes(), &[0; 100_001], b"\r\n0\r\n\r\n"].concat())
        }
        "POST gzip whose decoded size is over the limit" => {
            let gzip = codec("gzip").unwrap();
            let body =
                gzip.compressor().unwrap().compress(&vec![0; 100_001].into(), &context().buffers).unwrap();
            post("/v1/logs", &encoded("gzip"), &body)
        }
        "HTTP/1.1 Expect: 100-continue" => {
            post("/v1/traces", &format!("{protobuf}expect: 100-continue\r\n"), b"")
        }
        "both Content-Length and Transfer-Encoding" => text(format!(
            "POST /v1/traces HTTP/1.1\r\nhost: a\r\n{protobuf}content-length: 5\r\n{chunked}\r\n0\r\n\r\n"
        )),
        _ => None,
    }
}

#[tokio::test]
async fn requests_of_the_table_get_their_status() {
    let tables: Value = serde_json::from_slice(&fixture("tables.json")).unwrap();
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.limits.max_request_bytes = 100_000;
    config.cors = Some(CorsConfig::default());
    let server = serve_config(&HttpTransportStrategy, &Capture::accepting(), &context(), config).await;
    let mut seen = 0;
    for case in tables["http_cases"].as_array().unwrap() {
        let Some(request) = request(case["req"].as_str().unwrap()) else { continue };
        seen += 1;
        let mut peer = Http1Peer::connect(server.local_addr()).await;
        peer.write(request).await;
        let reply = peer.answer().await.unwrap();
        assert_eq!(u64::from(reply.status), case["status"].as_u64().unwrap(), "{case}: {reply:?}");
        if let Some(length) = case["body_bytes"].as_u64() {
            assert_eq!(reply.body.len() as u64, length, "{case}");
        }
        if reply.status == 405 {
            assert_eq!(reply.header("allow"), "post");
        }
        if let Some(body) = case["body"].as_str() {
            assert_eq!(reply.body, body, "{case}");
        }
        match (reply.status, reply.header("content-type")) {
            (200 | 204, _) => {}
            (_, "application/json") => {
                assert!(!RpcStatus::decode_json(&reply.body).unwrap().message.is_empty(), "{case}");
            }
            (_, media_type) => {
                assert_eq!(media_type, "application/x-protobuf");
                assert!(!reply.rpc_status().message.is_empty(), "{case}");
            }
        }
    }
    assert_eq!(seen, 19, "the other one is HTTP/2, below");
}

#[tokio::test]
async fn both_versions_of_http_carry_bodies_whole() {
    let capture = Capture::accepting();
    let server = serve(&HttpTransportStrategy, &capture).await;
    let body: Bytes = logs().repeat(500).into();
    let expected = [(Signal::LOGS, body.clone(), 57 * 500)];

    let http2 = Http2Peer::connect(server.local_addr()).await;
    let frames = body.chunks(50_000).map(Bytes::copy_from_slice).collect();
    let reply = http2.try_request("POST", "/v1/logs", &[PROTOBUF], frames).await.unwrap();
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/x-protobuf"));
    assert!(capture.take() == expected);

    let mut http1 = Http1Peer::connect(server.local_addr()).await;
    assert_eq!(http1.post("/v1/logs", &[PROTOBUF], &body).await.status, 200);
    assert!(capture.take() == expected);

    // The same connection again, in chunks.
    http1.write("POST /v1/logs HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\n").await;
    http1.write("transfer-encoding: chunked\r\n\r\n").await;
    for chunk in body.chunks(77_777) {
        http1.write(format!("{:x}\r\n", chunk.len())).await;
        http1.write(chunk).await;
        http1.write("\r\n").await;
    }
    http1.write("0\r\n\r\n").await;
    assert_eq!(http1.answer().await.unwrap().status, 200);
    assert!(capture.take() == expected);
}

#[tokio::test]
async fn a_body_is_asked_for_when_it_is_wanted() {
    let capture = Capture::accepting();
    let server = serve(&HttpTransportStrategy, &capture).await;
    let mut peer = Http1Peer::connect(server.local_addr()).await;
    let body = logs();
    let head = |content_type: &str| {
        let length = body.len();
        format!(
            "POST /v1/logs HTTP/1.1\r\nhost: a\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\
             expect: 100-continue\r\n\r\n"
        )
    };
    peer.write(head("application/x-protobuf")).await;
    assert_eq!(peer.answer().await.unwrap().status, 100);
    peer.write(&body).await;
    assert_eq!(peer.answer().await.unwrap().status, 200);
    assert_eq!(capture.take().len(), 1);
    peer.write(head("text/plain")).await;
    assert_eq!(peer.answer().await.unwrap().status, 415, "refused without asking");
}

async fn partial_success_is_told_in_the_body(engine: Engine) {
    let capture = Capture::answering(|_| Ok(Accepted { rejected: 3, message: "too old".into() }));
    let server = engine.serve(Port::Http, &capture).await;
    let mut peer = server.http1().await;
    let reply = peer.post("/v1/logs", &[PROTOBUF], &logs()).await;
    assert_eq!(reply.status, 200);
    let partial = ExportLogsServiceResponse::decode(reply.body).unwrap().partial_success.unwrap();
    assert_eq!((partial.rejected_log_records, partial.error_message.as_str()), (3, "too old"));
}

async fn failures_are_told_with_status_details_and_when_to_come_back(engine: Engine) {
    let after = |millis| Retry::After(Duration::from_millis(millis));
    for (kind, retry, status, retry_after) in [
        (ErrorKind::Unavailable, Retry::Backoff, 503, ""),
        (ErrorKind::Unavailable, after(1), 503, "1"),
        (ErrorKind::Unavailable, after(2001), 503, "3"),
        (ErrorKind::Exhausted, after(30_000), 429, "30"),
        (ErrorKind::Exhausted, Retry::Never, 500, ""),
        (ErrorKind::InvalidData, Retry::Never, 400, ""),
        (ErrorKind::Unauthenticated, Retry::Never, 401, ""),
        (ErrorKind::PermissionDenied, Retry::Never, 403, ""),
        (ErrorKind::Internal, Retry::Never, 500, ""),
    ] {
        let error = ExportError::new(kind, retry, "not now");
        let server = engine.serve(Port::Http, &Capture::answering(move |_| Err(error.clone()))).await;
        let mut peer = server.http1().await;
        let reply = peer.post("/v1/logs", &[PROTOBUF], &logs()).await;
        assert_eq!((reply.status, reply.header("retry-after")), (status, retry_after), "{kind:?} {retry:?}");
        let rpc = reply.rpc_status();
        assert_eq!(rpc.message, "not now");
        assert_eq!(
            rpc.retry_delay.map(Retry::After),
            Some(retry).filter(|retry| matches!(retry, Retry::After(_)))
        );
        assert_eq!(server.stats().failed_requests.load(Ordering::Relaxed), 1);
    }
}

async fn without_memory_the_sender_is_told_to_come_back(engine: Engine) {
    let context = TransportContext::tcp(1 << 20);
    let other = context.budget.try_charge((1 << 20) - 1_000).unwrap();
    let server = engine
        .serve_config(Port::Http, &Capture::accepting(), &context, ServerConfig::new("127.0.0.1:0"))
        .await;
    let mut peer = server.http1().await;
    let reply = peer.post("/v1/logs", &[PROTOBUF], &logs()).await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, "1"));
    drop(other);
    assert_eq!(context.budget.used(), 0);
}

#[tokio::test]
async fn nonsense_for_chunks_is_bad_data() {
    let server = serve(&HttpTransportStrategy, &Capture::accepting()).await;
    let mut peer = Http1Peer::connect(server.local_addr()).await;
    peer.write("POST /v1/logs HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\n").await;
    peer.write("transfer-encoding: chunked\r\n\r\nxyz\r\n").await;
    assert_eq!(peer.answer().await.unwrap().status, 400);
}

#[tokio::test]
async fn a_body_that_stops_coming_is_not_waited_for() {
    let server = serve_with(&HttpTransportStrategy, &Capture::accepting(), &context(), |limits| {
        limits.body_timeout = Duration::from_millis(30);
    })
    .await;
    let mut peer = Http1Peer::connect(server.local_addr()).await;
    peer.write("POST /v1/logs HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\n").await;
    peer.write("content-length: 10\r\n\r\n12345").await;
    assert_eq!(peer.answer().await.unwrap().status, 503);
    assert_eq!(server.stats().refused_slow.load(Ordering::Relaxed), 1);
}

async fn encodings_can_be_restricted(engine: Engine) {
    for (taken, encoding, status) in [
        (&["gzip"][..], Some("gzip"), 400),
        (&["GZIP"], Some("gzip"), 400),
        (&["gzip"], Some("zstd"), 415),
        (&["gzip"], None, 415),
        (&["gzip", "identity"], None, 200),
        (&["identity"], Some("identity"), 200),
    ] {
        let mut config = ServerConfig::new("127.0.0.1:0");
        config.encodings = Some(taken.iter().map(|&name| name.into()).collect());
        let server = engine.serve_config(Port::Http, &Capture::accepting(), &context(), config).await;
        let mut headers = vec![PROTOBUF];
        headers.extend(encoding.map(|encoding| ("content-encoding", encoding)));
        let mut peer = server.http1().await;
        // An empty body is no gzip, which shows that it was tried.
        let reply = peer.post("/v1/logs", &headers, b"").await;
        assert_eq!(reply.status, status, "{taken:?} {encoding:?}: {reply:?}");
        if status == 415 {
            assert!(reply.rpc_status().message.ends_with(&taken.join(",")), "{reply:?}");
        }
    }
}

async fn every_answer_gets_the_configured_headers(engine: Engine) {
    let mut config = ServerConfig::new("127.0.0.1:0");
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    config.response_headers =
        vec![header("Strict-Transport-Security", "max-age=1"), header("content-type", "text/html")];
    let server = engine.serve_config(Port::Http, &Capture::accepting(), &context(), config).await;
    for (method, path) in [("POST", "/v1/logs"), ("POST", "/"), ("GET", "/v1/logs")] {
        let peer = server.http2().await;
        let reply = peer.try_request(method, path, &[PROTOBUF], vec![]).await.unwrap();
        assert_eq!(reply.header("strict-transport-security"), "max-age=1", "{method} {path}");
        assert_eq!(reply.header("content-type"), "application/x-protobuf");
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_by_name() {
    let with = |change: &dyn Fn(&mut ServerConfig)| {
        let mut config = ServerConfig::new("127.0.0.1:0");
        change(&mut config);
        config
    };
    let mut cors = CorsConfig::default();
    cors.exposed_headers = vec!["a b".into()];
    for (key, config) in [
        ("response_headers", with(&|config| config.response_headers = vec![("a b".into(), "c".into())])),
        ("response_headers", with(&|config| config.response_headers = vec![("a".into(), "\n".into())])),
        ("encodings", with(&|config| config.encodings = Some(vec!["rot13".into()]))),
        ("cors.exposed_headers", with(&|config| config.cors = Some(cors.clone()))),
    ] {
        assert_eq!(config.check().unwrap_err().key, key);
        let routes = Capture::accepting().routes();
        assert!(HttpTransportStrategy.bind(&context(), config, routes).await.is_err(), "{key}");
    }
}
