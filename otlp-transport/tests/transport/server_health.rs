//! The health service: who is told what, as a generated client reads it, and when watchers are let go.

use crate::harness::engines::{Engine, Port, Served};
use crate::harness::{Capture, Http2Peer, connect, context, framed, serve};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use otlp_protocol::{Accepted, Signal};
use otlp_transport::{
    BoxExport, Clock as _, GrpcTransportStrategy, HealthSource, Routes, ServerConfig, ServerStrategy as _,
    TokioClock, codec,
};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tonic::Code;
use tonic::codegen::Service;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const CHECK: &str = "/grpc.health.v1.Health/Check";
const WATCH: &str = "/grpc.health.v1.Health/Watch";
const SERVING: &[u8] = b"\x08\x01";
const NOT_SERVING: &[u8] = b"\x08\x02";
const SERVICE_UNKNOWN: &[u8] = b"\x08\x03";

on_each_engine!(
    health_is_told_of_the_server_and_of_each_service,
    a_check_that_is_none_is_refused,
    a_check_may_be_compressed,
    health_turns_and_its_watchers_are_let_go,
    who_watches_what_is_not_there_is_told_and_waits,
    names_of_a_source_are_answered_beside_the_services,
);

/// A `HealthCheckRequest`, framed.
fn asking(service: &str) -> Vec<Bytes> {
    let message = [&[0x0a, service.len() as u8], service.as_bytes()].concat();
    vec![framed(false, if service.is_empty() { b"" } else { &message })]
}

async fn served(engine: Engine) -> Served {
    engine.serve(Port::Grpc, &Capture::accepting()).await
}

async fn health_is_told_of_the_server_and_of_each_service(engine: Engine) {
    let server = served(engine).await;
    let peer = server.http2().await;
    for service in ["", "opentelemetry.proto.collector.trace.v1.TraceService"] {
        let reply = peer.call(CHECK, &[], asking(service)).await;
        assert_eq!((reply.code(), &reply.body), (0, &framed(false, SERVING)), "{service}");
        assert!(reply.has_trailers);
    }
    for service in ["opentelemetry.Nothing", "opentelemetry.proto.collector.trace.v1.TraceService/Export"] {
        let reply = peer.call(CHECK, &[], asking(service)).await;
        assert_eq!((reply.code(), reply.has_trailers), (5, false), "{service}");
    }
    server.leave();
    assert_eq!(peer.call(CHECK, &[], asking("")).await.body, framed(false, NOT_SERVING));
}

async fn a_check_that_is_none_is_refused(engine: Engine) {
    let server = served(engine).await;
    let peer = server.http2().await;
    // Fields that nobody knows are skipped; the last service counts.
    let known = [b"\x10\x05", &b"\x0a\x01x"[..], b"\x0a\x00"].concat();
    assert_eq!(peer.call(CHECK, &[], vec![framed(false, &known)]).await.body, framed(false, SERVING));
    for message in [&b"\x0a\x05a"[..], b"\x0a\x01\xff", b"\xff"] {
        assert_eq!(peer.call(CHECK, &[], vec![framed(false, message)]).await.code(), 13, "{message:?}");
    }
    assert_eq!(peer.call(CHECK, &[], vec![]).await.code(), 13, "no message at all");
    assert_eq!(peer.call("/grpc.health.v1.Health/List", &[], asking("")).await.code(), 12);
}

async fn a_check_may_be_compressed(engine: Engine) {
    let server = served(engine).await;
    let peer = server.http2().await;
    let gzip = codec("gzip").unwrap().compressor().unwrap();
    let compress = |message: Vec<u8>| gzip.compress(&message.into(), &context().buffers).unwrap();
    let headers = [("grpc-encoding", "gzip")];
    let check = framed(true, &compress(b"\x0a\x00".to_vec()));
    assert_eq!(peer.call(CHECK, &headers, vec![check]).await.body, framed(false, SERVING));
    let large = framed(true, &compress(vec![0; 5_000]));
    assert_eq!(peer.call(CHECK, &headers, vec![large]).await.code(), 8);
    assert_eq!(peer.call(CHECK, &[], vec![framed(true, b"")]).await.code(), 13);
}

async fn health_turns_and_its_watchers_are_let_go(engine: Engine) {
    let server = served(engine).await;
    let mut watch = server.http2().await.open(WATCH, asking("")).await;
    let serving = watch.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(serving, framed(false, SERVING));
    let drain = tokio::spawn(server.drain());
    let rest = watch.collect().await.unwrap();
    assert_eq!(rest.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(rest.to_bytes(), framed(false, NOT_SERVING));
    drain.await.unwrap();
}

async fn who_watches_what_is_not_there_is_told_and_waits(engine: Engine) {
    let server = served(engine).await;
    let mut watch = server.http2().await.open(WATCH, asking("opentelemetry.Nothing")).await;
    let unknown = watch.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(unknown, framed(false, SERVICE_UNKNOWN));
    server.leave();
    assert!(tokio::time::timeout(Duration::from_millis(20), watch.frame()).await.is_err());
    let drain = tokio::spawn(server.drain());
    let rest = watch.collect().await.unwrap();
    assert_eq!(rest.trailers().unwrap()["grpc-status"], "0");
    assert!(rest.to_bytes().is_empty());
    drain.await.unwrap();
}

/// A source that knows one name, whose health is switched.
#[derive(Clone, Debug, Default)]
struct Store(Arc<AtomicBool>);

impl HealthSource for Store {
    fn is_serving(&self, name: &str) -> Option<bool> {
        matches!(name, "" | "store").then(|| self.0.load(Ordering::Relaxed))
    }
}

async fn names_of_a_source_are_answered_beside_the_services(engine: Engine) {
    let (store, mut config) = (Store::default(), ServerConfig::new("127.0.0.1:0"));
    config.health = Some(Arc::new(store.clone()));
    let server = engine.serve_config(Port::Grpc, &Capture::accepting(), &context(), config).await;
    let peer = server.http2().await;
    let check = async |name| peer.call(CHECK, &[], asking(name)).await;
    for name in ["", "store"] {
        assert_eq!(check(name).await.body, framed(false, NOT_SERVING), "{name}");
    }
    let traces = "opentelemetry.proto.collector.trace.v1.TraceService";
    assert_eq!(check(traces).await.body, framed(false, SERVING));
    assert_eq!(check("other").await.code(), 5);
    let mut watch = server.http2().await.open(WATCH, asking("store")).await;
    assert_eq!(watch.frame().await.unwrap().unwrap().into_data().unwrap(), framed(false, NOT_SERVING));
    store.0.store(true, Ordering::Relaxed);
    assert_eq!(watch.frame().await.unwrap().unwrap().into_data().unwrap(), framed(false, SERVING));
    assert_eq!(check("").await.body, framed(false, SERVING));
    server.leave();
    assert_eq!(check("store").await.body, framed(false, NOT_SERVING));
    drop(watch);
    server.drain().await;
}

#[tokio::test]
async fn watchers_hear_of_routes_that_come_and_go() {
    let (routes, config) = (Routes::new(), ServerConfig::new("127.0.0.1:0"));
    let server = GrpcTransportStrategy.bind(&context(), config, routes.clone()).await.unwrap();
    let peer = Http2Peer::connect(server.local_addr()).await;
    let service = "opentelemetry.proto.collector.trace.v1.TraceService";
    let mut watch = peer.open(WATCH, asking(service)).await;
    let mut next = async || watch.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(next().await, framed(false, SERVICE_UNKNOWN));
    let sink = BoxExport::from_fn(|_batch| async { Ok(Accepted::FULL) });
    let route = routes.add(Signal::TRACES, Signal::TRACES.http_path, sink.clone());
    assert_eq!(next().await, framed(false, SERVING));
    // A change that leaves the service as it is sends nothing.
    let _logs = routes.add(Signal::LOGS, Signal::LOGS.http_path, sink);
    drop(route);
    assert_eq!(next().await, framed(false, SERVICE_UNKNOWN));
    assert_eq!(peer.call(CHECK, &[], asking(service)).await.code(), 5);
    server.drain(TokioClock.now() + Duration::from_secs(60)).await;
}

/// One connection, as a generated client wants it.
#[derive(Clone)]
pub(crate) struct Channel(pub(crate) SendRequest<tonic::body::Body>);

impl Service<http::Request<tonic::body::Body>> for Channel {
    type Response = http::Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, hyper::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let mut sender = self.0.clone();
        Box::pin(async move { sender.send_request(request).await })
    }
}

#[tokio::test]
async fn a_generated_client_checks_and_watches() {
    let server = serve(&GrpcTransportStrategy, &Capture::accepting()).await;
    let io = TokioIo::new(connect(server.local_addr()).await);
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let mut client = HealthClient::with_origin(Channel(sender), "http://localhost".parse().unwrap());
    let request = |service: &str| HealthCheckRequest { service: service.into() };

    let logs = "opentelemetry.proto.collector.logs.v1.LogsService";
    for service in ["", logs] {
        let reply = client.check(request(service)).await.unwrap().into_inner();
        assert_eq!(reply.status(), ServingStatus::Serving, "{service}");
    }
    let error = client.check(request("a.B")).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::NotFound, "service not registered"));

    let mut watch = client.watch(request(logs)).await.unwrap().into_inner();
    let mut unknown = client.watch(request("a.B")).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    assert_eq!(unknown.message().await.unwrap().unwrap().status(), ServingStatus::ServiceUnknown);
    server.leave();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert_eq!(client.check(request("")).await.unwrap().into_inner().status(), ServingStatus::NotServing);
    let drain = tokio::spawn(server.drain(TokioClock.now() + Duration::from_secs(60)));
    assert!(watch.message().await.unwrap().is_none());
    assert!(unknown.message().await.unwrap().is_none());
    drain.await.unwrap();
}
