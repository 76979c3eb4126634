//! A server whose place another one takes: peers go in their own time.

use crate::harness::{Capture, Http1Peer, Http2Peer, context, fixture, framed, serve};
use http_body_util::BodyExt as _;
use otlp_protocol::Signal;
use otlp_transport::{GrpcTransportStrategy, HttpTransportStrategy, Net as _, TcpNet};
use std::time::Duration;
use tokio::time::timeout;

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const LONG: Duration = Duration::from_secs(20);

/// Closed under a client that is about to write, a connection would cost that request.
#[tokio::test]
async fn a_keep_alive_connection_is_told_to_go_with_its_next_answer() {
    let server = serve(&HttpTransportStrategy, &Capture::accepting()).await;
    let mut peer = Http1Peer::connect(server.local_addr()).await;
    let first = peer.post("/v1/logs", &[PROTOBUF], b"").await;
    assert_eq!((first.status, first.header("connection")), (200, ""));
    let address = server.local_addr().to_string();
    let retiring = tokio::spawn(async move {
        server.retire().await;
        server
    });
    // It accepts no more.
    timeout(LONG, async { while TcpNet.connect(&address).await.is_ok() {} }).await.unwrap();
    assert!(!retiring.is_finished());
    let last = peer.post("/v1/logs", &[PROTOBUF], b"").await;
    assert_eq!((last.status, last.header("connection")), (200, "close"));
    assert!(peer.rest().await.is_empty());
    let server = timeout(LONG, retiring).await.unwrap().unwrap();
    server.drain(context().clock.now()).await;
}

#[tokio::test]
async fn an_http2_connection_finishes_what_is_under_way_and_health_is_not_unwell() {
    let server = serve(&GrpcTransportStrategy, &Capture::accepting()).await;
    let peer = Http2Peer::connect(server.local_addr()).await;
    let logs = || vec![framed(false, &fixture("valid/logs_min.pb"))];
    assert_eq!(peer.call(Signal::LOGS.grpc_path, &[], logs()).await.code(), 0);
    let mut watch = peer.open("/grpc.health.v1.Health/Watch", vec![framed(false, b"")]).await;
    assert_eq!(watch.frame().await.unwrap().unwrap().into_data().unwrap(), framed(false, b"\x08\x01"));
    timeout(LONG, server.retire()).await.unwrap();
    let rest = watch.collect().await.unwrap();
    assert!(rest.to_bytes().is_empty(), "watchers are let go without a word of bad health");
}

#[tokio::test]
async fn a_drain_closes_the_idle_connections_of_a_retired_server() {
    let server = serve(&HttpTransportStrategy, &Capture::accepting()).await;
    let mut idle = Http1Peer::connect(server.local_addr()).await;
    idle.post("/v1/logs", &[PROTOBUF], b"").await;
    assert!(timeout(Duration::from_millis(100), server.retire()).await.is_err());
    timeout(LONG, server.drain(context().clock.now() + LONG)).await.unwrap();
    assert!(idle.rest().await.is_empty());
}
