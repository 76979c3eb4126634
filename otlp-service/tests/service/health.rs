//! Health of whole gateways: built-in checks, reloads, and the status over HTTP and gRPC.

use crate::gateway::{address, request_with};
use crate::harness::*;
use crate::holders::{exporter, pipeline, start};
use crate::reload::{of, spec};
use otlp_service::{
    Affects, Gateway, GatewaySpec, Health, HealthCheck, HealthCheckConfig, HealthChecksSpec, HealthSpec,
    QueueConfig, ReceiverSpec, ServerSpec, StatusPages, StatusSpec, StoreSpec,
};
use otlp_transport::{
    Clock as _, Export as _, HttpTransportStrategy, Net as _, ServerConfig, ServerTlsConfig, TcpNet,
    TokioClock,
};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A gateway with one pipeline, `logs`, without a receiver.
fn with(sink: &Sink, queue: Option<QueueConfig>) -> GatewaySpec {
    let mut out = exporter("out", sink, None).with_settings(of("a"));
    out.queue = queue.unwrap_or(out.queue);
    spec(vec![out], vec![pipeline("logs", &[], &["out"])])
}

fn status() -> StatusSpec {
    let mut status = StatusSpec::default();
    status.pages = Some(StatusPages::new("127.0.0.1:0"));
    status.grpc_endpoint = Some("127.0.0.1:0".into());
    status
}

async fn get(gateway: &Gateway, path: &str) -> (u16, String) {
    request_with(address(gateway, "health"), &format!("GET {path}"), "", b"").await
}

fn names(gateway: &Gateway) -> Vec<String> {
    gateway.health().report().checks.into_iter().map(|check| check.name).collect()
}

/// A check that is named after nothing in the gateway.
struct License;

impl HealthCheck for License {
    fn name(&self) -> &str {
        "license"
    }

    fn check(&self) -> Health {
        Health::Unhealthy("expired".into())
    }
}

#[tokio::test]
async fn checks_of_resources_follow_a_reload() {
    let sink = Sink::default();
    let directory = std::env::temp_dir();
    let checks = |percent| {
        let mut checks = HealthChecksSpec::usual();
        checks.memory_percent = percent;
        checks.stores.push(StoreSpec::new(&directory));
        GatewaySpec { health_checks: checks, ..with(&sink, Some(queue(10, 1))) }
    };
    let store = format!("store/{}", directory.display());
    let mut gateway = start(checks(Some(90))).await;
    let all = ["gateway", "exporter/out", "queue/out", "memory", "descriptors", "certificates"];
    let mut expected: Vec<_> = all.into_iter().map(str::to_owned).collect();
    expected.push(store.clone());
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    assert_eq!(sorted(names(&gateway)), sorted(expected.clone()));
    while gateway.health().report().to_json().contains("not checked yet") {
        tokio::task::yield_now().await;
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert!(gateway.health().report().to_json().starts_with(r#"{"status":"healthy""#));
    gateway.reload(checks(None)).await.unwrap();
    expected.retain(|name| name != "memory");
    assert_eq!(sorted(names(&gateway)), sorted(expected));
    // The store is the same, so its result is, too.
    assert!(!gateway.health().report().to_json().contains("not checked yet"));
    gateway.reload(with(&sink, Some(queue(10, 1)))).await.unwrap();
    assert_eq!(names(&gateway), ["gateway", "exporter/out"]);
}

#[tokio::test]
async fn a_full_queue_is_degraded_and_stays_ready() {
    let sink = Sink::always(Step::Hang);
    let mut spec = with(&sink, Some(queue(20, 1)));
    spec.health_checks = HealthChecksSpec::usual();
    spec.health = vec![HealthSpec { endpoint: "127.0.0.1:0".into(), path: "/".into() }];
    let gateway = start(spec).await;
    let inlet = gateway.inlet("logs").unwrap();
    assert!(!get(&gateway, "/").await.1.contains(r#""queue/out":{"status":"degraded""#));
    while inlet.export(logs(1)).await.is_ok() {}
    let (status, page) = get(&gateway, "/").await;
    let expected = r#""queue/out":{"status":"degraded","affects":"report","reason":"logs: 19 of 20 batches are in the queue"}"#;
    assert!(status == 200 && page.contains(expected), "{status} {page}");
}

/// A receiver whose certificate is valid for that number of days.
fn receiver_of_days(days: u64) -> ReceiverSpec {
    let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    let since_epoch = TokioClock.wall().duration_since(std::time::UNIX_EPOCH).unwrap();
    params.not_after = rcgen::date_time_ymd(1970, 1, 1) + (since_epoch + seconds(days * 24 * 3600 + 60));
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let mut config = ServerConfig::new("127.0.0.1:0");
    config.tls = Some(ServerTlsConfig::from_pem(certificate.pem(), key.serialize_pem()));
    ReceiverSpec::otlp("otlp", vec![ServerSpec::new(Arc::new(HttpTransportStrategy), config)])
}

#[tokio::test]
async fn a_certificate_that_expires_soon_is_told() {
    for (days, status, expected) in [
        (15, 0.0, "\"certificates\":{\"status\":\"healthy\""),
        (
            10,
            1.0,
            "\"certificates\":{\"status\":\"degraded\",\"affects\":\"report\",\"reason\":\"the server certificate",
        ),
    ] {
        let mut given = with(&Sink::default(), None);
        given.receivers.push(receiver_of_days(days));
        given.pipelines[0].receivers.push("otlp".into());
        given.health_checks = HealthChecksSpec::usual();
        let gateway = start(given).await;
        let page = gateway.health().report().to_json();
        assert!(page.contains(expected), "{page}");
        assert_eq!(page.contains(" expires in 10 days"), days == 10, "{page}");
        let check = [("check", "certificates")];
        assert_eq!(gateway.metrics().get("otlp_health_status", &check), Some(status));
    }
}

#[tokio::test]
async fn what_affects_liveness_is_on_its_page() {
    let mut spec = with(&Sink::default(), None);
    spec.health = vec![HealthSpec { endpoint: "127.0.0.1:0".into(), path: "/".into() }];
    let gateway = start(spec).await;
    assert_eq!(get(&gateway, "/live").await, (200, r#"{"status":"healthy"}"#.into()));
    let entry = gateway.health().add_with(License, Affects::Liveness);
    let (status, page) = get(&gateway, "/live").await;
    assert!(status == 503 && page.contains("expired") && !page.contains("gateway"), "{page}");
    drop(entry);
    let _entry = gateway.health().add(License);
    assert_eq!((get(&gateway, "/live").await.0, get(&gateway, "/").await.0), (200, 503));
}

#[tokio::test]
async fn a_destination_without_traffic_is_connected_to() {
    let listener = TcpNet.bind("127.0.0.1:0").await.unwrap();
    let there = listener.local_addr().unwrap().to_string();
    let with = |endpoint: &str, connect: bool| {
        let mut out = exporter("out", &Sink::default(), None).with_settings(of(endpoint));
        out.endpoints = vec![(otlp_protocol::Signal::LOGS, endpoint.into())];
        let mut spec = spec(vec![out], vec![pipeline("logs", &[], &["out"])]);
        if connect {
            let mut config = HealthCheckConfig::default();
            config.period = std::time::Duration::from_millis(100);
            spec.health_checks.connect = Some(config);
        }
        spec
    };
    let mut gateway = start(with(&there, false)).await;
    gateway.reload(with(&there, true)).await.unwrap();
    // The exporter stayed, and its check connects from now on.
    let accepted = tokio::time::timeout(seconds(20), listener.accept()).await;
    assert!(accepted.unwrap().is_ok());
    assert_eq!(names(&gateway), ["gateway", "exporter/out"]);
    drop(listener);
    while !gateway.health().report().to_json().contains("cannot connect to 127.0.0.1:") {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(gateway.health().report().http_status(), 200);
}

#[tokio::test]
async fn the_status_has_pipelines_and_components() {
    let sink = Sink::scripted([UNAVAILABLE]);
    let mut given = with(&sink, None);
    let mut status = status();
    status.pages.as_mut().unwrap().config = Some(("/config".into(), "receivers: {}\n".into()));
    given.status = vec![status.clone()];
    let mut gateway = start(given).await;
    let (code, page) = get(&gateway, "/status").await;
    assert!(code == 200 && page.contains(r#""healthy":true,"status":"StatusOK""#), "{page}");
    assert!(!page.contains("components"), "{page}");
    assert!(gateway.inlet("logs").unwrap().export(logs(1)).await.is_err());
    let (code, page) = get(&gateway, "/status?pipeline=logs&verbose").await;
    assert!(
        code == 200 && page.contains(r#""exporter:out":{"healthy":true,"status":"StatusRecoverableError""#),
        "{page}"
    );
    let (_, page) = get(&gateway, "/status?verbose=false").await;
    assert!(page.contains(r#""error":"out of order""#) && !page.contains("components"), "{page}");
    assert_eq!(get(&gateway, "/status?pipeline=traces").await.0, 404);
    assert_eq!(get(&gateway, "/config").await, (200, "receivers: {}\n".into()));
    assert_eq!(get(&gateway, "/status/live").await.0, 200);
    assert_eq!(get(&gateway, "/").await.0, 404);

    // The exporter stays degraded over a reload that makes errors count, and that adds a pipeline.
    let mut given = with(&sink, None);
    status.rules.include_recoverable = true;
    status.pages.as_mut().unwrap().config = None;
    given.status = vec![status];
    given.pipelines.push(pipeline("logs/second", &[], &["out"]));
    gateway.reload(given).await.unwrap();
    assert_eq!(get(&gateway, "/status").await.0, 500);
    assert_eq!(get(&gateway, "/status?pipeline=logs%2Fsecond").await.0, 500);
    assert_eq!(get(&gateway, "/config").await.0, 404);
    gateway.leave();
    let (code, page) = get(&gateway, "/status").await;
    assert!(code == 503 && page.contains("StatusStopping"), "{page}");
}

/// A call of `grpc.health.v1.Health/Check`, in frames written by hand. The message of the answer; `None`: there is none.
async fn check(to: SocketAddr, name: &str) -> Option<Vec<u8>> {
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags, 0, 0, 0, stream]);
        frame.extend(payload);
        frame
    };
    let mut headers = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/grpc.health.v1.Health/Check"),
        (":authority", "x"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ] {
        // HPACK: a literal without indexing and with a new name.
        headers.extend([0, name.len() as u8]);
        headers.extend(name.as_bytes());
        headers.push(value.len() as u8);
        headers.extend(value.as_bytes());
    }
    let message = [&[0x0a, name.len() as u8], name.as_bytes()].concat();
    let body = [&[0, 0, 0, 0, message.len() as u8], &message[..]].concat();
    let mut io = TcpNet.connect(&to.to_string()).await.unwrap();
    io.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    io.write_all(&[frame(4, 0, 0, &[]), frame(1, 4, 1, &headers), frame(0, 1, 1, &body)].concat())
        .await
        .unwrap();
    loop {
        let mut head = [0; 9];
        io.read_exact(&mut head).await.unwrap();
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        io.read_exact(&mut payload).await.unwrap();
        match (head[3], head[4]) {
            (0, _) => return Some(payload),
            // HEADERS that end the stream: the status alone.
            (1, flags) if flags & 1 == 1 => return None,
            _ => {}
        }
    }
}

const SERVING: [u8; 7] = [0, 0, 0, 0, 2, 8, 1];
const NOT_SERVING: [u8; 7] = [0, 0, 0, 0, 2, 8, 2];

#[tokio::test]
async fn grpc_health_answers_for_pipelines_and_checks() {
    let mut given = with(&Sink::default(), None);
    given.status = vec![status()];
    let gateway = start(given).await;
    let to = address(&gateway, "health/grpc");
    for name in ["", "logs", "exporter/out", "gateway"] {
        assert_eq!(check(to, name).await.as_deref(), Some(&SERVING[..]), "{name}");
    }
    for name in ["traces", "license", "opentelemetry.proto.collector.logs.v1.LogsService"] {
        assert_eq!(check(to, name).await, None, "{name}");
    }
    let _entry = gateway.health().add(License);
    for name in ["", "license"] {
        assert_eq!(check(to, name).await.as_deref(), Some(&NOT_SERVING[..]), "{name}");
    }
    assert_eq!(check(to, "logs").await.as_deref(), Some(&SERVING[..]));
    gateway.leave();
    assert_eq!(check(to, "logs").await.as_deref(), Some(&NOT_SERVING[..]));
}
