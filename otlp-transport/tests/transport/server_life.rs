//! Connections and servers: how many there may be, how long they live, how they end.

use crate::harness::{Capture, Http1Peer, Http2Peer, connect, context, fixture, framed, serve, serve_with};
use http_body_util::BodyExt as _;
use otlp_protocol::{Accepted, Signal};
use otlp_transport::{
    Address, BoxExport, BoxIo, GrpcTransportStrategy, HttpTransportStrategy, Listener, Net, NetFuture,
    Routes, Server, ServerConfig, ServerStrategy, TcpNet, TransportContext,
};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt as _;
use tokio::sync::Semaphore;

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const SHORT: Duration = Duration::from_millis(40);
const STRATEGIES: [&dyn ServerStrategy; 2] = [&GrpcTransportStrategy, &HttpTransportStrategy];

/// Answers when it is given a permit.
fn waiting(permits: &Arc<Semaphore>) -> Capture {
    let permits = Arc::clone(permits);
    Capture::with(move |_| {
        let permits = Arc::clone(&permits);
        Box::pin(async move {
            permits.acquire().await.unwrap().forget();
            Ok(Accepted::FULL)
        })
    })
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited in vain until {what}");
}

fn after(server: &TransportContext, duration: Duration) -> Instant {
    server.clock.now() + duration
}

fn count(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

async fn is_closed(address: &Address) -> bool {
    match TcpNet.connect(&address.to_string()).await {
        Ok(mut io) => matches!(io.read(&mut [0]).await, Ok(0) | Err(_)),
        Err(_) => true,
    }
}

#[tokio::test]
async fn draining_finishes_what_is_under_way_and_takes_nothing_new() {
    for strategy in STRATEGIES {
        let permits = Arc::new(Semaphore::new(0));
        let capture = waiting(&permits);
        let server = serve(strategy, &capture).await;
        let address = server.local_addr();
        let logs = fixture("valid/logs_min.pb");
        let peer = Http2Peer::connect(&address).await;
        let call = tokio::spawn(async move {
            match strategy.name() {
                "grpc" => peer.call(Signal::LOGS.grpc_path, &[], vec![framed(false, &logs)]).await,
                _ => peer.try_request("POST", "/v1/logs", &[PROTOBUF], vec![logs]).await.unwrap(),
            }
        });
        until("the request is taken", || permits.available_permits() == 0 && capture.taken() == 1).await;
        let deadline = after(&context(), Duration::from_secs(60));
        let draining = tokio::spawn(server.drain(deadline));
        while !is_closed(&address).await {}
        assert!(!draining.is_finished());
        permits.add_permits(1);
        let reply = call.await.unwrap();
        assert_eq!(reply.status, 200);
        draining.await.unwrap();
    }
}

#[tokio::test]
async fn draining_ends_keep_alive_and_idle_connections() {
    let permits = Arc::new(Semaphore::new(0));
    let capture = waiting(&permits);
    let server = serve(&HttpTransportStrategy, &capture).await;
    let mut busy = Http1Peer::connect(server.local_addr()).await;
    let mut idle = Http1Peer::connect(server.local_addr()).await;
    idle.post("/v1/logs", &[PROTOBUF], b"").await;
    let logs = fixture("valid/logs_min.pb");
    busy.write(format!(
        "POST /v1/logs HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
        logs.len()
    ))
    .await;
    busy.write(&logs).await;
    until("the request is taken", || capture.taken() == 1).await;
    let draining = tokio::spawn(server.drain(after(&context(), Duration::from_secs(60))));
    assert!(idle.rest().await.is_empty());
    permits.add_permits(1);
    let reply = busy.answer().await.unwrap();
    assert_eq!((reply.status, reply.header("connection")), (200, "close"));
    assert!(busy.rest().await.is_empty());
    draining.await.unwrap();
}

#[tokio::test]
async fn draining_is_over_at_the_deadline() {
    for strategy in STRATEGIES {
        let capture = waiting(&Arc::new(Semaphore::new(0)));
        let server = serve(strategy, &capture).await;
        let stats = Arc::clone(server.stats());
        let peer = Http2Peer::connect(server.local_addr()).await;
        let logs = fixture("valid/logs_min.pb");
        let call = tokio::spawn(async move {
            let headers = [("content-type", "application/grpc")];
            match strategy.name() {
                "grpc" => {
                    peer.try_request("POST", Signal::LOGS.grpc_path, &headers, vec![framed(false, &logs)])
                        .await
                }
                _ => peer.try_request("POST", "/v1/logs", &[PROTOBUF], vec![logs]).await,
            }
        });
        until("the request is taken", || capture.taken() == 1).await;
        server.drain(after(&context(), SHORT)).await;
        assert!(call.await.unwrap().is_err());
        until("no connection is open", || count(&stats.open_connections) == 0).await;
    }
}

#[tokio::test]
async fn a_server_that_leaves_says_so_and_goes_on() {
    let server = serve(&GrpcTransportStrategy, &Capture::accepting()).await;
    let peer = Http2Peer::connect(server.local_addr()).await;
    let mut watch = peer.open("/grpc.health.v1.Health/Watch", vec![framed(false, b"")]).await;
    assert_eq!(watch.frame().await.unwrap().unwrap().into_data().unwrap(), framed(false, b"\x08\x01"));
    server.leave();
    assert_eq!(watch.frame().await.unwrap().unwrap().into_data().unwrap(), framed(false, b"\x08\x02"));
    let newcomer = Http2Peer::connect(server.local_addr()).await;
    let reply =
        newcomer.call(Signal::LOGS.grpc_path, &[], vec![framed(false, &fixture("valid/logs_min.pb"))]).await;
    assert_eq!(reply.code(), 0);
    server.drain(after(&context(), Duration::from_secs(60))).await;
    assert!(watch.collect().await.is_ok(), "the drain lets watchers go");
}

#[tokio::test]
async fn a_dropped_server_lets_go_of_everything() {
    let server = serve(&GrpcTransportStrategy, &Capture::accepting()).await;
    let (address, stats) = (server.local_addr(), Arc::clone(server.stats()));
    let mut open = connect(&address).await;
    until("the connection is open", || count(&stats.open_connections) == 1).await;
    drop(server);
    assert!(matches!(open.read(&mut [0]).await, Ok(0) | Err(_)));
    until("the port is closed", || count(&stats.open_connections) == 0).await;
    assert!(is_closed(&address).await);
}

#[tokio::test]
async fn silent_slow_and_idle_connections_are_closed() {
    let http = |change: fn(&mut otlp_transport::ServerLimits)| async move {
        serve_with(&HttpTransportStrategy, &Capture::accepting(), &context(), change).await
    };
    let silent: Server = serve_with(&GrpcTransportStrategy, &Capture::accepting(), &context(), |limits| {
        limits.header_timeout = SHORT;
    })
    .await;
    let slow = http(|limits| limits.header_timeout = SHORT).await;
    let idle = http(|limits| limits.idle_timeout = SHORT).await;

    assert!(is_closed(&silent.local_addr()).await);
    for begun in ["", "P", "PRI * HT", "POST /v1/logs HTTP/1.1\r\nhost: a\r\nx: "] {
        let mut peer = Http1Peer::connect(slow.local_addr()).await;
        peer.write(begun).await;
        assert!(peer.rest().await.is_empty(), "{begun:?}");
    }
    for server in [&slow, &idle] {
        let mut peer = Http1Peer::connect(server.local_addr()).await;
        assert_eq!(peer.post("/v1/logs", &[PROTOBUF], b"").await.status, 200);
        if std::ptr::eq(server, &slow) {
            peer.write("POST /v1/logs HTTP/1.1\r\n").await;
        }
        assert!(peer.rest().await.is_empty());
    }
    let timed_out = [&silent, &slow, &idle].map(|server| count(&server.stats().timed_out_connections));
    assert_eq!(timed_out, [1, 5, 1]);
}

#[tokio::test]
async fn a_request_under_way_keeps_its_connection() {
    let permits = Arc::new(Semaphore::new(0));
    let server = serve_with(&HttpTransportStrategy, &waiting(&permits), &context(), |limits| {
        limits.header_timeout = SHORT;
        limits.idle_timeout = SHORT;
    })
    .await;
    let mut peer = Http1Peer::connect(server.local_addr()).await;
    tokio::spawn(async move {
        tokio::time::sleep(4 * SHORT).await;
        permits.add_permits(1);
    });
    let reply = peer.post("/v1/logs", &[PROTOBUF], &fixture("valid/logs_min.pb")).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn http2_connections_without_open_requests_go_away() {
    for strategy in STRATEGIES {
        let permits = Arc::new(Semaphore::new(0));
        let server = serve_with(strategy, &waiting(&permits), &context(), |limits| {
            limits.max_connection_idle = Some(SHORT);
        })
        .await;
        let peer = Http2Peer::connect(server.local_addr()).await;
        let logs = fixture("valid/logs_min.pb");
        let (path, headers, body) = match strategy.name() {
            "grpc" => (Signal::LOGS.grpc_path, ("content-type", "application/grpc"), framed(false, &logs)),
            _ => ("/v1/logs", PROTOBUF, logs),
        };
        let release = async {
            tokio::time::sleep(4 * SHORT).await;
            assert_eq!(count(&server.stats().open_connections), 1, "a request is open");
            permits.add_permits(1);
        };
        let headers = [headers];
        let (reply, ()) = tokio::join!(peer.try_request("POST", path, &headers, vec![body]), release);
        assert_eq!(reply.unwrap().status, 200);
        until("the connection is closed", || count(&server.stats().open_connections) == 0).await;
        assert_eq!(count(&server.stats().timed_out_connections), 1);
    }
}

#[tokio::test]
async fn a_mute_http2_connection_is_not_waited_for() {
    let server = serve_with(&GrpcTransportStrategy, &Capture::accepting(), &context(), |limits| {
        limits.max_connection_idle = Some(SHORT);
        limits.keepalive_timeout = SHORT;
    })
    .await;
    let mut mute = Http1Peer::connect(server.local_addr()).await;
    mute.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    let said = mute.rest().await;
    // GOAWAY: a payload of 8 bytes on stream 0.
    assert!(said.windows(9).any(|frame| frame == [0, 0, 8, 7, 0, 0, 0, 0, 0]), "{said:?}");
    assert_eq!(count(&server.stats().timed_out_connections), 1);
}

#[tokio::test]
async fn watching_health_keeps_a_connection() {
    let server = serve_with(&GrpcTransportStrategy, &Capture::accepting(), &context(), |limits| {
        limits.max_connection_idle = Some(SHORT);
    })
    .await;
    let peer = Http2Peer::connect(server.local_addr()).await;
    let mut watch = peer.open("/grpc.health.v1.Health/Watch", vec![framed(false, b"")]).await;
    assert!(watch.frame().await.unwrap().is_ok());
    tokio::time::sleep(4 * SHORT).await;
    assert_eq!(count(&server.stats().timed_out_connections), 0);
    drop(watch);
    until("the connection is closed", || count(&server.stats().open_connections) == 0).await;
    assert_eq!(count(&server.stats().timed_out_connections), 1);
}

#[tokio::test]
async fn old_connections_finish_and_close() {
    for grace in [None, Some(SHORT)] {
        let permits = Arc::new(Semaphore::new(0));
        let capture = waiting(&permits);
        let server = serve_with(&GrpcTransportStrategy, &capture, &context(), |limits| {
            limits.max_connection_age = Some(SHORT);
            limits.max_connection_age_grace = grace;
        })
        .await;
        let peer = Http2Peer::connect(server.local_addr()).await;
        let headers = [("content-type", "application/grpc")];
        let frames = vec![framed(false, &fixture("valid/logs_min.pb"))];
        let call = peer.try_request("POST", Signal::LOGS.grpc_path, &headers, frames);
        let release = async {
            tokio::time::sleep(4 * SHORT).await;
            permits.add_permits(1);
        };
        let (reply, ()) = tokio::join!(call, release);
        assert_eq!(reply.is_ok(), grace.is_none(), "{reply:?}");
        until("the connection is closed", || count(&server.stats().open_connections) == 0).await;
    }
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let server = serve(&HttpTransportStrategy, &Capture::accepting()).await;
    let large = "x".repeat(17 << 10);
    let mut http1 = Http1Peer::connect(server.local_addr()).await;
    assert_eq!(http1.post("/v1/logs", &[PROTOBUF, ("x", &large)], b"").await.status, 431);
    until("it is counted", || count(&server.stats().refused_headers) == 1).await;
    assert_eq!(count(&server.stats().refused_requests), 1);
    let http2 = Http2Peer::connect(server.local_addr()).await;
    let refused = http2.try_request("POST", "/v1/logs", &[PROTOBUF, ("x", &large)], vec![]).await;
    assert!(refused.as_ref().map_or(true, |reply| reply.status == 431), "{refused:?}");
    let headers = [PROTOBUF, ("x", &large[..12 << 10])];
    assert_eq!(http2.try_request("POST", "/v1/logs", &headers, vec![]).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_flood_of_resets_costs_its_own_connection() {
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    // HEADERS with :method POST, :scheme http, :path /; then RST_STREAM with CANCEL.
    let open_and_reset = |stream: u32| {
        let id = stream.to_be_bytes();
        [&[0, 0, 3, 1, 4], &id[..], &[0x83, 0x86, 0x84], &[0, 0, 4, 3, 0], &id, &[0, 0, 0, 8]].concat()
    };
    for strategy in STRATEGIES {
        let server = serve(strategy, &Capture::accepting()).await;
        let peer = Http2Peer::connect(server.local_addr()).await;
        let mut flood = Http1Peer::connect(server.local_addr()).await;
        let streams = (0..1000).flat_map(|n| open_and_reset(2 * n + 1));
        let frames: Vec<u8> =
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".iter().chain(SETTINGS).copied().chain(streams).collect();
        flood.write(frames).await;
        let answer = flood.rest().await;
        // The payload of GOAWAY ends with ENHANCE_YOUR_CALM and a reason.
        assert!(answer.windows(4).any(|code| code == [0, 0, 0, 11]), "{answer:?}");
        let path = Signal::LOGS.grpc_path;
        assert!(peer.try_request("POST", path, &[], vec![]).await.is_ok());
    }
}

/// Fails to accept for want of file descriptors, every other time.
#[derive(Debug)]
struct FailingNet;

struct FailingListener(Box<dyn Listener>, AtomicU64);

impl Net for FailingNet {
    fn bind<'a>(&'a self, address: &'a str) -> NetFuture<'a, Box<dyn Listener>> {
        Box::pin(async move {
            let listener = FailingListener(TcpNet.bind(address).await?, AtomicU64::new(0));
            Ok(Box::new(listener) as Box<dyn Listener>)
        })
    }

    fn connect<'a>(&'a self, address: &'a str) -> NetFuture<'a, BoxIo> {
        TcpNet.connect(address)
    }
}

impl Listener for FailingListener {
    fn accept(&self) -> NetFuture<'_, (BoxIo, Address)> {
        const EMFILE: i32 = 24;
        match self.1.fetch_add(1, Ordering::Relaxed) % 2 {
            0 => Box::pin(std::future::ready(Err(io::Error::from_raw_os_error(EMFILE)))),
            _ => self.0.accept(),
        }
    }

    fn local_addr(&self) -> io::Result<Address> {
        self.0.local_addr()
    }
}

#[tokio::test]
async fn failing_to_accept_is_survived_and_counted() {
    let context = TransportContext { net: Arc::new(FailingNet), ..context() };
    let routes = Capture::accepting().routes();
    let server =
        HttpTransportStrategy.bind(&context, ServerConfig::new("127.0.0.1:0"), routes).await.unwrap();
    for _ in 0..3 {
        let mut peer = Http1Peer::connect(server.local_addr()).await;
        assert_eq!(peer.post("/v1/logs", &[PROTOBUF], b"").await.status, 200);
    }
    assert!(count(&server.stats().accept_errors) >= 3);
}

/// Connections stay open while what they may send changes.
#[tokio::test]
async fn routes_come_and_go_while_a_server_runs() {
    let (sink, routes) = (Capture::accepting(), Routes::new());
    let config = ServerConfig::new("127.0.0.1:0");
    let server = HttpTransportStrategy.bind(&context(), config.clone(), routes.clone()).await.unwrap();
    let mut http = Http1Peer::connect(server.local_addr()).await;
    assert_eq!(http.post("/v1/logs", &[PROTOBUF], b"").await.status, 404);
    let route = routes.add(Signal::LOGS, Signal::LOGS.http_path, BoxExport::new(sink.clone()));
    let grpc_server = GrpcTransportStrategy.bind(&context(), config, routes).await.unwrap();
    let grpc = Http2Peer::connect(grpc_server.local_addr()).await;
    assert_eq!(http.post("/v1/logs", &[PROTOBUF], b"").await.status, 200);
    let call = || grpc.call(Signal::LOGS.grpc_path, &[], vec![framed(false, b"")]);
    assert_eq!(call().await.code(), 0);
    drop(route);
    assert_eq!(http.post("/v1/logs", &[PROTOBUF], b"").await.status, 404);
    assert_eq!(call().await.code(), 12);
}
