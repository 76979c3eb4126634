//! The gateway under real sockets: takes, shows, forwards, answers for itself, drains.

use crate::process::{Otlp, command, file, http, one_span, run, told};
use std::net::TcpListener;

/// A gateway with every endpoint on port 0 and the exporters `exporters`, of which `names` are used.
fn config(exporters: &str, names: &str) -> String {
    file(&format!(
        "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: 127.0.0.1:0}}, http: {{endpoint: 127.0.0.1:0}}}}}}}}\n\
         exporters: {{{exporters}}}\nextensions: {{health_check: {{endpoint: 127.0.0.1:0}}}}\nservice:\n  \
         extensions: [health_check]\n  telemetry: {{metrics: {{address: 127.0.0.1:0}}}}\n  \
         pipelines: {{traces: {{receivers: [otlp], exporters: [{names}]}}}}\n"
    ))
}

const ALL: &[&str] = &["otlp/grpc", "otlp/http", "metrics", "health"];

#[test]
fn takes_shows_and_drains() {
    let mut otlp = Otlp::start(command(&["--config", &config("debug: {verbosity: normal}", "debug")]), ALL);
    let (status, answer) = http(otlp.address("otlp/http"), "POST", "/v1/traces", &one_span());
    assert_eq!(status, 200, "{answer}");
    otlp.line("traces resource_spans=1 spans=1");
    let (status, _) = http(otlp.address("otlp/http"), "POST", "/v1/logs", &[]);
    assert_eq!(status, 404, "there is no pipeline for logs");
    let (status, _) = http(otlp.address("otlp/http"), "POST", "/v1/traces", &[0x0f]);
    assert_eq!(status, 400);
    let (status, page) = http(otlp.address("metrics"), "GET", "/metrics", &[]);
    assert_eq!(status, 200);
    let accepted = "otelcol_receiver_accepted_spans{receiver=\"otlp\",transport=\"http\"} 1\n";
    assert!(page.contains(accepted), "{page}");
    assert!(page.contains("otlp_process_dropped_lines{stream=\"stderr\"} 0\n"), "{page}");
    assert_eq!(http(otlp.address("health"), "GET", "/", &[]).0, 200);
    otlp.signal("TERM");
    otlp.line("drained");
    assert_eq!(otlp.exit_code(), 0);
}

#[test]
fn without_a_configuration_it_shows_and_forwards() {
    let local = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    let mut last = Otlp::start(command(&local), &["otlp/grpc", "otlp/http"]);
    for (variable, protocol, server, path) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http/protobuf", "otlp/http", ""),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc", "otlp/grpc", ""),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http/protobuf", "otlp/http", "/v1/traces"),
    ] {
        let mut command = command(&local);
        command.env(variable, format!("http://{}{path}", last.address(server)));
        command.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        let mut first = Otlp::start(command, &["otlp/grpc", "otlp/http"]);
        assert_eq!(http(first.address("otlp/http"), "POST", "/v1/traces", &one_span()).0, 200);
        first.line("GET /  0ns");
        last.line("GET /  0ns");
        first.signal("INT");
        assert_eq!(first.exit_code(), 0);
    }
}

#[test]
fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = taken.local_addr().expect("an address").to_string();
    let (code, _, stderr) = told(&run(&["--http", "127.0.0.1:0", "--grpc", &address]));
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains(&address), "{stderr}");
}

#[test]
fn what_cannot_be_delivered_in_time_is_reported() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("bind");
    let endpoint = silent.local_addr().expect("an address");
    let config = config(&format!("otlp: {{endpoint: 'http://{endpoint}'}}"), "otlp");
    let mut otlp = Otlp::start(command(&["--config", &config, "--drain-timeout", "300ms"]), ALL);
    assert_eq!(http(otlp.address("otlp/http"), "POST", "/v1/traces", &one_span()).0, 200);
    let (_, page) = http(otlp.address("metrics"), "GET", "/metrics", &[]);
    assert!(page.contains("otlp_client_open_connections{exporter=\"otlp\"}"), "{page}");
    otlp.signal("TERM");
    otlp.line("1 accepted items could not be delivered");
    assert_eq!(otlp.exit_code(), 0);
}

#[test]
fn a_second_signal_stops_at_once() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("bind");
    let endpoint = silent.local_addr().expect("an address");
    let config = config(&format!("otlp: {{endpoint: 'http://{endpoint}'}}"), "otlp");
    let mut otlp = Otlp::start(command(&["--config", &config, "--drain-timeout", "10m"]), ALL);
    assert_eq!(http(otlp.address("otlp/http"), "POST", "/v1/traces", &one_span()).0, 200);
    otlp.signal("TERM");
    otlp.line("draining");
    otlp.signal("INT");
    assert_eq!(otlp.exit_code(), 130);
}
