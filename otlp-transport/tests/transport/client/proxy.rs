//! Clients behind proxies.

use super::fake::{Fake, Reply, Seen, serve_http1, serve_http2};
use super::sim::{Host, SimNet};
use super::{batch, config};
use http::HeaderMap;
use otlp_protocol::{ErrorKind, Retry};
use otlp_transport::{
    ClientConfig, Export, ExportError, GrpcClient, HttpClient, ProxyConfig, TransportContext,
};
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PROXY: &str = "proxy.example:3128";
const PROXY_ADDRESS: &str = "192.0.2.9:3128";
const OK: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// Reads a request's head.
async fn read_head(io: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// A proxy on a real socket that tunnels to wherever it is told; `seen` has the CONNECT requests.
pub(super) async fn tunnelling_proxy() -> Fake {
    Fake::accept("127.0.0.1:0", |seen, connection, mut io| {
        tokio::spawn(async move {
            let head = read_head(&mut io).await;
            let mut lines = head.trim_end().split("\r\n");
            let target = lines.next().unwrap().strip_prefix("CONNECT ").unwrap();
            let uri = target.strip_suffix(" HTTP/1.1").unwrap().to_owned();
            let headers: HeaderMap = lines
                .map(|line| line.split_once(": ").unwrap())
                .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
                .collect();
            let mut server = connect(&uri).await;
            seen.lock().push(Seen { connection, number: 0, uri, headers, body: Vec::new() });
            io.write_all(OK).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut io, &mut server).await;
        });
    })
    .await
}

#[expect(clippy::disallowed_methods, reason = "the proxies of tests are real")]
async fn connect(target: &str) -> TcpStream {
    TcpStream::connect(target).await.unwrap()
}

/// Lines of heads that a proxy in memory saw, and requests after them.
#[derive(Clone, Default)]
struct Seeing {
    connects: Arc<Mutex<Vec<String>>>,
    requests: Arc<Mutex<Vec<Seen>>>,
}

/// A network with a proxy that answers CONNECT with these bytes and, if they say 200, is the gRPC server, too.
fn connecting(answer: &'static [u8]) -> (SimNet, Seeing) {
    let seeing = Seeing::default();
    let shared = seeing.clone();
    let serve = move |number, mut io: tokio::io::DuplexStream| {
        let Seeing { connects, requests } = shared.clone();
        tokio::spawn(async move {
            let head = read_head(&mut io).await;
            connects.lock().push(head);
            io.write_all(answer).await.unwrap();
            if answer.windows(4).any(|window| window == b" 200") {
                let script = Arc::new(|_| Box::pin(async { Reply::message(b"") }) as _);
                serve_http2(io, None, number, requests, script).await;
            } else {
                let _ = io.read_to_end(&mut Vec::new()).await;
            }
        });
    };
    (net(serve), seeing)
}

fn net(serve: impl Fn(usize, tokio::io::DuplexStream) + Send + Sync + 'static) -> SimNet {
    SimNet::new(&[(PROXY, &[PROXY_ADDRESS])], vec![(PROXY_ADDRESS, Host::Serves(Arc::new(serve)))])
}

/// The network's context with these variables in the environment.
fn context(net: &SimNet, env: &'static [(&'static str, &'static str)]) -> TransportContext {
    let lookup =
        |name: &str| env.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned());
    TransportContext { proxies: Arc::new(ProxyConfig::from_env(lookup)), ..net.context() }
}

#[tokio::test(start_paused = true)]
async fn grpc_goes_through_the_https_proxy_also_in_the_clear() {
    let (net, seeing) = connecting(OK);
    let context = context(&net, &[("HTTPS_PROXY", "http://user:secret@proxy.example:3128")]);
    let client = GrpcClient::new(&context, &config("backend.example:4317")).unwrap();
    client.export(batch().0).await.unwrap();
    let connects = seeing.connects.lock().clone();
    let expected = "CONNECT backend.example:4317 HTTP/1.1\r\nhost: backend.example:4317\r\n\
                    proxy-authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n";
    assert_eq!(connects, [expected]);
    let requests = seeing.requests.lock().clone();
    assert!(requests[0].uri.starts_with("http://backend.example:4317/"), "{}", requests[0].uri);
    assert_eq!(requests[0].headers.get("proxy-authorization"), None);
}

#[tokio::test(start_paused = true)]
async fn http_in_the_clear_is_sent_on_by_the_proxy() {
    let requests = Arc::<Mutex<Vec<Seen>>>::default();
    let shared = requests.clone();
    let net = net(move |number, io| {
        let answer = |_: Seen| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec();
        tokio::spawn(serve_http1(io, number, shared.clone(), Arc::new(answer)));
    });
    let context = context(&net, &[("http_proxy", "http://user:secret@proxy.example:3128")]);
    let mut config = config("backend.example:4318/base");
    let client = HttpClient::new(&context, &config).unwrap();
    client.export(batch().0).await.unwrap();
    // Of an address that balancing found.
    config.connect_to = Some("192.0.2.7:4318".into());
    HttpClient::new(&context, &config).unwrap().export(batch().0).await.unwrap();
    let seen = requests.lock().clone();
    let expected = ["http://backend.example:4318/base/v1/traces", "http://192.0.2.7:4318/base/v1/traces"];
    for (seen, expected) in seen.iter().zip(expected) {
        assert_eq!(seen.uri, expected);
        assert_eq!(seen.headers["host"], "backend.example:4318");
        assert_eq!(seen.headers["proxy-authorization"], "Basic dXNlcjpzZWNyZXQ=");
    }
    assert_eq!(seen.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn refusals_of_a_proxy_are_named_and_retryable_and_show_no_password() {
    const ENV: &[(&str, &str)] = &[("HTTPS_PROXY", "http://user:secret@proxy.example:3128")];
    let endpoint = config("backend.example:4317");
    let failed = |error: &ExportError, expected: &str| {
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff), "{error}");
        let starts = "cannot connect to http://backend.example:4317: proxy http://proxy.example:3128";
        assert!(error.message().starts_with(starts) && error.message().contains(expected), "{error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    };
    const MANY: &[u8] = &[b'x'; 20_000];
    let rows: [(&[u8], &str); 5] = [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "requires credentials (HTTP 407)"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "does not connect to backend.example:4317 (HTTP 403 Forbidden)"),
        (b"HTTP/1.1 502 \r\n\r\n", "does not connect to backend.example:4317 (HTTP 502)"),
        (b"SSH-2.0-x\r\n", "not HTTP/1.1"),
        (MANY, "not HTTP/1.1"),
    ];
    for (answer, expected) in rows {
        let (net, _) = connecting(answer);
        let client = GrpcClient::new(&context(&net, ENV), &endpoint).unwrap();
        failed(&client.export(batch().0).await.unwrap_err(), expected);
    }
    let unreachable = SimNet::new(&[(PROXY, &[PROXY_ADDRESS])], vec![]);
    let client = GrpcClient::new(&context(&unreachable, ENV), &endpoint).unwrap();
    failed(
        &client.export(batch().0).await.unwrap_err(),
        "cannot be reached: 192.0.2.9:3128: connection refused",
    );
}

#[tokio::test(start_paused = true)]
async fn no_proxy_goes_straight_and_proxy_url_goes_before_it() {
    let direct = |endpoint: &'static str, connect_to: Option<&'static str>, no_proxy: &'static str| async move {
        let net = SimNet::new(&[(PROXY, &[PROXY_ADDRESS])], vec![]);
        let proxies = ProxyConfig::from_env(|name| match name {
            "HTTPS_PROXY" => Some(format!("http://{PROXY}")),
            "NO_PROXY" => Some(no_proxy.to_owned()),
            _ => None,
        });
        let context = TransportContext { proxies: Arc::new(proxies), ..net.context() };
        let mut config = config(endpoint);
        config.connect_to = connect_to.map(str::to_owned);
        let _ = GrpcClient::new(&context, &config).unwrap().export(batch().0).await;
        let by_env = net.connects().iter().all(|(_, address)| address != PROXY_ADDRESS);
        config.proxy_url = format!("http://{PROXY}");
        let _ = GrpcClient::new(&context, &config).unwrap().export(batch().0).await;
        assert_eq!(net.connects().last().unwrap().1, PROXY_ADDRESS, "{endpoint}");
        by_env
    };
    assert!(direct("192.0.2.1:4317", None, "192.0.2.0/24").await);
    assert!(!direct("198.51.100.1:4317", None, "192.0.2.0/24").await);
    assert!(direct("127.0.0.1:4317", None, "").await);
    assert!(direct("localhost:4317", None, "").await);
    assert!(direct("a.example:4317", None, "b.example,a.example").await);
    // Either name or address of an endpoint that balancing found.
    assert!(direct("a.example:4317", Some("192.0.2.1:4317"), "a.example").await);
    assert!(direct("a.example:4317", Some("192.0.2.1:4317"), "192.0.2.1").await);
    assert!(!direct("a.example:4317", Some("192.0.2.1:4317"), "b.example").await);
}

#[test]
fn proxies_that_cannot_work_are_refused_without_being_quoted() {
    let refused = |url: &str| {
        let mut config = ClientConfig::new("http://backend.example:4318");
        config.proxy_url = url.into();
        let error = HttpClient::new(&super::context(), &config).expect_err("refused");
        assert_eq!(error.key, "proxy_url");
        assert!(!format!("{error:?} {config:?}").contains("secret"), "{error}");
        error.problem
    };
    assert!(refused("socks5://proxy:1080").contains("SOCKS proxies are not supported"));
    assert!(refused("socks5://user:secret@proxy:1080").contains("SOCKS"));
    assert!(refused("ftp://proxy").contains("http://host:port"));
    assert!(refused("http://user:secret@proxy:99999").contains("port"));
    assert!(refused("http://user%3a:secret@proxy").contains("user or password"));
    let context = TransportContext {
        proxies: Arc::new(ProxyConfig::from_env(|_| Some("socks5://proxy".into()))),
        ..super::context()
    };
    let error = HttpClient::new(&context, &ClientConfig::new("http://backend.example")).err().unwrap();
    assert!(error.problem.starts_with("HTTP_PROXY in the environment: "), "{error}");
    // What no proxy is needed for does not suffer from a bad one.
    HttpClient::new(&context, &ClientConfig::new("http://localhost:4318")).unwrap();
}
