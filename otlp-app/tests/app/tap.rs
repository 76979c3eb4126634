//! `otlp tap` and the admin socket: what passes through a running gateway is shown, to its user alone.

use crate::process::{Otlp, Socket, command, file, http, http_with, one_span, run, told};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

const ENDPOINTS: &[&str] = &["otlp/http", "metrics"];

/// A gateway with an admin socket, a pipeline for traces and one for logs.
fn gateway(socket: &str) -> Otlp {
    let config = file(
        "receivers: {otlp: {protocols: {http: {endpoint: 127.0.0.1:0}}}}\n\
         processors: {attributes: {actions: [{key: stage, value: left, action: insert}]}}\n\
         exporters: {nop: }\n\
         service: {telemetry: {metrics: {address: 127.0.0.1:0}}, pipelines: {traces: {receivers: [otlp], \
         processors: [attributes], exporters: [nop]}, logs: {receivers: [otlp], exporters: [nop]}}}\n",
    );
    Otlp::start(command(&["--config", &config, "--admin", socket]), ENDPOINTS)
}

/// Starts `otlp tap`, and waits until it listens.
fn tap(gateway: &Otlp, socket: &str, args: &[&str]) -> Otlp {
    let before = gateway.metrics().sum("otlp_observer_subscriptions", "");
    let tap = Otlp::start(command(&[&["tap", "--admin", socket], args].concat()), &[]);
    while gateway.metrics().sum("otlp_observer_subscriptions", "") == before {
        std::thread::sleep(Duration::from_millis(5));
    }
    tap
}

fn send_logs(gateway: &Otlp, service: &str) {
    let body = format!(
        r#"{{"resourceLogs":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},
        "scopeLogs":[{{"logRecords":[{{"body":{{"stringValue":"login of {service} with Bearer abc123DEF456"}},
        "attributes":[{{"key":"password","value":{{"stringValue":"hunter2"}}}}]}}]}}]}}]}}"#
    );
    let json = "content-type: application/json\r\n";
    let (status, answer) = http_with(gateway.address("otlp/http"), "POST", "/v1/logs", json, body.as_bytes());
    assert_eq!(status, 200, "{answer}");
}

fn send_span(gateway: &Otlp) {
    assert_eq!(http(gateway.address("otlp/http"), "POST", "/v1/traces", &one_span()).0, 200);
}

#[test]
fn what_passes_an_edge_is_shown() {
    let Socket(socket) = &Socket::new();
    let gateway = gateway(socket);
    let mode = std::fs::metadata(socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (code, edges, _) = told(&run(&["tap", "--admin", socket, "--list"]));
    let lines: Vec<_> = edges.lines().collect();
    assert_eq!(
        (code, lines),
        (
            0,
            vec![
                "logs              logs",
                "logs/nop          logs",
                "traces            traces",
                "traces/attributes traces",
                "traces/nop        traces",
            ]
        )
    );
    let mut before = tap(&gateway, socket, &["traces", "-v", "--count", "1"]);
    let mut behind = tap(&gateway, socket, &["traces/attributes", "--json", "--count", "2"]);
    send_span(&gateway);
    before.line("Name");
    assert!(behind.line("resourceSpans").contains(r#""key":"stage","value":{"stringValue":"left"}"#));
    assert_eq!(before.exit_code(), 0);
    send_span(&gateway);
    behind.line("resourceSpans");
    assert_eq!(behind.exit_code(), 0);
    assert_eq!(gateway.metrics().sum("otlp_observer_lost_batches", ""), 0);
}

#[test]
fn secrets_are_masked_unless_they_are_asked_for() {
    let Socket(socket) = &Socket::new();
    let gateway = gateway(socket);
    let filter = ["--where", "service.name=cart", "--signal", "logs", "--json"];
    let mut masked = tap(&gateway, socket, &filter);
    let mut plain = tap(&gateway, socket, &[&filter[..], &["--no-mask"]].concat());
    send_span(&gateway);
    send_logs(&gateway, "shop");
    send_logs(&gateway, "cart");
    let (masked, plain) = (masked.line("{"), plain.line("{"));
    assert!(masked.contains("login of cart with Bearer ****") && !masked.contains("hunter2"), "{masked}");
    assert!(plain.contains("Bearer abc123DEF456") && plain.contains("hunter2"), "{plain}");
    // Each tap is one whole line of OTLP/JSON.
    assert!(serde_json::from_str::<serde_json::Value>(&masked).unwrap()["resourceLogs"].is_array());
}

#[test]
fn items_over_the_rate_are_counted() {
    let Socket(socket) = &Socket::new();
    let gateway = gateway(socket);
    let mut slow = tap(&gateway, socket, &["--rate", "1"]);
    for _ in 0..20 {
        send_span(&gateway);
    }
    slow.line("items over the rate were not shown so far");
}

#[test]
fn a_tap_ends_with_its_gateway() {
    let Socket(socket) = &Socket::new();
    let gateway = gateway(socket);
    let mut tap = tap(&gateway, socket, &[]);
    gateway.signal("TERM");
    tap.line("otlp tap: the gateway has stopped");
    assert_eq!((tap.exit_code(), gateway.exit_code()), (0, 0));
    assert!(!PathBuf::from(socket).exists());
    let (code, _, error) = told(&run(&["tap", "--admin", socket]));
    assert!(code == 1 && error.contains(&format!("is a gateway running with --admin {socket}?")), "{error}");
}

#[test]
fn a_socket_in_use_is_refused_and_one_left_behind_is_replaced() {
    let Socket(socket) = &Socket::new();
    let first = gateway(socket);
    let (code, _, error) = told(&run(&["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--admin", socket]));
    assert!(code == 1 && error.contains("another process listens on it"), "{error}");
    // It is killed, and leaves its socket behind.
    drop(first);
    assert!(PathBuf::from(socket).exists());
    let second = gateway(socket);
    assert_eq!(told(&run(&["tap", "--admin", socket, "--list"])).0, 0);
    second.signal("TERM");
    assert_eq!(second.exit_code(), 0);
}

#[test]
fn wrong_requests_are_refused() {
    let Socket(socket) = &Socket::new();
    let _gateway = gateway(socket);
    let (code, _, error) = told(&run(&["tap", "traces/batch", "--admin", socket]));
    assert!(code == 1 && error.contains("there is no edge traces/batch; edges: logs, logs/nop, "), "{error}");
    for (request, part) in [
        ("{\"version\":9}\n", "version 1 of the protocol, not 9"),
        ("{\"version\":1,\"command\":\"stop\"}\n", "commands: edges, tap"),
        ("{\"version\":1,\"command\":\"tap\",\"rat\":1}\n", "rat"),
        ("\u{0}\u{1}\n", "error"),
        ("", "no end of a line"),
        (&"x".repeat(100 << 10), "longer than 65536 bytes"),
    ] {
        let mut stream = UnixStream::connect(socket).unwrap();
        let _ = stream.write_all(request.as_bytes());
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.starts_with("{\"error\":") && answer.contains(part), "{request:.40}: {answer}");
    }
}

#[test]
fn connections_are_limited() {
    let Socket(socket) = &Socket::new();
    let gateway = gateway(socket);
    let open: Vec<_> = (0..8).map(|_| UnixStream::connect(socket).unwrap()).collect();
    let mut over = UnixStream::connect(socket).unwrap();
    assert_eq!(over.read(&mut [0; 8]).unwrap_or_default(), 0);
    assert_eq!(gateway.metrics().sum("otlp_admin_refused_connections", ""), 1);
    drop(open);
}
