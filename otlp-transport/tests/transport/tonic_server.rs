//! Our gRPC services in a real tonic server, beside another service.

use crate::harness::{Capture, connect};
use hyper_util::rt::{TokioExecutor, TokioIo};
use otlp_protocol::{Accepted, Batch, Charge, ErrorKind, Retry, Signal, ValidateLimits};
use otlp_transport::tonic::{Services, services};
use otlp_transport::{
    ClientConfig, Compression, Export, ExportError, ExportResult, GrpcClient, Routes, ServerConfig,
    TransportContext,
};
use std::sync::atomic::Ordering::Relaxed;
use tokio::task::AbortHandle;
use tonic::server::NamedService;
use tonic::service::RoutesBuilder;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::server::{Server, TcpIncoming};
use tonic::{Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// A tonic server until it is dropped.
struct Running(AbortHandle);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Lets in those who know the word.
fn check(request: Request<()>) -> Result<Request<()>, Status> {
    match request.metadata().get("x-word") {
        Some(word) if word == "please" => Ok(request),
        _ => Err(Status::unauthenticated("x-word is missing or wrong")),
    }
}

/// Starts a tonic server with our services, of which logs have an interceptor, and tonic's own health service.
async fn served(otlp: &Services) -> (String, Running) {
    let (_, health) = tonic_health::server::health_reporter();
    let mut routes = RoutesBuilder::default();
    let Services { traces, metrics, logs, profiles, .. } = otlp.clone();
    routes.add_service(traces).add_service(metrics).add_service(profiles).add_service(health);
    routes.add_service(InterceptedService::new(logs, check));
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = incoming.local_addr().unwrap();
    let server = Server::builder().add_routes(routes.routes()).serve_with_incoming(incoming);
    (address.to_string(), Running(tokio::spawn(server).abort_handle()))
}

fn client(context: &TransportContext, address: &str, change: impl FnOnce(&mut ClientConfig)) -> GrpcClient {
    let mut config = ClientConfig::new(format!("http://{address}"));
    change(&mut config);
    GrpcClient::new(context, &config).unwrap()
}

/// One resource of one scope with one empty entry.
fn one_entry(signal: Signal) -> Batch {
    let body = b"\x0a\x04\x12\x02\x12\x00".to_vec();
    Batch::checked(signal, body, &ValidateLimits::default(), Charge::none()).unwrap()
}

/// A batch of bytes that the sender did not look at.
fn unchecked(signal: Signal, body: Vec<u8>) -> Batch {
    let count = one_entry(signal).count();
    Batch::unchecked(signal, body, count, true, Charge::none())
}

#[tokio::test]
async fn all_signals_are_served_beside_others_and_interceptors_are_asked() {
    let context = TransportContext::tcp(64 << 20);
    let capture = Capture::accepting();
    let otlp = services(&context, &ServerConfig::new(""), capture.routes()).unwrap();
    let (address, _running) = served(&otlp).await;
    let stranger = client(&context, &address, |_| {});
    let error = stranger.export(one_entry(Signal::LOGS)).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Unauthenticated, "x-word is missing or wrong"));
    let known = client(&context, &address, |config| {
        config.headers.push(("x-word".into(), "please".into()));
        config.compression = Compression::Zstd;
    });
    for signal in Signal::ALL {
        assert_eq!(known.export(one_entry(signal)).await.unwrap(), Accepted::FULL, "{signal}");
    }
    assert_eq!(capture.take().iter().map(|taken| taken.0).collect::<Vec<_>>(), Signal::ALL);
    assert_eq!((otlp.stats().accepted_requests.load(Relaxed), context.budget.used()), (4, 0));

    let io = TokioIo::new(connect(&address).await);
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    let connection = tokio::spawn(connection);
    let channel = crate::server_health::Channel(sender);
    let mut health = HealthClient::with_origin(channel, "http://localhost".parse().unwrap());
    assert!(health.check(HealthCheckRequest::default()).await.is_ok(), "tonic's own service");
    connection.abort();
}

#[test]
fn services_have_the_names_of_the_specification() {
    fn name<S: NamedService>(_: &S) -> &'static str {
        S::NAME
    }
    let otlp = services(&TransportContext::tcp(1), &ServerConfig::new(""), Routes::new()).unwrap();
    let names = [name(&otlp.traces), name(&otlp.metrics), name(&otlp.logs), name(&otlp.profiles)];
    assert_eq!(Signal::ALL.map(|signal| signal.grpc_path), names.map(|name| format!("/{name}/Export")));
}

#[tokio::test]
async fn requests_are_checked_limited_and_charged_as_by_our_own_server() {
    let context = TransportContext::tcp(64 << 10);
    let capture = Capture::accepting();
    let mut config = ServerConfig::new("");
    config.limits.max_request_bytes = 32 << 10;
    let otlp = services(&context, &config, capture.routes()).unwrap();
    let (address, _running) = served(&otlp).await;
    let sender = client(&TransportContext::tcp(64 << 20), &address, |_| {});

    let error =
        sender.export(unchecked(Signal::TRACES, b"\x0a\x04\x12\x09\x12\x00".to_vec())).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::InvalidData, Retry::Never));
    assert!(error.message().contains("scope_spans"), "{error}");

    let error = sender.export(unchecked(Signal::TRACES, vec![0x7a; 40 << 10])).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::TooLarge, Retry::Never), "{error}");

    let held = context.budget.try_charge(60 << 10).unwrap();
    let attribute = [b"\x7a\x90\x4e".as_slice(), &[b' '; 10_000]].concat();
    let error = sender.export(unchecked(Signal::TRACES, attribute)).await.unwrap_err();
    assert!(matches!(error.retry(), Retry::After(_)), "RetryInfo is a detail of the status: {error:?}");
    drop(held);
    assert_eq!(otlp.stats().refused_requests.load(Relaxed), 3);
    assert_eq!(capture.taken(), 0);
    assert_eq!(context.budget.used(), 0);
}

#[tokio::test]
async fn answers_of_the_export_reach_the_client() {
    fn answer(_: Batch) -> std::future::Ready<ExportResult> {
        std::future::ready(Err(ExportError::refused(ErrorKind::Unavailable, "later")))
    }
    let context = TransportContext::tcp(64 << 20);
    let only_traces = Routes::new().with(Signal::TRACES, otlp_transport::BoxExport::from_fn(answer));
    let otlp = services(&context, &ServerConfig::new(""), only_traces).unwrap();
    let (address, _running) = served(&otlp).await;
    let sender = client(&context, &address, |_| {});
    let error = sender.export(one_entry(Signal::TRACES)).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Unavailable, "later"));
    let error = sender.export(one_entry(Signal::METRICS)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unimplemented);
}

#[test]
fn a_setting_that_cannot_work_is_an_error() {
    let mut config = ServerConfig::new("");
    config.encodings = Some(vec!["rot13".into()]);
    let error = services(&TransportContext::tcp(1), &config, Routes::new()).unwrap_err();
    assert_eq!(error.key, "encodings");
}
