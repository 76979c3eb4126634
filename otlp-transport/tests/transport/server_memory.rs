//! What a peer can make a server hold: charged as it comes, bounded for each connection, refused for good if it never fits.
//! On all receivers.

use crate::harness::{
    Capture, Http1Peer, Http2Peer, SocketPath, connect, context, fixture, framed, serve_config,
};
use bytes::Bytes;
use otlp_protocol::{Accepted, Batch, ErrorKind, FieldViolation, Retry, Signal};
use otlp_transport::{
    AuthRequest, Authenticate, BoxExport, Export, ExportError, ExportResult, GrpcTransportStrategy,
    HttpTransportStrategy, Identity, MultiplexTransportStrategy, Routes, Server, ServerConfig, ServerLimits,
    ServerStrategy, TransportContext, Verdict, codec,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json");
const HEALTH: &str = "/grpc.health.v1.Health/Check";
const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited in vain until {what}");
}

/// Servers on a port for each protocol, one port for both, and a Unix socket, and whether each speaks gRPC and HTTP.
async fn receivers(
    context: &TransportContext,
    path: &SocketPath,
    change: impl Fn(&mut ServerConfig),
) -> Vec<(Server, bool, bool)> {
    let port = "127.0.0.1:0".to_owned();
    let kinds: [(&dyn ServerStrategy, String, bool, bool); 4] = [
        (&GrpcTransportStrategy, port.clone(), true, false),
        (&HttpTransportStrategy, port.clone(), false, true),
        (&MultiplexTransportStrategy, port, true, true),
        (&MultiplexTransportStrategy, path.address(), true, true),
    ];
    let mut servers = Vec::new();
    for (strategy, endpoint, grpc, http) in kinds {
        let mut config = ServerConfig::new(endpoint);
        change(&mut config);
        servers.push((serve_config(strategy, &Capture::accepting(), context, config).await, grpc, http));
    }
    servers
}

/// Counts the requests that were refused for want of memory.
#[derive(Clone, Default)]
struct Unread(Arc<AtomicU64>);

impl Export for Unread {
    async fn export(&self, _: Batch) -> ExportResult {
        Ok(Accepted::FULL)
    }

    fn refuse_unread(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whoever counts a signal's refusals learns of those that never became a batch; of no other refusals.
#[tokio::test]
async fn the_receiver_of_a_signal_is_told_of_refusals_for_memory() {
    let logs = fixture("valid/logs_min.pb");
    for strategy in [&GrpcTransportStrategy as &dyn ServerStrategy, &HttpTransportStrategy] {
        let (context, unread) = (context(), Unread::default());
        let routes = Routes::new().with(Signal::LOGS, BoxExport::new(unread.clone()));
        let server = strategy.bind(&context, ServerConfig::new("127.0.0.1:0"), routes).await.unwrap();
        let told = async |body: Bytes| {
            let peer = Http2Peer::connect(server.local_addr()).await;
            match strategy.name() {
                "grpc" => drop(peer.call(LOGS, &[], vec![framed(false, &body)]).await),
                _ => drop(peer.try_request("POST", "/v1/logs", &[PROTOBUF], vec![body]).await.unwrap()),
            }
            unread.0.load(Ordering::Relaxed)
        };
        assert_eq!(told(logs.clone()).await, 0);
        assert_eq!(told(Bytes::from_static(b"\x0a\x7f")).await, 0);
        let held = context.budget.try_charge(context.budget.limit()).unwrap();
        assert_eq!(told(logs.clone()).await, 1, "{}", strategy.name());
        assert_eq!(server.stats().refused_memory.load(Ordering::Relaxed), 1);
        drop(held);
        assert_eq!(told(logs.clone()).await, 1);
    }
}

fn limits(change: impl Fn(&mut ServerLimits)) -> impl Fn(&mut ServerConfig) {
    move |config| change(&mut config.limits)
}

/// A call that sends these frames, and no end.
fn stalled(peer: &Http2Peer, path: &'static str, frames: Vec<Bytes>) -> tokio::task::JoinHandle<u32> {
    let peer = peer.clone();
    tokio::spawn(async move { peer.call_and_stall(path, &[], frames).await.code() })
}

/// A message of that length, of which only the beginning is there.
fn begun(len: u32, come: usize) -> Bytes {
    [&[0][..], &len.to_be_bytes(), &vec![0; come]].concat().into()
}

#[tokio::test]
async fn a_few_bytes_take_a_few_bytes_of_the_budget() {
    let context = TransportContext::tcp(1 << 20);
    let path = SocketPath::new("few");
    for (server, grpc, _) in receivers(&context, &path, limits(|_| {})).await {
        if !grpc {
            let mut peer = Http1Peer::connect(server.local_addr()).await;
            let head = "POST /v1/logs HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\n";
            peer.write(format!("{head}content-length: 1000000\r\n\r\n")).await;
            peer.write([0; 5]).await;
            tokio::task::yield_now().await;
            peer.write([0; 1]).await;
            until("something is charged", || context.budget.used() > 0).await;
            assert!(context.budget.used() <= 12);
            drop(peer);
        } else {
            let peer = Http2Peer::connect(server.local_addr()).await;
            let frame = begun(1_000_000, 1);
            let calls: Vec<_> =
                (0..70).map(|_| stalled(&peer, LOGS, vec![frame.slice(..5), frame.slice(5..)])).collect();
            until("all have come", || context.budget.used() >= 70 * 6).await;
            assert!(context.budget.used() <= 70 * 12, "{}", context.budget.used());
            calls.iter().for_each(tokio::task::JoinHandle::abort);
            drop(peer);
        }
        drop(server);
        until("all is given back", || context.budget.used() == 0).await;
    }
}

#[tokio::test]
async fn a_health_check_is_small_complete_and_in_time() {
    let context = context();
    let path = SocketPath::new("health");
    let change = limits(|limits| limits.body_timeout = Duration::from_millis(40));
    for (server, ..) in receivers(&context, &path, change).await.into_iter().filter(|(_, grpc, _)| *grpc) {
        let peer = Http2Peer::connect(server.local_addr()).await;
        let name = [&[0x0a, 10][..], b"no.Service"].concat();
        assert_eq!(peer.call(HEALTH, &[], vec![framed(false, &name)]).await.code(), 5);
        assert_eq!(peer.call(HEALTH, &[], vec![framed(false, b"")]).await.code(), 0);
        // Refused by its header, while the rest is due.
        let large = peer.call_and_stall(HEALTH, &[], vec![begun(5_000, 0)]).await;
        assert_eq!(large.code(), 8, "{large:?}");
        assert!(large.header("grpc-message").contains("health check"), "{large:?}");
        assert_eq!(peer.call_and_stall(HEALTH, &[], vec![begun(4_000, 100)]).await.code(), 4);
        let stats = server.stats();
        assert_eq!(stats.refused_too_large.load(Ordering::Relaxed), 1);
        assert_eq!(stats.refused_slow.load(Ordering::Relaxed), 1);
        assert_eq!(context.budget.used(), 0);
    }
}

#[tokio::test]
async fn one_connection_cannot_hold_the_whole_budget() {
    let context = TransportContext::tcp(1 << 20);
    let path = SocketPath::new("share");
    let change = limits(|limits| limits.max_request_bytes = 400 << 10);
    for (server, ..) in receivers(&context, &path, change).await.into_iter().filter(|(_, grpc, _)| *grpc) {
        let peer = Http2Peer::connect(server.local_addr()).await;
        let body = begun(350 << 10, 150 << 10);
        let held: Vec<_> = (0..2).map(|_| stalled(&peer, LOGS, vec![body.clone()])).collect();
        until("both are held", || context.budget.used() >= 300 << 10).await;
        // Half of the budget is the connection's; the rest is left to others.
        assert_eq!(peer.call_and_stall(LOGS, &[], vec![body.clone()]).await.code(), 14);
        assert_eq!(server.stats().refused_memory.load(Ordering::Relaxed), 1);
        let other = Http2Peer::connect(server.local_addr()).await;
        let logs = framed(false, &fixture("valid/logs_min.pb"));
        assert_eq!(other.call(LOGS, &[], vec![logs.slice(..7), logs.slice(7..)]).await.code(), 0);
        // What is whole is no longer the connection's.
        held.iter().for_each(tokio::task::JoinHandle::abort);
        until("all is given back", || context.budget.used() == 0).await;
        assert_eq!(peer.call(LOGS, &[], vec![logs.slice(..7), logs.slice(7..)]).await.code(), 0);
    }
}

#[tokio::test]
async fn what_is_slower_than_the_least_rate_is_refused() {
    let context = context();
    for (rate, time) in [(1 << 30, None), (0, Some(Duration::from_millis(60)))] {
        let change = limits(move |limits| {
            (limits.min_body_rate, limits.max_body_time) = (rate, time);
            if rate > 0 {
                limits.body_timeout = Duration::from_millis(60);
            }
        });
        let path = SocketPath::new(&format!("slow-{rate}"));
        for (server, grpc, http) in receivers(&context, &path, change).await {
            if grpc {
                let peer = Http2Peer::connect(server.local_addr()).await;
                assert_eq!(peer.call_and_stall(LOGS, &[], vec![begun(9, 1)]).await.code(), 4);
            }
            if http {
                let mut peer = Http1Peer::connect(server.local_addr()).await;
                peer.write("POST /v1/logs HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n").await;
                peer.write("content-length: 9\r\n\r\n1").await;
                assert_eq!(peer.answer().await.unwrap().status, 503);
            }
            assert_eq!(
                server.stats().refused_slow.load(Ordering::Relaxed),
                u64::from(grpc) + u64::from(http)
            );
        }
    }
}

#[tokio::test]
async fn what_never_fits_the_budget_is_refused_for_good() {
    let context = TransportContext::tcp(100_000);
    let path = SocketPath::new("fits");
    let logs = fixture("valid/logs_min.pb");
    let gzip = codec("gzip").unwrap().compressor().unwrap();
    let bomb = gzip.compress(&vec![0; 120_000].into(), &context.buffers).unwrap();
    let large = Bytes::from(vec![0; 120_000]);
    for (server, grpc, http) in receivers(&context, &path, limits(|_| {})).await {
        if grpc {
            let peer = Http2Peer::connect(server.local_addr()).await;
            for (encoding, body) in [("identity", framed(false, &large)), ("gzip", framed(true, &bomb))] {
                let encoding = [("grpc-encoding", encoding)];
                let reply = peer.call(LOGS, &encoding, vec![body]).await;
                assert_eq!(reply.code(), 8, "{reply:?}");
                assert!(!reply.headers.contains_key("grpc-status-details-bin"), "it would be sent again");
            }
            assert_eq!(peer.call(LOGS, &[], vec![framed(false, &logs)]).await.code(), 0);
        }
        if http {
            for (encoding, body) in [("identity", &large), ("gzip", &bomb)] {
                let mut peer = Http1Peer::connect(server.local_addr()).await;
                let reply = peer.post("/v1/logs", &[PROTOBUF, ("content-encoding", encoding)], body).await;
                assert_eq!((reply.status, reply.header("retry-after")), (413, ""), "{reply:?}");
                assert!(reply.rpc_status().message.contains("memory budget of 100000"), "{reply:?}");
            }
        }
        assert_eq!(context.budget.used(), 0);
    }
}

#[tokio::test]
async fn json_needs_half_its_length_beside_itself() {
    let text = format!(
        r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{}{{}}]}}]}}]}}"#,
        r#"{"severityNumber":9,"body":{"stringValue":"abcdef"}},"#.repeat(100_000)
    );
    assert!(text.len() > 5 << 20);
    let context = TransportContext::tcp(8 << 20);
    let path = SocketPath::new("half");
    for (server, ..) in
        receivers(&context, &path, limits(|_| {})).await.into_iter().filter(|(.., http)| *http)
    {
        let mut peer = Http1Peer::connect(server.local_addr()).await;
        assert_eq!(peer.post("/v1/logs", &[JSON], text.as_bytes()).await.status, 200);
        assert_eq!(context.budget.used(), 0);
    }
}

#[tokio::test]
async fn bombs_are_taken_or_refused_by_their_real_size() {
    let context = context();
    let path = SocketPath::new("bombs");
    // 20 MiB of a field that nobody knows, in a resource.
    let large = || {
        let (field, resource) = ([0x3a, 0x80, 0x80, 0x80, 0x0a], [0x0a, 0x85, 0x80, 0x80, 0x0a]);
        [&resource[..], &field, &vec![0; 20 << 20]].concat()
    };
    let gzip = codec("gzip").unwrap().compressor().unwrap();
    let member = |plain: Vec<u8>| gzip.compress(&plain.into(), &context.buffers).unwrap();
    let empty_last = [member(large()), member(Vec::new())].concat();
    let members = member(Vec::new()).repeat(3_000);
    let too_large = [member(vec![0; 65 << 20]), member(Vec::new())].concat();
    for (server, ..) in
        receivers(&context, &path, limits(|_| {})).await.into_iter().filter(|(.., http)| *http)
    {
        for (body, status) in [(&empty_last, 200), (&members, 200), (&too_large, 413)] {
            let mut peer = Http1Peer::connect(server.local_addr()).await;
            let reply = peer.post("/v1/logs", &[PROTOBUF, ("content-encoding", "gzip")], body).await;
            assert_eq!(reply.status, status, "{reply:?}");
            assert_eq!(context.budget.used(), 0);
        }
    }
}

/// Lets everybody in, in its own time.
#[derive(Debug)]
struct Sometime(Arc<AtomicBool>);

impl Authenticate for Sometime {
    fn authenticate(&self, _: &AuthRequest<'_>) -> Verdict {
        let may_end = Arc::clone(&self.0);
        Verdict::Slow(Box::new(move || {
            while !may_end.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(Identity::new("somebody"))
        }))
    }

    fn challenge(&self) -> &str {
        "Sometime"
    }
}

#[tokio::test]
async fn who_is_not_known_yet_may_send_little_which_is_charged() {
    let may_end = Arc::new(AtomicBool::new(false));
    let context = context();
    let auth = Arc::new(Sometime(Arc::clone(&may_end)));
    for is_slow in [true, false] {
        let change = |config: &mut ServerConfig| {
            config.auth = is_slow.then(|| Arc::clone(&auth) as Arc<dyn Authenticate>);
        };
        let path = SocketPath::new(&format!("unknown-{is_slow}"));
        for (server, ..) in receivers(&context, &path, change).await.into_iter().filter(|(_, grpc, _)| *grpc)
        {
            may_end.store(false, Ordering::SeqCst);
            let io = connect(server.local_addr()).await;
            let mut client = h2::client::Builder::new();
            let handshake = client.max_send_buffer_size(4 << 20).handshake::<_, Bytes>(io);
            let (client, connection) = handshake.await.unwrap();
            tokio::spawn(connection);
            let request = http::Request::post(format!("http://localhost{LOGS}"));
            let request = request.header("content-type", "application/grpc").body(()).unwrap();
            let (response, mut body) = client.ready().await.unwrap().send_request(request, false).unwrap();
            let message = framed(false, &fixture("valid/logs_min.pb"));
            // The server's settings come after the first bytes.
            let window = if is_slow { 64 << 10 } else { 1 << 20 };
            body.reserve_capacity(4 << 20);
            let capacity = async {
                while body.capacity() < window {
                    std::future::poll_fn(|cx| body.poll_capacity(cx)).await.unwrap().unwrap();
                }
            };
            tokio::time::timeout(Duration::from_secs(20), capacity).await.unwrap();
            assert_eq!(body.capacity(), window);
            until("the wait is charged", || context.budget.used() == if is_slow { 64 << 10 } else { 0 })
                .await;
            may_end.store(true, Ordering::SeqCst);
            body.send_data(message, true).unwrap();
            assert_eq!(response.await.unwrap().status(), 200);
            until("all is given back", || context.budget.used() == 0).await;
        }
    }
}

#[tokio::test]
async fn texts_of_destinations_are_cut_short() {
    let text = "é".repeat(2 << 20);
    let violation = || FieldViolation { field: text.clone(), description: text.clone() };
    let error = ExportError::new(ErrorKind::InvalidData, Retry::Never, text.clone());
    let error = (0..40).fold(error, |error, _| error.with_violation(violation()));
    assert!((1_000..=1_024).contains(&error.message().len()));
    let answer = error.clone();
    let capture = Capture::answering(move |_| Err(answer.clone()));
    let config = ServerConfig::new("127.0.0.1:0");
    let server = serve_config(&HttpTransportStrategy, &capture, &context(), config).await;
    let mut peer = Http1Peer::connect(server.local_addr()).await;
    let reply = peer.post("/v1/logs", &[PROTOBUF], &fixture("valid/logs_min.pb")).await;
    assert_eq!((reply.status, reply.rpc_status().violations.len()), (400, 16));
    assert!(reply.body.len() < 40 << 10, "{}", reply.body.len());
    let accepted = Accepted { rejected: 1, message: text };
    let read = Accepted::decode(&accepted.encode()).unwrap();
    let of_json = Accepted::decode_json(&accepted.encode_json(Signal::LOGS)).unwrap();
    assert_eq!((read.rejected, read.message.len(), &of_json), (1, 1_024, &read));
}
