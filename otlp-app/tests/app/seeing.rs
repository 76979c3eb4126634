//! What the local gateway and the exporter `debug` show of data, in the real binary.
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

use crate::process::{Otlp, command, file, http, one_span};
use otlp_protocol::Signal;
use otlp_protocol::wire::put_len_delimited;
use serde_json::Value;
use std::net::SocketAddr;

const LISTENERS: &[&str] = &["otlp/grpc", "otlp/http"];

fn local(args: &[&str]) -> Otlp {
    let ports = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    let mut command = command(&[&ports, args].concat());
    command.env_remove("RUST_LOG");
    Otlp::start(command, LISTENERS)
}

fn send(otlp: &Otlp, signal: Signal, body: &[u8]) {
    assert_eq!(http(otlp.address("otlp/http"), "POST", signal.http_path, body).0, 200);
}

/// A request of one entry with a text in a field: 5 is a span's name, 12 a log record's event name.
fn entry(name: &str, field: u32, text: &str) -> Vec<u8> {
    let put = |number: u32, body: &[u8]| {
        let mut out = Vec::new();
        put_len_delimited(&mut out, number, body);
        out
    };
    let attribute = [put(1, b"service.name"), put(2, &put(1, name.as_bytes()))].concat();
    let entry = put(field, text.as_bytes());
    put(1, &[put(1, &put(1, &attribute)), put(2, &put(2, &entry))].concat())
}

#[test]
fn the_local_gateway_shows_a_line_an_item() {
    let mut otlp = local(&[]);
    send(&otlp, Signal::TRACES, &entry("shop", 5, "GET /cart"));
    let line = otlp.line("GET /cart");
    assert_eq!(line, "--:--:--.--- shop           span    -         GET /cart  0ns  unset");
    // Pipes have no colours, control characters do nothing.
    send(&otlp, Signal::TRACES, &entry("shop", 5, "\u{1b}[2Jx"));
    assert!(otlp.line("[2Jx").contains(r"\u{1b}[2Jx"));
}

#[test]
fn details_json_and_filters() {
    let mut otlp = local(&["-v"]);
    send(&otlp, Signal::TRACES, &one_span());
    otlp.line("ResourceSpans #0");
    assert_eq!(otlp.line("Trace ID"), format!("    Trace ID       : {}", "07".repeat(16)));

    let mut otlp = local(&["--json"]);
    send(&otlp, Signal::TRACES, &one_span());
    let line: Value = serde_json::from_str(&otlp.line("GET /")).expect("JSON");
    let span = &line["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!((&span["name"], &span["traceId"]), (&"GET /".into(), &"07".repeat(16).into()));

    let mut otlp = local(&["--service", "shop", "--grep", "two", "--signal", "traces"]);
    for (service, name) in [("shop", "one"), ("other", "two"), ("shop", "two")] {
        send(&otlp, Signal::TRACES, &entry(service, 5, name));
    }
    send(&otlp, Signal::LOGS, &entry("shop", 12, "two"));
    assert!(otlp.line(" span ").contains("shop           span    -         two"));
}

#[test]
fn a_flood_is_cut_with_a_count() {
    let mut otlp = local(&["--max-items-per-second", "5"]);
    let many = one_span().repeat(1000);
    send(&otlp, Signal::TRACES, &many);
    assert_eq!(otlp.line("not shown"), "… 995 more spans not shown");
}

/// A gateway with JSON log lines and the exporter `debug`, and where it takes HTTP.
fn with_json_logs(debug: &str) -> (Otlp, SocketAddr) {
    let config = file(&format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:0}}}}}}}}\n\
         exporters: {{debug: {{{debug}}}}}\nservice:\n  \
         telemetry: {{metrics: {{level: none}}, logs: {{encoding: json}}}}\n  \
         pipelines: {{traces: {{receivers: [otlp], exporters: [debug]}}}}\n"
    ));
    let mut command = command(&["--config", &config]);
    command.env_remove("RUST_LOG");
    let mut otlp = Otlp::start(command, &[]);
    let line: Value = serde_json::from_str(&otlp.line("listens on")).expect("JSON");
    let message = line["message"].as_str().expect("a message");
    let address = message.rsplit(' ').next().and_then(|address| address.parse().ok()).expect("an address");
    (otlp, address)
}

#[test]
fn between_json_log_lines_debug_writes_json_or_to_stdout() {
    let (mut otlp, address) = with_json_logs("verbosity: detailed");
    assert_eq!(http(address, "POST", "/v1/traces", &one_span()).0, 200);
    let line: Value = serde_json::from_str(&otlp.line("ResourceSpans")).expect("JSON");
    let message = line["message"].as_str().expect("a message");
    assert!(message.starts_with("traces resource_spans=1 spans=1\nResourceSpans #0\n"), "{message}");
    assert_eq!(line["level"], "INFO");

    let (mut otlp, address) = with_json_logs("verbosity: normal, use_internal_logger: false");
    assert_eq!(http(address, "POST", "/v1/traces", &one_span()).0, 200);
    otlp.line("traces resource_spans=1 spans=1");
    assert!(otlp.line("GET /").starts_with("GET / 0707"));
}

#[test]
fn the_log_level_is_set_by_argument_variable_or_file() {
    let mut quiet = command(&["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    quiet.env("RUST_LOG", "loud=words");
    let mut otlp = Otlp::start(quiet, &[]);
    otlp.line("RUST_LOG is ignored: `loud=words`");
    let mut wrong = command(&["--log-level", "loud"]);
    assert_eq!(wrong.output().expect("run otlp").status.code(), Some(2));
    // RUST_LOG alone would silence the lines that say where it listens.
    let mut loud = command(&["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--log-level", "info"]);
    loud.env("RUST_LOG", "off");
    Otlp::start(loud, LISTENERS);
}
