//! Strangers who try to get around the gate, and what hanging up gets them.

use crate::harness::{Capture, Http1Peer, Http2Peer, context, fixture, framed, serve_config};
use otlp_protocol::Signal;
use otlp_transport::{
    AuthRequest, Authenticate, BearerAuth, BearerConfig, CorsConfig, Denied, GrpcTransportStrategy,
    HttpTransportStrategy, MultiplexTransportStrategy, Server, ServerConfig, ServerStrategy, Verdict,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// A server with a token, which tells the pages of `https://page` that they may send.
async fn guarded(strategy: &dyn ServerStrategy, export: &Capture) -> Server {
    let context = context();
    let mut tokens = BearerConfig::default();
    tokens.tokens = vec!["right".into()];
    let mut cors = CorsConfig::default();
    cors.allowed_origins = vec!["https://page".into()];
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.auth = Some(Arc::new(BearerAuth::new(&context, &tokens).unwrap()));
    config.cors = Some(cors);
    serve_config(strategy, export, &context, config).await
}

/// A preflight, but for what a case changes.
const PREFLIGHT: &str = "origin: https://page\r\naccess-control-request-method: POST\r\n";

#[tokio::test]
async fn no_form_of_an_http1_request_gets_around_the_gate() {
    let strategies: [&dyn ServerStrategy; 2] = [&HttpTransportStrategy, &MultiplexTransportStrategy];
    let body = String::from_utf8(fixture("valid/traces_min.pb").to_vec());
    let body = body.unwrap_or_else(|_| "x".into());
    let send = "content-type: application/x-protobuf\r\n";
    for strategy in strategies {
        let export = Capture::accepting();
        let server = guarded(strategy, &export).await;
        for (line, headers, status) in [
            ("POST http://a/v1/traces HTTP/1.1", send.to_owned(), 401),
            ("POST HTTP://A:80/v1/traces?x#y HTTP/1.1", send.to_owned(), 401),
            ("POST //v1/traces HTTP/1.1", send.to_owned(), 401),
            ("POST /v1/traces HTTP/1.0", send.to_owned(), 401),
            ("CONNECT a:80 HTTP/1.1", String::new(), 401),
            ("OPTIONS * HTTP/1.1", String::new(), 401),
            ("TRACE /v1/traces HTTP/1.1", "authorization: Bearer wrong\r\n".into(), 401),
            (
                "POST /v1/traces HTTP/1.1",
                format!(
                    "{send}connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"
                ),
                401,
            ),
            ("POST /v1/traces HTTP/1.1", format!("{send}connection: authorization\r\n"), 401),
            ("POST /v1/traces HTTP/1.1", format!("{send}proxy-authorization: Bearer right\r\n"), 401),
            ("POST /v1/traces HTTP/1.1", format!("{send}x-authorization: Bearer right\r\n"), 401),
            ("POST /v1/traces HTTP/1.1", format!("{send}cookie: authorization=Bearer right\r\n"), 401),
            ("POST /v1/traces?authorization=Bearer%20right HTTP/1.1", send.to_owned(), 401),
            // What a browser asks first is answered; what only looks like it is not.
            ("OPTIONS /v1/traces HTTP/1.1", format!("{PREFLIGHT}{send}"), 204),
            ("OPTIONS /v1/nothing HTTP/1.1", PREFLIGHT.to_owned(), 204),
            ("OPTIONS /v1/traces HTTP/1.1", PREFLIGHT.replace("POST", "GET"), 204),
            ("OPTIONS /v1/traces HTTP/1.1", PREFLIGHT.replace("//page", "//stranger"), 204),
            ("OPTIONS /v1/traces HTTP/1.1", "access-control-request-method: POST\r\n".into(), 401),
            ("OPTIONS /v1/traces HTTP/1.1", "origin: https://page\r\n".into(), 401),
            ("POST /v1/traces HTTP/1.1", format!("{PREFLIGHT}{send}"), 401),
            ("options /v1/traces HTTP/1.1", PREFLIGHT.to_owned(), 401),
            (
                "POST /v1/traces HTTP/1.1",
                format!("{PREFLIGHT}{send}x-http-method-override: OPTIONS\r\n"),
                401,
            ),
        ] {
            let mut peer = Http1Peer::connect(server.local_addr()).await;
            let length = if line.starts_with("CONNECT") { 0 } else { body.len() };
            let body = &body[..length];
            peer.write(format!("{line}\r\nhost: a\r\n{headers}content-length: {length}\r\n\r\n{body}")).await;
            let reply = peer.answer().await.unwrap_or_else(|| panic!("{line} {headers}: no answer"));
            assert_eq!(reply.status, status, "{line} {headers}: {reply:?}");
            if status == 204 {
                let names = reply.head.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0));
                let told: Vec<_> = names.filter(|name| !name.starts_with("access-control-")).collect();
                assert_eq!(told, ["vary", "date"], "{line} {headers}: nothing but CORS is told");
            }
        }
        assert_eq!(export.taken(), 0);
    }
}

#[tokio::test]
async fn no_form_of_an_http2_request_gets_around_the_gate() {
    let strategies: [&dyn ServerStrategy; 3] =
        [&GrpcTransportStrategy, &HttpTransportStrategy, &MultiplexTransportStrategy];
    let page = [("origin", "https://page"), ("access-control-request-method", "POST")];
    for strategy in strategies {
        let export = Capture::accepting();
        let server = guarded(strategy, &export).await;
        let peer = Http2Peer::connect(server.local_addr()).await;
        let frames = || vec![framed(false, &fixture("valid/traces_min.pb"))];
        for path in [Signal::TRACES.grpc_path, Signal::TRACES.http_path, "/grpc.health.v1.Health/Check"] {
            for method in ["POST", "CONNECT", "TRACE", "PRI"] {
                let headers = [("content-type", "application/grpc"), page[0], page[1]];
                // A reset is no answer either.
                let Ok(reply) = peer.try_request(method, path, &headers, frames()).await else { continue };
                let case = format!("{} {method} {path}: {reply:?}", strategy.name());
                assert!(reply.status == 401 || reply.header("grpc-status") == "16", "{case}");
                assert_eq!(reply.header("grpc-status").is_empty(), reply.status == 401, "{case}");
            }
            // To gRPC there are no preflights, whatever pages are allowed.
            let headers = [("content-type", "application/grpc"), page[0], page[1]];
            let reply = peer.try_request("OPTIONS", path, &headers, frames()).await.unwrap();
            let expected = if strategy.name() == "http" { 204 } else { 200 };
            assert_eq!((reply.status, reply.body.len()), (expected, 0), "{}: {reply:?}", strategy.name());
            assert_eq!(expected == 200, reply.header("grpc-status") == "16");
            // Nor does a gRPC port tell a browser what it is before it knows who asks.
            let reply = peer.try_request("GET", path, &[], vec![]).await.unwrap();
            assert_eq!((reply.status, reply.header("www-authenticate")), (401, "Bearer"));
            assert!(!String::from_utf8_lossy(&reply.body).contains("OTLP"), "{reply:?}");
        }
        assert_eq!(export.taken(), 0);
    }
}

/// Takes its time to say no, and knows how many do at once.
#[derive(Debug, Default)]
struct Slow(Arc<Checks>);

#[derive(Debug, Default)]
struct Checks {
    begun: AtomicUsize,
    running: AtomicUsize,
    most: AtomicUsize,
    may_end: AtomicBool,
}

impl Authenticate for Slow {
    fn authenticate(&self, _: &AuthRequest<'_>) -> Verdict {
        let checks = Arc::clone(&self.0);
        Verdict::Slow(Box::new(move || {
            checks.begun.fetch_add(1, Ordering::SeqCst);
            checks.most.fetch_max(checks.running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            while !checks.may_end.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            checks.running.fetch_sub(1, Ordering::SeqCst);
            Err(Denied::new("never"))
        }))
    }

    fn challenge(&self) -> &str {
        "Slow"
    }
}

/// Scenario: senders that hang up while their passwords are checked. Guarantee: that frees no place for more checks.
#[tokio::test]
async fn who_hangs_up_does_not_make_room_for_another_check() {
    let checks = Arc::new(Checks::default());
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.auth = Some(Arc::new(Slow(Arc::clone(&checks))));
    let server = serve_config(&GrpcTransportStrategy, &Capture::accepting(), &context(), config).await;
    let peer = Http2Peer::connect(server.local_addr()).await;
    let call =
        |peer: Http2Peer| async move { peer.call("/a.B/C", &[], vec![framed(false, b"")]).await.code() };
    for _ in 0..12 {
        let given_up = tokio::time::timeout(Duration::from_millis(10), call(peer.clone())).await;
        assert!(given_up.is_err());
    }
    while checks.begun.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    // First of all: a test that fails would wait for the checks' threads.
    checks.may_end.store(true, Ordering::SeqCst);
    assert_eq!(checks.most.load(Ordering::SeqCst), 2);
    assert_eq!(call(peer).await, 16);
    assert_eq!(checks.most.load(Ordering::SeqCst), 2);
}
