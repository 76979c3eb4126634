//! Every server, every way to authenticate, every kind of request: nothing is answered to strangers, nothing handed on.

use crate::certificates::{Authority, secured, trusting};
use crate::harness::engines::{Engine, Port, Posting, Served};
use crate::harness::{Capture, Http1Peer, Http2Peer, Reply, context, fixture, framed};
use otlp_protocol::{Code, RpcStatus, Signal};
use otlp_transport::{
    ApiKey, ApiKeyAuth, Authenticate, BasicAuth, BearerAuth, BearerConfig, BoxIo, GrpcTransportStrategy,
    OnEmpty, Secret, ServerConfig, ServerStrategy as _, TransportContext,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A way to authenticate.
struct Mode {
    name: &'static str,
    auth: Arc<dyn Authenticate>,
    challenge: &'static str,
    right: Vec<(&'static str, &'static str)>,
    wrong: Vec<Vec<(&'static str, &'static str)>>,
}

/// user:right, and the same with another password.
const RIGHT_BASIC: &str = "Basic dXNlcjpyaWdodA==";
const WRONG_BASIC: &str = "Basic dXNlcjp3cm9uZw==";
/// stranger:right
const STRANGER_BASIC: &str = "Basic c3RyYW5nZXI6cmlnaHQ=";

fn modes(context: &TransportContext) -> Vec<Mode> {
    let wrong_basic = || {
        let wrong = [
            WRONG_BASIC,
            STRANGER_BASIC,
            "Basic",
            "Basic !",
            "Basic dXNlcg==",
            "Bearer right",
            "",
            "user:right",
        ];
        let mut wrong: Vec<_> = wrong.into_iter().map(|value| vec![("authorization", value)]).collect();
        wrong.push(vec![("authorization", RIGHT_BASIC), ("authorization", RIGHT_BASIC)]);
        wrong
    };
    let basic = |name, line: &str| Mode {
        name,
        auth: Arc::new(
            BasicAuth::new(context, None, &Secret::from(format!("user:{line}\n")), None, OnEmpty::Keep)
                .unwrap(),
        ),
        challenge: "Basic realm=\"otlp\", charset=\"UTF-8\"",
        right: vec![("authorization", RIGHT_BASIC)],
        wrong: wrong_basic(),
    };
    let bearer = |name, config: &BearerConfig| Mode {
        name,
        auth: Arc::new(BearerAuth::new(context, config).unwrap()),
        challenge: "Bearer",
        right: vec![("authorization", "bearer right2")],
        wrong: [
            "Bearer wrong",
            "Bearer ",
            "Bearer",
            "right1",
            "Bearer right1 ,",
            "",
            RIGHT_BASIC,
            "Bearerright1",
        ]
        .into_iter()
        .map(|value| vec![("authorization", value)])
        .chain([vec![("authorization", "Bearer right1"), ("authorization", "Bearer right1")]])
        .collect(),
    };
    let key = |name: &str, key: &str| ApiKey { name: name.into(), key: key.into() };
    let mut tokens = BearerConfig::default();
    tokens.tokens = vec!["right1".into(), "right2".into()];
    let file = std::env::temp_dir().join(format!(
        "otlp-auth-tokens-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::write(&file, "right1\n\n right2 \r\n").unwrap();
    let mut token_file = BearerConfig::default();
    token_file.filename = Some(file);
    // `right` by bcrypt with the lowest cost, and by SHA-1.
    let bcrypt = bcrypt::hash("right", 4).unwrap();
    vec![
        Mode {
            name: "api key",
            auth: Arc::new(ApiKeyAuth::new("X-Api-Key", &[key("a", "right1"), key("b", "right2")]).unwrap()),
            challenge: "ApiKey header=\"x-api-key\"",
            right: vec![("x-api-key", "right2")],
            wrong: vec![
                vec![("x-api-key", "wrong")],
                vec![("x-api-key", "")],
                vec![("x-api-key", "right")],
                vec![("x-api-key", "right22")],
                vec![("authorization", "right2")],
                vec![("x-api-key", "right1"), ("x-api-key", "right2")],
            ],
        },
        bearer("bearer", &tokens),
        bearer("bearer file", &token_file),
        basic("basic plain", "right"),
        basic("basic sha1", "{SHA}0nofEXcSAJSXFLGvmfBIpBb11vQ="),
        basic("basic bcrypt", &bcrypt),
    ]
}

const PORTS: [Port; 3] = [Port::Grpc, Port::Http, Port::Both];

/// Methods, paths and content types, those that would be served among them.
fn requests() -> Vec<(&'static str, String, &'static str)> {
    let mut requests = Vec::new();
    let grpc = Signal::ALL.map(|signal| signal.grpc_path);
    let http = Signal::ALL.map(|signal| signal.http_path);
    let others = [
        "/",
        "/unknown",
        "/a.B/C",
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/metrics",
        "*",
    ];
    for path in grpc.iter().chain(&http).chain(&others) {
        for content_type in
            ["application/grpc", "application/x-protobuf", "application/json", "text/plain", ""]
        {
            requests.push(("POST", (*path).to_owned(), content_type));
        }
        for method in ["GET", "OPTIONS", "PUT", "HEAD", "BREW"] {
            requests.push((method, (*path).to_owned(), "application/grpc"));
            requests.push((method, (*path).to_owned(), "application/x-protobuf"));
        }
    }
    requests.retain(|(method, path, _)| path != "*" || *method == "OPTIONS");
    requests
}

/// Whether an answer says nothing but that the sender is not known.
fn is_refusal(reply: &Reply, challenge: &str) -> bool {
    match reply.header("grpc-status") {
        "" => reply.status == 401 && (reply.header("www-authenticate") == challenge || reply.body.is_empty()),
        status => status == "16" && reply.body.is_empty(),
    }
}

struct Running {
    server: Served,
    export: Capture,
    authority: Option<Authority>,
}

/// How requests come to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Tcp,
    Tls,
    /// Without a socket.
    Memory,
}

const WAYS: [Way; 3] = [Way::Tcp, Way::Tls, Way::Memory];

impl Running {
    async fn start(context: &TransportContext, port: Port, mode: &Mode, way: Way) -> Self {
        let export = Capture::accepting();
        let mut config = ServerConfig::new("127.0.0.1:0");
        config.auth = Some(mode.auth.clone());
        let authority = (way == Way::Tls).then(Authority::new);
        config.tls = authority.as_ref().map(|authority| authority.server().server_config());
        let engine = if way == Way::Memory { Engine::Memory } else { Engine::Hyper };
        let server = engine.serve_config(port, &export, context, config).await;
        Self { server, export, authority }
    }

    /// A secured connection, if the server's are.
    async fn secured(&self, alpn: &str) -> Option<BoxIo> {
        let (Some(authority), Served::Hyper(server)) = (&self.authority, &self.server) else { return None };
        Some(secured(server.local_addr(), trusting(authority, None, &[alpn])).await.unwrap())
    }

    async fn http2(&self) -> Http2Peer {
        match self.secured("h2").await {
            Some(io) => Http2Peer::over(io).await,
            None => self.server.http2().await,
        }
    }

    async fn http1(&self) -> Posting {
        match self.secured("http/1.1").await {
            Some(io) => Posting::Socket(Http1Peer::over(io)),
            None => self.server.http1().await,
        }
    }

    /// A connection that is written and read by hand.
    async fn by_hand(&self) -> Http1Peer {
        match self.http1().await {
            Posting::Socket(peer) => peer,
            Posting::Memory(_) => panic!("nothing can be written by hand without a socket"),
        }
    }

    fn refused(&self) -> u64 {
        self.server.stats().refused_unauthenticated.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn strangers_get_no_answer_on_http2_whatever_they_ask() {
    let context = context();
    for mode in modes(&context) {
        for port in PORTS {
            for way in WAYS {
                let running = Running::start(&context, port, &mode, way).await;
                let peer = running.http2().await;
                let none = Vec::new();
                let mut expected = 0;
                for (index, (method, path, content_type)) in requests().iter().enumerate() {
                    // All wrong ones on a few requests, one after the other on the rest.
                    let wrong = &mode.wrong[index % mode.wrong.len()];
                    for credentials in [&none, wrong] {
                        let mut headers = credentials.clone();
                        headers.extend(
                            Some(("content-type", *content_type)).filter(|(_, value)| !value.is_empty()),
                        );
                        headers.push(("origin", "http://a"));
                        let body = vec![framed(false, &fixture("valid/traces_min.pb"))];
                        let reply = peer.try_request(method, path, &headers, body).await.unwrap();
                        let what = format!(
                            "{} on {port:?} {way:?}: {method} {path} {content_type} {credentials:?}",
                            mode.name
                        );
                        assert!(is_refusal(&reply, mode.challenge), "{what}: {reply:?}");
                        expected += 1;
                    }
                }
                assert_eq!(running.export.taken(), 0);
                assert_eq!(running.refused(), expected);
                assert_eq!(running.server.stats().refused_requests.load(Ordering::Relaxed), expected);
            }
        }
    }
}

#[tokio::test]
async fn strangers_get_no_answer_on_http1_whatever_they_ask() {
    let context = context();
    for mode in modes(&context) {
        for port in [Port::Http, Port::Both] {
            for way in [Way::Tcp, Way::Tls] {
                let running = Running::start(&context, port, &mode, way).await;
                let mut peer = running.by_hand().await;
                for (index, (method, path, content_type)) in requests().iter().enumerate() {
                    let credentials = (index % 2 == 1).then(|| &mode.wrong[index % mode.wrong.len()]);
                    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n");
                    for (name, value) in credentials.into_iter().flatten() {
                        head.push_str(&format!("{name}: {value}\r\n"));
                    }
                    if !content_type.is_empty() {
                        head.push_str(&format!("content-type: {content_type}\r\n"));
                    }
                    let what = format!("{} on {port:?} {way:?}: {method} {path} {content_type}", mode.name);
                    let answered = if *method == "HEAD" {
                        // Its length is that of a body that does not come.
                        let mut peer = running.by_hand().await;
                        peer.write(head + "connection: close\r\n\r\n").await;
                        String::from_utf8_lossy(&peer.rest().await).to_lowercase()
                    } else {
                        peer.write(head + "\r\n").await;
                        peer.answer().await.unwrap_or_else(|| panic!("{what}: no answer")).head
                    };
                    assert!(answered.starts_with("http/1.1 401 "), "{what}: {answered:?}");
                    let challenge = mode.challenge.to_lowercase();
                    assert!(
                        answered.contains(&format!("www-authenticate: {challenge}\r\n")),
                        "{what}: {answered}"
                    );
                }
                assert_eq!(running.export.taken(), 0);
                assert_eq!(running.refused(), requests().len() as u64);
            }
        }
    }
}

#[tokio::test]
async fn those_who_are_known_are_served() {
    let context = context();
    let body = fixture("valid/traces_min.pb");
    for mode in modes(&context) {
        for port in PORTS {
            for way in WAYS {
                let running = Running::start(&context, port, &mode, way).await;
                let what = format!("{} on {port:?} {way:?}", mode.name);
                let peer = running.http2().await;
                if port != Port::Http {
                    // Twice: a password is known at once the second time.
                    for _ in 0..2 {
                        let frames = vec![framed(false, &body)];
                        let reply = peer.call(Signal::TRACES.grpc_path, &mode.right, frames).await;
                        assert_eq!(reply.code(), 0, "{what}: {reply:?}");
                        let check = vec![framed(false, b"")];
                        let reply = peer.call("/grpc.health.v1.Health/Check", &mode.right, check).await;
                        assert_eq!(reply.code(), 0, "{what}: {reply:?}");
                    }
                    assert_eq!(running.export.take().len(), 2, "{what}");
                    let reply = peer.call("/a.B/C", &mode.right, vec![framed(false, b"")]).await;
                    assert_eq!(reply.code(), Code::Unimplemented as u32, "{what}");
                }
                if port != Port::Grpc {
                    let mut headers = mode.right.clone();
                    headers.push(("content-type", "application/x-protobuf"));
                    let reply =
                        peer.try_request("POST", "/v1/traces", &headers, vec![body.clone()]).await.unwrap();
                    assert_eq!(reply.status, 200, "{what}: {reply:?}");
                    let mut peer = running.http1().await;
                    assert_eq!(peer.post("/v1/traces", &headers, &body).await.status, 200, "{what}");
                    assert_eq!(peer.post("/v1/nothing", &headers, &body).await.status, 404, "{what}");
                    assert_eq!(running.export.take().len(), 2, "{what}");
                }
                assert_eq!(running.refused(), 0, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_is_written_as_the_request_is_and_its_body_is_not_waited_for() {
    let context = context();
    let mode = &modes(&context)[1];
    let running = Running::start(&context, Port::Http, mode, Way::Tcp).await;
    let mut peer = running.by_hand().await;
    let reply = peer.post("/v1/traces", &[("content-type", "application/x-protobuf")], b"").await;
    let status: RpcStatus = reply.rpc_status();
    assert_eq!((reply.status, status.code), (401, Code::Unauthenticated as u32));
    assert!(status.message.contains("authorization"), "{status:?}");
    let reply = peer.post("/v1/traces", &[("content-type", "application/json")], b"").await;
    assert_eq!(reply.header("content-type"), "application/json");
    // Of a body of a gibibyte nothing is read.
    let mut peer = running.by_hand().await;
    peer.write("POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-length: 1073741824\r\n\r\n").await;
    assert_eq!(peer.answer().await.unwrap().status, 401);
    assert!(peer.rest().await.is_empty());
    assert_eq!(context.budget.used(), 0);
}

#[tokio::test]
async fn slow_checks_do_not_hold_up_others_and_are_bounded() {
    let context = context();
    let bcrypt = bcrypt::hash("right", 8).unwrap();
    let inline = Secret::from(format!("user:{bcrypt}\nother:plain"));
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.auth = Some(Arc::new(BasicAuth::new(&context, None, &inline, None, OnEmpty::Keep).unwrap()));
    config.limits.max_concurrent_streams = 1000;
    let server = GrpcTransportStrategy.bind(&context, config, Capture::accepting().routes()).await.unwrap();
    let peer = Http2Peer::connect(server.local_addr()).await;
    let call = |credentials: &'static str| {
        let peer = peer.clone();
        async move {
            peer.call("/a.B/C", &[("authorization", credentials)], vec![framed(false, b"")]).await.code()
        }
    };
    let guesses: Vec<_> = (0..140).map(|_| tokio::spawn(call(WRONG_BASIC))).collect();
    // other:plain
    assert_eq!(call("Basic b3RoZXI6cGxhaW4=").await, 12);
    let mut answers = Vec::new();
    for guess in guesses {
        answers.push(guess.await.unwrap());
    }
    let turned_away = answers.iter().filter(|code| **code == Code::Unavailable as u32).count();
    assert!(turned_away > 0 && answers.iter().all(|code| [14, 16].contains(code)), "{answers:?}");
    assert_eq!(call(RIGHT_BASIC).await, 12);
}
