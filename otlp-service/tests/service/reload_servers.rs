//! Reloads of gateways that listen: sockets, connections and routes.

use crate::gateway::{address, request_with};
use crate::harness::*;
use crate::holders::{exporter, pipeline, start};
use crate::reload::{line, of, spec};
use otlp_protocol::{Accepted, Batch, Signal};
use otlp_service::{
    ExporterSpec, Gateway, GatewaySpec, HealthSpec, MetricsPage, PipelineSpec, ReceiverSpec, ServerSpec,
};
use otlp_transport::{
    Attempt, BoxAttempt, Export as _, ExportResult, HttpTransportStrategy, Net, ServerConfig, TcpNet,
    TransportContext,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;

fn http(settings: &str, endpoint: &str) -> ReceiverSpec {
    let server = ServerSpec::new(Arc::new(HttpTransportStrategy), ServerConfig::new(endpoint));
    ReceiverSpec::otlp("otlp", vec![server]).with_settings(of(settings))
}

fn served(settings: &str, sink: &Sink, signals: &[Signal]) -> GatewaySpec {
    let pipelines =
        signals.iter().map(|&signal| PipelineSpec { signal, ..pipeline(signal.name, &["otlp"], &["out"]) });
    GatewaySpec {
        receivers: vec![http(settings, "127.0.0.1:0")],
        metrics_pages: vec![MetricsPage::new("127.0.0.1:0")],
        health: vec![HealthSpec { endpoint: "127.0.0.1:0".into(), path: "/".into() }],
        ..spec(vec![exporter("out", sink, None).with_settings(of("a"))], pipelines.collect())
    }
}

/// Sends a request on a connection that stays open. Returns the head of the answer; empty if the connection was closed.
async fn post(io: &mut otlp_transport::BoxIo, path: &str) -> String {
    let body = logs(1).body().plain().to_contiguous();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let request = [head.as_bytes(), &body].concat();
    if io.write_all(&request).await.is_err() {
        return String::new();
    }
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(seconds(20), io.read(&mut answer)).await.unwrap();
    // A connection that was closed or reset is an empty answer.
    let len = read.unwrap_or(0);
    String::from_utf8_lossy(&answer[..len]).into_owned()
}

#[tokio::test]
async fn a_broken_spec_changes_nothing() {
    let sink = Sink::default();
    let logs_only = || served("r", &sink, &[Signal::LOGS]);
    let mut gateway = start(logs_only()).await;
    let endpoints = gateway.endpoints();
    let to = address(&gateway, "otlp/http").to_string();
    let mut io = TcpNet.connect(&to).await.unwrap();
    assert!(post(&mut io, "/v1/logs").await.starts_with("HTTP/1.1 200"));
    let taken = TcpNet.bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let _taken = TcpNet.bind(&taken.to_string()).await.unwrap();
    let mut unknown = logs_only();
    unknown.pipelines[0].exporters.push("nobody".into());
    let mut busy = served("other", &sink, &[Signal::LOGS, Signal::TRACES]);
    busy.receivers = vec![http("other", &taken.to_string())];
    let mut twice = served("other", &sink, &[Signal::LOGS]);
    twice.metrics_pages = vec![MetricsPage::new(to.clone())];
    twice.receivers = vec![http("other", &to)];
    for broken in [unknown, busy, twice] {
        assert!(gateway.reload(broken).await.is_err());
        assert_eq!(gateway.endpoints(), endpoints);
        assert!(post(&mut io, "/v1/logs").await.starts_with("HTTP/1.1 200"));
        assert!(post(&mut io, "/v1/traces").await.starts_with("HTTP/1.1 404"));
    }
    assert_eq!(gateway.ledger().lines.len(), 1);
    assert_eq!((line(&gateway, "logs", "out").sent, sink.items()), (4, 4));
    assert_eq!(gateway.health().report().http_status(), 200);
}

#[tokio::test]
async fn routes_come_and_go_while_connections_stay() {
    let sink = Sink::default();
    let mut gateway = start(served("r", &sink, &[Signal::LOGS])).await;
    let mut io = TcpNet.connect(&address(&gateway, "otlp/http").to_string()).await.unwrap();
    assert!(post(&mut io, "/v1/traces").await.starts_with("HTTP/1.1 404"));
    gateway.reload(served("r", &sink, &[Signal::LOGS, Signal::TRACES])).await.unwrap();
    assert!(post(&mut io, "/v1/traces").await.starts_with("HTTP/1.1 200"));
    gateway.reload(served("r", &sink, &[Signal::TRACES])).await.unwrap();
    assert!(post(&mut io, "/v1/logs").await.starts_with("HTTP/1.1 404"));
    assert!(post(&mut io, "/v1/traces").await.starts_with("HTTP/1.1 200"));
}

/// A connection to a replaced server is told to go with its next answer, and its requests go to the new pipelines.
#[tokio::test]
async fn a_replaced_server_lets_its_connections_go() {
    let sinks = [Sink::default(), Sink::default()];
    let mut gateway = start(served("r", &sinks[0], &[Signal::LOGS])).await;
    let to = address(&gateway, "otlp/http");
    let mut io = TcpNet.connect(&to.to_string()).await.unwrap();
    assert!(!post(&mut io, "/v1/logs").await.contains("connection: close"));
    let mut next = served("s", &sinks[1], &[Signal::LOGS]);
    next.exporters = vec![exporter("out", &sinks[1], None).with_settings(of("b"))];
    gateway.reload(next).await.unwrap();
    assert_eq!(address(&gateway, "otlp/http"), to);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let answer = post(&mut io, "/v1/logs").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    assert_eq!((sinks[0].items(), sinks[1].items()), (1, 1));
    let (status, _) = request_with(to, "POST /v1/logs", "", &logs(1).body().plain().to_contiguous()).await;
    assert_eq!(status, 200);
}

/// Senders that stay with a replaced server are led on by a second reload, and no drain waits for them.
#[tokio::test]
async fn a_second_reload_leads_those_on_who_stayed() {
    let sinks = [Sink::default(), Sink::default(), Sink::default()];
    let with = |number: usize| {
        let mut spec = served(&number.to_string(), &sinks[number], &[Signal::LOGS]);
        let out = exporter("out", &sinks[number], Some(queue(10, 1)));
        spec.exporters = vec![out.with_settings(of(&number.to_string()))];
        spec
    };
    let mut gateway = start(with(0)).await;
    let to = address(&gateway, "otlp/http").to_string();
    let (mut io, mut idle) = (TcpNet.connect(&to).await.unwrap(), TcpNet.connect(&to).await.unwrap());
    for io in [&mut io, &mut idle] {
        assert!(post(io, "/v1/logs").await.starts_with("HTTP/1.1 200"));
    }
    for number in [1, 2] {
        gateway.reload(with(number)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(post(&mut io, "/v1/logs").await.starts_with("HTTP/1.1 200"));
    let begin = now();
    let report = gateway.drain(begin + seconds(20)).await;
    assert!(now() - begin < seconds(10), "it waited for an idle connection");
    assert_eq!((report.dropped_items, report.ledger.check()), (0, Ok(())));
    assert_eq!(sinks.map(|sink| sink.items()), [2, 0, 1]);
    drop(idle);
}

/// A server whose successor takes fewer signals lets its connections go as any other, also when a later reload removes
/// the signal. Requests of the signal that is gone are refused.
#[tokio::test]
async fn a_removed_signal_closes_no_connection() {
    let sink = Sink::default();
    let both = || served("r", &sink, &[Signal::LOGS, Signal::TRACES]);
    let later = served("s", &sink, &[Signal::LOGS, Signal::TRACES]);
    for (reloads, traces) in [
        (vec![served("s", &sink, &[Signal::LOGS])], "HTTP/1.1 404"),
        (vec![later, served("s", &sink, &[Signal::LOGS])], "HTTP/1.1 503"),
    ] {
        let mut gateway = start(both()).await;
        let to = address(&gateway, "otlp/http").to_string();
        let (mut io, mut other) = (TcpNet.connect(&to).await.unwrap(), TcpNet.connect(&to).await.unwrap());
        for io in [&mut io, &mut other] {
            assert!(!post(io, "/v1/logs").await.contains("connection: close"));
        }
        for reload in reloads {
            gateway.reload(reload).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let answer = post(&mut io, "/v1/logs").await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
        let answer = post(&mut other, "/v1/traces").await;
        assert!(answer.starts_with(traces) && answer.contains("connection: close"), "{answer}");
    }
}

/// Clients that write just when a server retires are answered, whatever the reload changes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_at_the_moment_of_a_reload_is_answered() {
    let sink = Sink::default();
    let with = |number: usize| {
        let signals: &[Signal] =
            if number % 4 < 2 { &[Signal::LOGS] } else { &[Signal::LOGS, Signal::TRACES] };
        GatewaySpec { drain_timeout: seconds(60), ..served(&(number / 3).to_string(), &sink, signals) }
    };
    let mut gateway = start(with(0)).await;
    let to = address(&gateway, "otlp/http").to_string();
    let stop: Arc<AtomicBool> = Arc::default();
    let clients: Vec<_> = std::iter::repeat_with(|| {
        let (to, stop) = (to.clone(), stop.clone());
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let mut io = TcpNet.connect(&to).await.unwrap();
                loop {
                    let answer = post(&mut io, "/v1/logs").await;
                    assert!(answer.starts_with("HTTP/1.1 200"), "closed without an answer: {answer:?}");
                    if answer.contains("connection: close") || stop.load(Ordering::Relaxed) {
                        break;
                    }
                    tokio::time::sleep(Duration::from_micros(fastrand::u64(..3000))).await;
                }
            }
        })
    })
    .take(8)
    .collect();
    for number in 1..=60 {
        gateway.reload(with(number)).await.unwrap();
        tokio::time::sleep(Duration::from_micros(fastrand::u64(..5000))).await;
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
}

/// Accepts a batch for each permit.
struct Gated(Arc<Semaphore>);

impl Attempt for Gated {
    async fn attempt(&self, _: &Batch) -> ExportResult {
        self.0.acquire().await.unwrap().forget();
        Ok(Accepted::FULL)
    }
}

/// A replaced server closes idle connections in time to answer the requests that are under way.
#[tokio::test]
async fn a_request_under_way_outlives_idle_connections() {
    let permits = Arc::new(Semaphore::new(1));
    let with = |settings: &str| {
        let mut out =
            ExporterSpec::new("out", BoxAttempt::new(Gated(permits.clone()))).with_settings(of("a"));
        out.queue.enabled = false;
        let spec = served(settings, &Sink::default(), &[Signal::LOGS]);
        GatewaySpec { exporters: vec![out], drain_timeout: seconds(6), ..spec }
    };
    let mut gateway = start(with("r")).await;
    let to = address(&gateway, "otlp/http").to_string();
    let (mut io, mut idle) = (TcpNet.connect(&to).await.unwrap(), TcpNet.connect(&to).await.unwrap());
    assert!(post(&mut idle, "/v1/logs").await.starts_with("HTTP/1.1 200"));
    let request = tokio::spawn(async move { post(&mut io, "/v1/logs").await });
    gateway.reload(with("s")).await.unwrap();
    assert_eq!(idle.read(&mut [0]).await.unwrap(), 0);
    tokio::time::sleep(Duration::from_millis(100)).await;
    permits.add_permits(1);
    let answer = request.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer:?}");
}

#[tokio::test]
async fn health_is_that_of_the_exporters_in_use() {
    let sink = Sink::scripted([UNAVAILABLE]);
    let with = |id: &str| {
        let logs_in = pipeline("logs", &[], &[id]);
        spec(vec![exporter(id, &sink, None).with_settings(of("a"))], vec![logs_in])
    };
    let mut gateway = start(with("old")).await;
    assert!(gateway.inlet("logs").unwrap().export(logs(1)).await.is_err());
    let checks = |gateway: &Gateway| gateway.health().report().to_json();
    assert!(checks(&gateway).contains(r#""exporter/old":{"status":"degraded""#));
    let mut broken = with("new");
    broken.metrics_pages = vec![MetricsPage::new("nowhere")];
    assert!(gateway.reload(broken).await.is_err());
    assert!(!checks(&gateway).contains("exporter/new"));
    gateway.reload(with("new")).await.unwrap();
    let expect = r#"{"status":"healthy","checks":{"gateway":{"status":"healthy"},"exporter/new":{"status":"healthy"}}}"#;
    assert_eq!(checks(&gateway), expect);
}

#[test]
fn changes_tell_of_sockets_that_stay() {
    let with = |settings: &str, endpoint: &str| GatewaySpec {
        receivers: vec![http(settings, endpoint)],
        ..GatewaySpec::default()
    };
    let changes = |new: GatewaySpec| new.changes_from(&with("r", "127.0.0.1:4318")).to_string();
    assert_eq!(changes(with("s", "127.0.0.1:4318")), "receiver otlp: new settings, keeps its sockets");
    assert_eq!(changes(with("s", "127.0.0.1:4319")), "receiver otlp: new settings");
    assert_eq!(changes(with("r", "127.0.0.1:4318")), "");
}

#[tokio::test]
async fn the_memory_limit_changes_with_the_spec() {
    let context = TransportContext::tcp(1 << 20);
    let budget = context.budget.clone();
    let mut gateway = Gateway::start(context, GatewaySpec::default()).await.unwrap();
    let limit = |bytes| GatewaySpec { memory_limit_bytes: Some(bytes), ..GatewaySpec::default() };
    let changes = gateway.reload(limit(5 << 20)).await.unwrap();
    assert_eq!(
        (changes.to_string().as_str(), budget.limit()),
        ("gateway memory limit: new settings", 5 << 20)
    );
    let mut broken = limit(7 << 20);
    broken.pipelines = vec![pipeline("logs", &[], &[])];
    assert!(gateway.reload(broken).await.is_err());
    assert_eq!(budget.limit(), 5 << 20);
}
