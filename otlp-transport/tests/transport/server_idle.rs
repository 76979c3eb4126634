//! Idle connections: they cost little, and make room for new ones.

use crate::harness::{Capture, Http1Peer, Http2Peer, connect, context, fixture, framed, serve_with};
use otlp_protocol::{Accepted, Signal};
use otlp_transport::{
    Address, Connections, GrpcTransportStrategy, HttpTransportStrategy, Page, Server, ServerStrategy,
    TransportContext, serve_pages,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::sync::Semaphore;

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const SHORT: Duration = Duration::from_millis(40);
const STRATEGIES: [&dyn ServerStrategy; 2] = [&GrpcTransportStrategy, &HttpTransportStrategy];

fn count(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
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

async fn ask(strategy: &dyn ServerStrategy, peer: &Http2Peer) -> Result<u16, hyper::Error> {
    let logs = fixture("valid/logs_min.pb");
    let (path, headers, body) = match strategy.name() {
        "grpc" => (Signal::LOGS.grpc_path, ("content-type", "application/grpc"), framed(false, &logs)),
        _ => ("/v1/logs", PROTOBUF, logs),
    };
    peer.try_request("POST", path, &[headers], vec![body]).await.map(|reply| reply.status)
}

/// A server of at most two connections.
async fn of_two(strategy: &dyn ServerStrategy, capture: &Capture) -> Server {
    let context = TransportContext { connections: Arc::new(Connections::new(2)), ..context() };
    serve_with(strategy, capture, &context, |_| {}).await
}

#[tokio::test]
async fn the_longest_idle_connection_makes_room_for_a_new_one() {
    for strategy in STRATEGIES {
        let server = of_two(strategy, &Capture::accepting()).await;
        let mut silent = connect(server.local_addr()).await;
        until("it is open", || count(&server.stats().open_connections) == 1).await;
        let used = Http2Peer::connect(server.local_addr()).await;
        assert_eq!(ask(strategy, &used).await.unwrap(), 200);
        let new = Http2Peer::connect(server.local_addr()).await;
        assert_eq!(ask(strategy, &new).await.unwrap(), 200);
        assert!(matches!(silent.read(&mut [0]).await, Ok(0) | Err(_)), "it made room");
        assert_eq!(count(&server.stats().evicted_connections), 1);
        assert_eq!(ask(strategy, &used).await.unwrap(), 200);
        assert_eq!(count(&server.stats().refused_connections), 0);
    }
}

#[tokio::test]
async fn connections_with_requests_do_not_make_room() {
    for strategy in STRATEGIES {
        let permits = Arc::new(Semaphore::new(0));
        let waiting = Arc::clone(&permits);
        let capture = Capture::with(move |_| {
            let permits = Arc::clone(&waiting);
            Box::pin(async move {
                permits.acquire().await.unwrap().forget();
                Ok(Accepted::FULL)
            })
        });
        let server = of_two(strategy, &capture).await;
        let calls: Vec<_> = (0..2)
            .map(|_| {
                let address = server.local_addr();
                tokio::spawn(async move { ask(strategy, &Http2Peer::connect(address).await).await })
            })
            .collect();
        until("both are asked", || capture.taken() == 2).await;
        let mut third = connect(server.local_addr()).await;
        assert!(matches!(third.read(&mut [0]).await, Ok(0) | Err(_)));
        assert_eq!(count(&server.stats().refused_connections), 1);
        permits.add_permits(2);
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap(), 200);
        }
    }
}

/// Scenario: a used HTTP/2 connection, long idle. Guarantee: it is told to go away, and a request that crosses that is
/// answered or can be sent again.
#[tokio::test]
async fn a_used_connection_is_found_idle_and_makes_room() {
    for strategy in STRATEGIES {
        let context = TransportContext { connections: Arc::new(Connections::new(1)), ..context() };
        let server = serve_with(strategy, &Capture::accepting(), &context, |limits| {
            limits.max_connection_idle = Some(4 * SHORT);
        })
        .await;
        let used = Http2Peer::connect(server.local_addr()).await;
        assert_eq!(ask(strategy, &used).await.unwrap(), 200);
        until("it is found idle, or closed", || {
            count(&server.stats().timed_out_connections) + count(&server.stats().open_connections) == 1
        })
        .await;
        let served = async {
            loop {
                let new = Http2Peer::connect(server.local_addr()).await;
                if ask(strategy, &new).await.is_ok_and(|status| status == 200) {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), served).await.unwrap();
    }
}

#[tokio::test]
async fn a_parked_connection_goes_on() {
    let server = serve_with(&HttpTransportStrategy, &Capture::accepting(), &context(), |limits| {
        limits.header_timeout = SHORT;
    })
    .await;
    let mut peer = Http1Peer::connect(server.local_addr()).await;
    let logs = fixture("valid/logs_min.pb");
    for _ in 0..3 {
        assert_eq!(peer.post("/v1/logs", &[PROTOBUF], &logs).await.status, 200);
        tokio::time::sleep(2 * SHORT).await;
    }
    // A head that comes in two pieces after the pause, and one that never ends.
    peer.write("POST /v1/logs HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-protobuf\r\n").await;
    peer.write(format!("content-length: {}\r\n\r\n", logs.len())).await;
    peer.write(&logs).await;
    assert_eq!(peer.answer().await.unwrap().status, 200);
    tokio::time::sleep(2 * SHORT).await;
    peer.write("POST /v1/logs HT").await;
    assert!(peer.rest().await.is_empty());
    assert_eq!(count(&server.stats().timed_out_connections), 1);
}

#[tokio::test]
async fn draining_closes_a_parked_connection() {
    let context = context();
    let server = serve_with(&HttpTransportStrategy, &Capture::accepting(), &context, |limits| {
        limits.header_timeout = SHORT;
    })
    .await;
    let mut peer = Http1Peer::connect(server.local_addr()).await;
    assert_eq!(peer.post("/v1/logs", &[PROTOBUF], b"").await.status, 200);
    tokio::time::sleep(2 * SHORT).await;
    server.drain(context.clock.now() + Duration::from_secs(60)).await;
    assert!(peer.rest().await.is_empty());
}

#[tokio::test]
async fn a_probe_is_answered_beside_any_number_of_silent_connections() {
    let page = || Page { status: 200, content_type: "text/plain", body: "well\n".into() };
    let server = serve_pages(&context(), "127.0.0.1:0", move |_| Some(page())).await.unwrap();
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(connect(server.local_addr()).await);
    }
    let probe = async |address: Address| {
        let mut peer = Http1Peer::connect(address).await;
        peer.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        peer.answer().await.unwrap().status
    };
    let answered = tokio::time::timeout(Duration::from_secs(5), probe(server.local_addr())).await;
    assert_eq!(answered.unwrap(), 200);
    assert!(matches!(silent[0].read(&mut [0]).await, Ok(0) | Err(_)), "the oldest made room");
}
