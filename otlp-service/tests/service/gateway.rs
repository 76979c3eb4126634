//! Whole gateways, over loopback.

use crate::harness::*;
use bytes::Bytes;
use otlp_protocol::{ErrorKind, Retry, Signal};
use otlp_service::{
    BatchConfig, DropReason, ExporterSpec, Gateway, GatewaySpec, HealthSpec, MetricsPage, PipelineSpec,
    PipelineStage, QueueConfig, ReceiverSpec, RetryConfig, ServerSpec, StageSpec, StartError,
};
use otlp_transport::{
    BoxAttempt, HttpTransportStrategy, Net, ServerConfig, ServerStrategy, TcpNet, TransportContext,
};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn receiver(id: &str) -> ReceiverSpec {
    let strategy: Arc<dyn ServerStrategy> = Arc::new(HttpTransportStrategy);
    let config = ServerConfig::new("127.0.0.1:0");
    ReceiverSpec::otlp(id, vec![ServerSpec::new(strategy, config)])
}

pub(crate) fn exporter(id: &str, sink: &Sink, queue: QueueConfig) -> ExporterSpec {
    let mut spec = ExporterSpec::new(id, BoxAttempt::new(sink.clone()));
    spec.queue = queue;
    spec.retry = no_retry();
    spec
}

pub(crate) fn pipeline(id: &str, exporters: &[&str]) -> PipelineSpec {
    PipelineSpec {
        id: id.into(),
        signal: Signal::LOGS,
        receivers: vec!["otlp".into()],
        stages: Vec::new(),
        exporters: exporters.iter().map(|id| (*id).into()).collect(),
    }
}

fn no_queue() -> QueueConfig {
    let mut config = QueueConfig::default();
    config.enabled = false;
    config
}

pub(crate) fn spec(exporters: Vec<ExporterSpec>, pipelines: Vec<PipelineSpec>) -> GatewaySpec {
    GatewaySpec {
        receivers: vec![receiver("otlp")],
        exporters,
        pipelines,
        metrics_pages: vec![MetricsPage::new("127.0.0.1:0")],
        health: vec![HealthSpec { endpoint: "127.0.0.1:0".into(), path: "/".into() }],
        ..GatewaySpec::default()
    }
}

pub(crate) async fn start(spec: GatewaySpec) -> Gateway {
    Gateway::start(TransportContext::tcp(64 << 20), spec).await.unwrap()
}

pub(crate) fn address(gateway: &Gateway, component: &str) -> SocketAddr {
    gateway.endpoints().into_iter().find(|(name, _)| name == component).unwrap().1.tcp().unwrap()
}

/// One HTTP/1.1 request on a connection of its own; the status and all that follows the headers.
async fn request(to: SocketAddr, head: &str, body: &[u8]) -> (u16, String) {
    request_with(to, head, "", body).await
}

/// The same with further headers, a line each.
pub(crate) async fn request_with(to: SocketAddr, head: &str, headers: &str, body: &[u8]) -> (u16, String) {
    let exchange = async {
        let mut connection = TcpNet.connect(&to.to_string()).await.unwrap();
        let head = format!(
            "{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n{headers}",
            body.len()
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        connection.write_all(b"content-type: application/x-protobuf\r\n\r\n").await.unwrap();
        connection.write_all(body).await.unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let answer = tokio::time::timeout(seconds(20), exchange).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

pub(crate) async fn post(gateway: &Gateway, body: &Bytes) -> u16 {
    request(address(gateway, "otlp/http"), "POST /v1/logs", body).await.0
}

fn body(items: u64) -> Bytes {
    logs(items).body().plain().to_contiguous()
}

#[tokio::test]
async fn what_comes_in_goes_out_and_is_counted() {
    let sink = Sink::default();
    let gateway =
        start(spec(vec![exporter("out", &sink, no_queue())], vec![pipeline("logs", &["out"])])).await;
    for items in [3, 4] {
        assert_eq!(post(&gateway, &body(items)).await, 200);
    }
    assert_eq!(sink.bodies(), [body(3), body(4)]);

    let (status, page) = request(address(&gateway, "metrics"), "GET /metrics", b"").await;
    assert_eq!(status, 200);
    let bytes = body(3).len() + body(4).len();
    let received = format!("otlp_server_received_bytes{{receiver=\"otlp\",transport=\"http\"}} {bytes}");
    let build = format!("otlp_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
    for line in [
        &received,
        &build,
        "otelcol_receiver_accepted_log_records{receiver=\"otlp\",transport=\"http\"} 7",
        "otelcol_receiver_requests{receiver=\"otlp\",transport=\"http\",otel_signal=\"logs\",outcome=\"success\"} 2",
        "otelcol_exporter_sent_log_records{exporter=\"out\"} 7",
        "otelcol_exporter_in_flight_requests{exporter=\"out\",data_type=\"logs\"} 0",
        "otlp_ledger_items{pipeline=\"logs\",destination=\"out\",state=\"sent\"} 7",
        "otlp_ledger_items{pipeline=\"logs\",destination=\"out\",state=\"dropped\",reason=\"shutdown\"} 0",
        "otlp_memory_budget_limit 67108864",
        "otlp_server_accepted_requests{receiver=\"otlp\",transport=\"http\"} 2",
        "# TYPE otelcol_process_uptime counter",
        "# TYPE process_start_time_seconds gauge",
        "# TYPE process_open_fds gauge",
        "# TYPE process_max_fds gauge",
        "otelcol_processor_memory_limiter_accepted_log_records{processor=\"memory_limiter\"} 7",
        "otelcol_processor_memory_limiter_refused_log_records{processor=\"memory_limiter\"} 0",
        "otlp_exporter_attempt_duration_seconds_count{exporter=\"out\",data_type=\"logs\"} 2",
    ] {
        assert!(page.lines().any(|known| known == line), "{line} is not in\n{page}");
    }
    assert!(page.contains("\ntarget_info{service_name=\"otlp\",service_version=\""), "{page}");
    assert_eq!(request(address(&gateway, "metrics"), "GET /other", b"").await.0, 404);
    assert_eq!(request(address(&gateway, "metrics"), "POST /metrics", b"").await.0, 405);

    let report = gateway.drain(now() + seconds(5)).await;
    assert_eq!((report.dropped_items, report.ledger.check()), (0, Ok(())));
}

/// Alerts on a Collector's refusals fire: nobody has counted the items of a request that was not read, so it is one.
#[tokio::test]
async fn refusals_for_memory_are_counted_under_the_collectors_names() {
    let sink = Sink::default();
    let spec = spec(vec![exporter("out", &sink, no_queue())], vec![pipeline("logs", &["out"])]);
    let gateway = Gateway::start(TransportContext::tcp(1 << 20), spec).await.unwrap();
    let large = logs_of(1, 700 << 10).body().plain().to_contiguous();
    // Half a request holds what a second one would need.
    let mut held = TcpNet.connect(&address(&gateway, "otlp/http").to_string()).await.unwrap();
    let head = "POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n";
    held.write_all(format!("{head}content-length: {}\r\n\r\n", large.len()).as_bytes()).await.unwrap();
    held.write_all(&large[..600 << 10]).await.unwrap();
    let used = || gateway.metrics().get("otlp_memory_budget_used", &[]).unwrap();
    tokio::time::timeout(seconds(20), async {
        while used() < f64::from(600 << 10) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert_eq!(post(&gateway, &large).await, 429);
    let metrics = gateway.metrics();
    for (name, labels) in [
        ("otelcol_receiver_refused_log_records", ("receiver", "otlp")),
        ("otelcol_receiver_requests", ("outcome", "refused")),
        ("otelcol_processor_memory_limiter_refused_log_records", ("processor", "memory_limiter")),
        ("otlp_server_refused_requests", ("reason", "memory")),
    ] {
        assert_eq!(metrics.get(name, &[labels]), Some(1.0), "{name}");
    }
    drop(held);
}

#[tokio::test]
async fn failures_reach_the_sender_and_the_health_page() {
    let sink = Sink::scripted([UNAVAILABLE, DENIED]);
    let gateway =
        start(spec(vec![exporter("out", &sink, no_queue())], vec![pipeline("logs", &["out"])])).await;
    let health = address(&gateway, "health");
    assert_eq!(request(health, "GET /", b"").await.0, 200);
    assert_eq!(post(&gateway, &body(1)).await, 503);
    let (status, page) = request(health, "GET /", b"").await;
    let expect = r#"{"status":"degraded","checks":{"gateway":{"status":"healthy"},"exporter/out":{"status":"degraded","reason":"out of order"}}}"#;
    assert_eq!((status, page.as_str()), (200, expect));
    assert_eq!(request(health, "GET /live", b"").await, (200, r#"{"status":"healthy"}"#.into()));
    assert_eq!(post(&gateway, &body(2)).await, 403);
    // Whoever refuses is reachable.
    assert!(request(health, "GET /", b"").await.1.starts_with(r#"{"status":"healthy""#));
    let metrics = gateway.metrics();
    assert_eq!(metrics.get("otelcol_receiver_refused_log_records", &[]), Some(1.0));
    assert_eq!(metrics.get("otelcol_receiver_failed_log_records", &[]), Some(2.0));
    assert_eq!(metrics.get("otelcol_exporter_send_failed_log_records", &[]), Some(3.0));
    assert_eq!(gateway.ledger().line("logs", "out").unwrap().refused, 3);
}

/// A 503 of the endpoint for traces froze the logs, which go to another host.
#[tokio::test]
async fn a_delay_holds_for_one_endpoint() {
    let hour = seconds(3600);
    for (logs_endpoint, logs_status) in [("logs:4318", 200), ("traces:4318", 503)] {
        let sink = Sink::scripted([Step::Fail(ErrorKind::Unavailable, Retry::After(hour), "busy")]);
        let mut out = exporter("out", &sink, no_queue());
        out.retry = RetryConfig::default();
        out.endpoints = vec![(Signal::TRACES, "traces:4318".into()), (Signal::LOGS, logs_endpoint.into())];
        let mut traces = pipeline("traces", &["out"]);
        traces.signal = Signal::TRACES;
        let gateway = start(spec(vec![out], vec![traces, pipeline("logs", &["out"])])).await;
        let to = address(&gateway, "otlp/http");
        assert_eq!(request(to, "POST /v1/traces", &body(1)).await.0, 503);
        // Nobody is kept waiting for an hour.
        assert_eq!(request(to, "POST /v1/traces", &body(1)).await.0, 503);
        assert_eq!(post(&gateway, &body(2)).await, logs_status);
        assert_eq!(sink.attempts(), if logs_status == 200 { 2 } else { 1 });
        let page = request(address(&gateway, "health"), "GET /", b"").await.1;
        let check = if logs_status == 200 { "exporter/out (traces:4318)" } else { "exporter/out" };
        assert!(page.contains(&format!(r#""{check}":{{"status":"degraded""#)), "{page}");
        gateway.ledger().check().unwrap();
    }
}

#[tokio::test]
async fn a_bisected_batch_is_counted_by_what_became_of_it() {
    let sink = Sink::default();
    sink.when_holding("[3]", INVALID);
    let gateway =
        start(spec(vec![exporter("out", &sink, queue(10, 1))], vec![pipeline("logs", &["out"])])).await;
    let batch = numbered(0..6).body().plain().to_contiguous();
    assert_eq!(post(&gateway, &batch).await, 200);
    let report = gateway.drain(now() + seconds(5)).await;
    let line = report.ledger.line("logs", "out").unwrap();
    assert_eq!((line.accepted, line.sent, line.dropped_for(DropReason::Permanent)), (6, 5, 1));

    // End to end: a partial success.
    let gateway =
        start(spec(vec![exporter("out", &sink, no_queue())], vec![pipeline("logs", &["out"])])).await;
    let (status, answer) = request(address(&gateway, "otlp/http"), "POST /v1/logs", &batch).await;
    assert!(status == 200 && answer.contains("not to my taste"), "{status} {answer}");
    let metrics = gateway.metrics();
    assert_eq!(metrics.get("otelcol_exporter_sent_log_records", &[]), Some(5.0));
    assert_eq!(metrics.get("otelcol_exporter_send_failed_log_records", &[]), Some(1.0));
    assert_eq!(gateway.ledger().line("logs", "out").unwrap().rejected, 1);
}

#[tokio::test]
async fn pipelines_share_an_exporters_queue() {
    let sinks = [Sink::default(), Sink::default()];
    let exporters = vec![exporter("a", &sinks[0], queue(10, 1)), exporter("b", &sinks[1], queue(10, 1))];
    let mut first = pipeline("logs/first", &["a", "b"]);
    first.stages = vec![PipelineStage::new("batch", StageSpec::Batch(BatchConfig::default()))];
    let gateway = start(spec(exporters, vec![first, pipeline("logs/second", &["a"])])).await;
    let families = gateway.metrics().families;
    let queues = families.iter().find(|family| family.name == "otelcol_exporter_queue_capacity").unwrap();
    assert_eq!(queues.samples.len(), 2);
    assert_eq!(post(&gateway, &body(5)).await, 200);
    let report = gateway.drain(now() + seconds(5)).await;
    assert_eq!((sinks[0].items(), sinks[1].items()), (10, 5));
    for (pipeline, destination) in [("logs/first", "a"), ("logs/first", "b"), ("logs/second", "a")] {
        let line = report.ledger.line(pipeline, destination).unwrap();
        assert_eq!((line.accepted, line.sent), (5, 5), "{pipeline} {destination}");
    }
}

#[tokio::test]
async fn a_drain_reports_what_could_not_be_sent() {
    let sink = Sink::always(Step::Hang);
    let gateway =
        start(spec(vec![exporter("out", &sink, queue(10, 1))], vec![pipeline("logs", &["out"])])).await;
    for items in [3, 4] {
        assert_eq!(post(&gateway, &body(items)).await, 200);
    }
    let deadline = now() + seconds(1) / 5;
    let report = gateway.drain(deadline).await;
    assert_eq!((report.dropped_items, report.ledger.check()), (7, Ok(())));
    assert_eq!(report.ledger.line("logs", "out").unwrap().dropped_for(DropReason::Shutdown), 7);
}

#[tokio::test]
async fn a_spec_that_cannot_work_is_refused() {
    let sink = Sink::default();
    let out = || exporter("out", &sink, no_queue());
    let taken = TcpNet.bind("127.0.0.1:0").await.unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let mut unknown_receiver = pipeline("logs", &["out"]);
    unknown_receiver.receivers = vec!["nobody".into()];
    let mut twice = spec(vec![out()], vec![pipeline("logs", &["out"])]);
    twice.receivers.push(receiver("otlp"));
    let mut busy = spec(vec![out()], vec![pipeline("logs", &["out"])]);
    busy.metrics_pages = vec![MetricsPage::new(taken.clone())];
    let table = [
        (
            spec(vec![], vec![pipeline("logs", &["out"])]),
            "pipeline logs names exporter out, which is not defined".into(),
        ),
        (
            spec(vec![out()], vec![unknown_receiver]),
            "pipeline logs names receiver nobody, which is not defined".into(),
        ),
        (spec(vec![out()], vec![pipeline("logs", &[])]), "pipeline logs has no exporter".into()),
        (spec(vec![out(), out()], vec![]), "exporter out is defined twice".into()),
        (
            spec(vec![out()], vec![pipeline("logs", &["out", "out"])]),
            "pipeline logs names exporter out twice".into(),
        ),
        (twice, "receiver otlp is defined twice".into()),
        (busy, format!("metrics: endpoint \"{taken}\": cannot listen: ")),
    ];
    for (spec, expect) in table {
        let error: StartError = Gateway::start(TransportContext::tcp(1 << 20), spec).await.err().unwrap();
        // What the system says differs from one to the next.
        assert!(error.to_string().starts_with(&*expect), "{error}, not {expect}");
    }
}

#[tokio::test]
async fn pages_are_bounded() {
    let gateway = start(spec(vec![], vec![])).await;
    let metrics = address(&gateway, "metrics");
    let (status, body) = request(metrics, "HEAD /metrics", b"").await;
    assert_eq!((status, body.as_str()), (200, ""));
    let mut idle = Vec::new();
    for _ in 0..64 {
        idle.push(TcpNet.connect(&metrics.to_string()).await.unwrap());
    }
    // The oldest idle connection makes room for one more.
    let (status, _) = request(metrics, "GET /metrics", b"").await;
    assert_eq!(status, 200);
    let closed = tokio::time::timeout(seconds(5), idle[0].read(&mut [0; 1])).await.unwrap();
    assert!(matches!(closed, Ok(0) | Err(_)));
}
