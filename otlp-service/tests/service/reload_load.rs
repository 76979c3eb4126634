//! Reloads while senders send all the time: no request fails, no connection is refused, and nothing is lost.

use crate::gateway::address;
use crate::harness::*;
use crate::holders::{exporter, pipeline, start};
use crate::reload::{batch_stage, out};
use otlp_protocol::Signal;
use otlp_service::{
    Fingerprint, Gateway, GatewaySpec, HealthSpec, MetricsPage, PipelineSpec, ReceiverSpec, ServerSpec,
    StartError,
};
use otlp_transport::{
    ClientConfig, ClientStrategy, Export as _, GrpcTransportStrategy, HttpTransportStrategy, Net as _,
    ServerConfig, ServerStrategy, TcpNet, TransportContext,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

fn receiver(id: &str, settings: u64) -> ReceiverSpec {
    let server = |strategy: Arc<dyn ServerStrategy>| {
        let mut config = ServerConfig::new("127.0.0.1:0");
        config.limits.max_concurrent_streams = 100 + u32::try_from(settings).unwrap();
        ServerSpec::new(strategy, config)
    };
    let servers = vec![server(Arc::new(GrpcTransportStrategy)), server(Arc::new(HttpTransportStrategy))];
    ReceiverSpec::otlp(id, servers).with_settings(Fingerprint::of(&settings))
}

/// The spec after so many changes. Each changes something else.
fn spec(number: u64, sinks: &[Sink; 2]) -> GatewaySpec {
    let mut config = batch_config();
    config.timeout = Duration::from_millis(20);
    let queue_settings = (number / 3).to_string();
    let mut logs_in = pipeline("logs", &["otlp", "otlp/extra"], &["out", "direct"]);
    logs_in.stages = vec![batch_stage(config, &(number / 2).to_string())];
    let mut receivers = vec![receiver("otlp", number / 5)];
    if number.is_multiple_of(2) {
        receivers.push(receiver("otlp/extra", 0));
    } else {
        logs_in.receivers.pop();
    }
    let mut pipelines = vec![logs_in];
    if number % 4 < 2 {
        let traces = pipeline("traces", &["otlp"], &["out"]);
        pipelines.push(PipelineSpec { signal: Signal::TRACES, ..traces });
    }
    GatewaySpec {
        receivers,
        exporters: vec![
            out("out", &sinks[0], &queue_settings),
            exporter("direct", &sinks[1], None).with_settings(Fingerprint::of(&(number / 4))),
        ],
        pipelines,
        metrics_pages: vec![MetricsPage::new("127.0.0.1:0")],
        health: vec![HealthSpec { endpoint: "127.0.0.1:0".into(), path: format!("/{number}") }],
        drain_timeout: seconds(30),
        ..GatewaySpec::default()
    }
}

/// Sends until it is told to stop; returns the items that were answered for.
fn sender(strategy: &'static dyn ClientStrategy, to: SocketAddr, stop: &Arc<AtomicBool>) -> JoinHandle<u64> {
    let context = TransportContext::tcp(64 << 20);
    let client = strategy.client(&context, ClientConfig::new(format!("http://{to}"))).unwrap();
    let stop = stop.clone();
    tokio::spawn(async move {
        let mut sent = 0;
        while !stop.load(Ordering::Relaxed) {
            let result = client.export(logs(5)).await;
            assert!(result.is_ok(), "{result:?}");
            sent += 5;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        sent
    })
}

/// Connects again and again; returns how often.
fn newcomer(to: SocketAddr, stop: &Arc<AtomicBool>) -> JoinHandle<u64> {
    let stop = stop.clone();
    tokio::spawn(async move {
        let connects = AtomicU64::new(0);
        while !stop.load(Ordering::Relaxed) {
            TcpNet.connect(&to.to_string()).await.unwrap();
            connects.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        connects.into_inner()
    })
}

async fn reload(gateway: &mut Gateway, spec: GatewaySpec) -> Result<(), StartError> {
    gateway.reload(spec).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_everything_changes() {
    let sinks = [Sink::default(), Sink::default()];
    let mut gateway = start(spec(0, &sinks)).await;
    let (grpc, http) = (address(&gateway, "otlp/grpc"), address(&gateway, "otlp/http"));
    let stop: Arc<AtomicBool> = Arc::default();
    let mut senders = Vec::new();
    for _ in 0..2 {
        senders.push(sender(&GrpcTransportStrategy, grpc, &stop));
        senders.push(sender(&HttpTransportStrategy, http, &stop));
    }
    let newcomers = [newcomer(grpc, &stop), newcomer(http, &stop)];
    for number in 1..=30 {
        tokio::time::sleep(Duration::from_millis(30)).await;
        if number % 6 == 0 {
            let mut broken = spec(number, &sinks);
            broken.receivers.push(receiver("otlp/taken", 0));
            broken.metrics_pages = vec![MetricsPage::new(http.to_string())];
            assert!(reload(&mut gateway, broken).await.is_err());
        }
        reload(&mut gateway, spec(number, &sinks)).await.unwrap();
        assert_eq!((address(&gateway, "otlp/grpc"), address(&gateway, "otlp/http")), (grpc, http));
    }
    stop.store(true, Ordering::Relaxed);
    let mut sent = 0;
    for sender in senders {
        sent += sender.await.unwrap();
    }
    for newcomer in newcomers {
        assert!(newcomer.await.unwrap() > 0);
    }
    let report = gateway.drain(now() + seconds(20)).await;
    assert_eq!((report.dropped_items, report.ledger.check()), (0, Ok(())));
    assert!(sent > 500, "only {sent} items");
    for (sink, id) in sinks.iter().zip(["out", "direct"]) {
        let line = report.ledger.line("logs", id).unwrap();
        assert_eq!((sink.items(), line.accepted, line.sent, line.refused), (sent, sent, sent, 0), "{id}");
    }
}
