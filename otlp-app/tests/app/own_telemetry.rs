//! Own metrics, logs and traces: sent to a destination, written to files, and never sent in a circle.
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

use crate::process::{Otlp, command, file, http_with, one_span};
use crate::sink::Port;
use otlp_protocol::{Accepted, Batch, Signal, json};
use otlp_transport::{
    BoxExport, GrpcTransportStrategy, HttpTransportStrategy, MultiplexTransportStrategy, Routes, Server,
    ServerConfig, ServerStrategy, TransportContext,
};
use parking_lot::Mutex;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A destination that keeps what comes as JSON, by signal, and the `traceparent` that came with it.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Request>>>);

/// Signal, request, and trace id of the `traceparent`.
type Request = (&'static str, Value, Option<[u8; 16]>);

impl Kept {
    async fn listen(&self, strategy: &dyn ServerStrategy) -> Server {
        let routes = Signal::ALL.into_iter().fold(Routes::new(), |routes, signal| {
            let kept = self.clone();
            let export = BoxExport::from_fn(move |batch: Batch| {
                kept.keep(&batch);
                async { Ok(Accepted::FULL) }
            });
            routes.with(signal, export)
        });
        let context = TransportContext::tcp(64 << 20);
        context.reads_traceparent.store(true, Ordering::Relaxed);
        strategy.bind(&context, ServerConfig::new("127.0.0.1:0"), routes).await.expect("listen")
    }

    fn keep(&self, batch: &Batch) {
        let json = json::to_string(batch.body()).expect("a valid request");
        let trace = batch.trace.as_ref().map(|trace| trace.spans()[0].trace_id);
        self.0.lock().push((batch.signal().name, serde_json::from_str(&json).expect("JSON"), trace));
    }

    /// The requests of a signal.
    fn of(&self, signal: &str) -> Vec<Value> {
        let kept = self.0.lock();
        kept.iter().filter(|(name, ..)| *name == signal).map(|(_, json, _)| json.clone()).collect()
    }

    /// The value of an own metric with that label in the last request.
    fn metric(&self, name: &str, label: &str) -> Option<i64> {
        let requests = self.of("metrics");
        let metrics = entries(requests.last()?, "Metrics", "metrics");
        let metric = metrics.iter().find(|metric| metric["name"] == name)?;
        let points = ["sum", "gauge"].into_iter().find_map(|kind| metric[kind]["dataPoints"].as_array())?;
        let has = |point: &&Value| point["attributes"].to_string().contains(label);
        points.iter().filter(has).map(|point| point["asInt"].as_str()?.parse::<i64>().ok()).sum()
    }

    /// All log records or spans.
    fn all(&self, signal: &str, groups: &str, items: &str) -> Vec<Value> {
        self.of(signal).iter().flat_map(|request| entries(request, groups, items)).collect()
    }
}

/// The entries of a request: `entries(request, "Logs", "logRecords")`.
fn entries(request: &Value, groups: &str, items: &str) -> Vec<Value> {
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let scopes = list(request, &format!("resource{groups}")).into_iter();
    let scopes = scopes.flat_map(|resource| list(&resource, &format!("scope{groups}")));
    scopes.flat_map(|scope| list(&scope, items)).collect()
}

/// The value of an attribute as text.
fn attribute(entry: &Value, key: &str) -> Option<String> {
    let attributes = entry["attributes"].as_array()?;
    let found = attributes.iter().find(|attribute| attribute["key"] == key)?;
    let value = found["value"].as_object()?.values().next()?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// `service.telemetry` that sends everything to `otlp`, the settings of the exporter.
fn sending(otlp: &str) -> String {
    let exporter = format!("{{schedule_delay: 200, exporter: {{otlp: {{{otlp}}}}}}}");
    format!(
        "resource: {{deployment.environment: test, service.instance.id: }}, \
         metrics: {{level: detailed, readers: [{{periodic: {{interval: 100, exporter: {{otlp: {{{otlp}}}}}}}}}, \
         {{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: 0}}}}}}}}]}}, \
         logs: {{processors: [{{batch: {exporter}}}], initial_fields: {{site: a}}}}, \
         traces: {{propagators: [tracecontext], sampler: {{parent_based: {{root: {{always_off: }}}}}}, \
         processors: [{{batch: {exporter}}}]}}"
    )
}

fn gateway(receiver: &str, telemetry: &str, exporter: &str) -> String {
    file(
        &format!(
            "receivers: {{otlp: {{protocols: {{http: {{endpoint: {receiver}}}}}}}}}\n\
         processors: {{batch: }}\nexporters: {{{exporter}}}\n\
         service:\n  telemetry: {{{telemetry}}}\n  \
         pipelines: {{traces: {{receivers: [otlp], processors: [batch], exporters: [out]}}}}\n"
        )
        .replace("[out]", &format!("[{}]", exporter.split(':').next().unwrap_or_default())),
    )
}

const SENDER: &str = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";

/// What arrives is what the ledger and the log have, and the spans are linked to the sender's.
async fn everything_arrives(strategy: &dyn ServerStrategy, protocol: &str) {
    let (own, data) = (Kept::default(), Kept::default());
    let (own_server, data_server) = (own.listen(strategy).await, data.listen(&HttpTransportStrategy).await);
    let telemetry = sending(&format!("protocol: {protocol}, endpoint: 'http://{}'", own_server.local_addr()));
    let exporter = format!("otlphttp: {{endpoint: 'http://{}'}}", data_server.local_addr());
    let config = gateway("127.0.0.1:0", &telemetry, &exporter);
    let outcome = tokio::task::spawn_blocking(move || {
        let otlp = Otlp::start(command(&["--config", &config]), &["otlp/http", "metrics"]);
        for headers in [SENDER, SENDER, ""] {
            let sent = http_with(otlp.address("otlp/http"), "POST", "/v1/traces", headers, &one_span());
            assert_eq!(sent.0, 200);
        }
        assert_eq!(otlp.settled(), 3);
        otlp.signal("TERM");
        otlp.exit_code()
    });
    assert_eq!(outcome.await.expect("it ran"), 0);

    // Metrics: the last push has the totals.
    assert_eq!(own.metric("otelcol_receiver_accepted_spans", "otlp"), Some(3));
    assert_eq!(own.metric("otelcol_exporter_sent_spans", "otlphttp"), Some(3));
    assert_eq!(own.metric("otlp_ledger_items", "\"sent\""), Some(3));
    assert_eq!(own.metric("otlp_own_telemetry_lost_items", ""), Some(0));
    let last = own.of("metrics").pop().expect("metrics were sent");
    let resource = &last["resourceMetrics"][0]["resource"];
    assert_eq!(attribute(resource, "service.name").as_deref(), Some("otlp"));
    assert_eq!(attribute(resource, "deployment.environment").as_deref(), Some("test"));
    assert_eq!(attribute(resource, "service.instance.id"), None);

    // Logs: also the lines from before the start.
    let lines = own.all("logs", "Logs", "logRecords");
    let line = lines
        .iter()
        .find(|line| line["body"]["stringValue"].as_str().is_some_and(|body| body.contains("listens on")));
    let line = line.expect("a line about a listener");
    assert_eq!(
        (line["severityText"].as_str(), attribute(line, "site").as_deref()),
        (Some("INFO"), Some("a"))
    );

    // Traces: those of the sampled requests, in the sender's trace.
    let spans = own.all("traces", "Spans", "spans");
    let named = |name: &str| spans.iter().filter(|span| span["name"] == name).collect::<Vec<_>>();
    let received = named("receiver/otlp/TraceDataReceived");
    assert_eq!(received.len(), 2, "{spans:?}");
    for span in &received {
        assert_eq!(
            (span["traceId"].as_str(), span["parentSpanId"].as_str()),
            (Some(TRACE_ID), Some("b7ad6b7169203331"))
        );
        assert_eq!(attribute(span, "accepted_spans").as_deref(), Some("1"));
    }
    assert!(!named("exporter/otlphttp/traces").is_empty() && !named("exporter/otlphttp/attempt").is_empty());
    assert!(spans.iter().all(|span| span["traceId"] == TRACE_ID));
    // The destination gets the context of the export.
    let kept = data.0.lock();
    let sent: Vec<_> = kept.iter().filter_map(|(.., trace)| *trace).collect();
    assert!(!sent.is_empty() && sent.iter().all(|id| id[..2] == [0x0a, 0xf7]), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_over_grpc() {
    everything_arrives(&GrpcTransportStrategy, "grpc").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_over_http() {
    everything_arrives(&MultiplexTransportStrategy, "http/protobuf").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_as_json() {
    everything_arrives(&HttpTransportStrategy, "http/json").await;
}

/// A gateway that is its own destination: neither spans of spans nor lines about lines.
#[test]
fn own_telemetry_does_not_go_in_a_circle() {
    let port = Port::reserve();
    let address = port.address();
    let telemetry = sending(&format!("endpoint: 'http://{address}'"))
        .replace("always_off", "always_on")
        .replace("logs: {", "logs: {level: debug, ");
    let config = file(&format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: '{address}'}}}}}}}}\nexporters: {{nop: }}\n\
         service:\n  telemetry: {{{telemetry}}}\n  pipelines: {{traces: {{receivers: [otlp], exporters: [nop]}}, \
         logs: {{receivers: [otlp], exporters: [nop]}}, metrics: {{receivers: [otlp], exporters: [nop]}}}}\n"
    ));
    // At the end its receivers are closed, and no timeout of the last requests is waited for.
    let otlp =
        Otlp::start(command(&["--config", &config, "--drain-timeout", "1h"]), &["otlp/http", "metrics"]);
    let sent = http_with(otlp.address("otlp/http"), "POST", "/v1/traces", "", &one_span());
    assert_eq!(sent.0, 200);
    // Spans of own requests would have spans in turn, without end.
    let own_spans = || otlp.metrics().sum("otlp_own_telemetry_sent_items", "traces");
    for _ in 0..200 {
        if own_spans() > 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let before = own_spans();
    assert!((1..=4).contains(&before), "{before} spans");
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(own_spans(), before);
    let lines = || otlp.metrics().sum("otlp_own_telemetry_sent_items", "logs");
    let before = lines();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(lines(), before, "an idle gateway logs nothing");
    otlp.signal("TERM");
    assert_eq!(otlp.exit_code(), 0);
}

#[test]
fn a_destination_that_is_down_costs_a_warning_and_no_drain() {
    let port = Port::reserve();
    let telemetry = sending(&format!("endpoint: 'http://{}'", port.address()))
        .replace("schedule_delay: 200", "schedule_delay: 50, export_timeout: 100");
    let config = gateway("127.0.0.1:0", &telemetry, "nop: ");
    let mut otlp =
        Otlp::start(command(&["--config", &config, "--drain-timeout", "2s"]), &["otlp/http", "metrics"]);
    let line = otlp.line("own telemetry could not be sent");
    assert!(line.contains("signal=\"logs\"") && line.contains("items="), "{line}");
    assert_eq!(http_with(otlp.address("otlp/http"), "POST", "/v1/traces", "", &one_span()).0, 200);
    assert_eq!(otlp.settled(), 1);
    otlp.signal("TERM");
    assert_eq!(otlp.exit_code(), 0);
}

#[test]
fn lines_go_to_files_with_the_fields_of_every_line() {
    let log = file("").replace(".yaml", ".log");
    for (encoding, ends) in [("console", " site=\"a\" n=7\n"), ("json", ",\"site\":\"a\",\"n\":7}\n")] {
        let telemetry = format!(
            "metrics: {{level: none}}, logs: {{encoding: {encoding}, output_paths: [stdout, '{log}'], \
             initial_fields: {{site: a, n: 7}}}}"
        );
        let config = gateway("127.0.0.1:0", &telemetry, "nop: ");
        let mut otlp = Otlp::start(command(&["--config", &config]), &[]);
        otlp.line("listens on");
        otlp.signal("TERM");
        assert_eq!(otlp.exit_code(), 0);
        let text = std::fs::read_to_string(&log).expect("the file");
        let line = text.lines().find(|line| line.contains("draining")).expect("a line about the drain");
        assert!(format!("{line}\n").ends_with(ends), "{line}");
        if encoding == "json" {
            let last: Value = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
            assert_eq!(
                (&last["site"], &last["n"], &last["message"]),
                (&"a".into(), &7.into(), &"drained".into())
            );
        }
        std::fs::remove_file(&log).expect("remove the file");
    }
    let config = gateway("127.0.0.1:0", "logs: {output_paths: [/none/of/this.log]}", "nop: ");
    let output = crate::process::run(&["--config", &config]);
    let (code, _, stderr) = crate::process::told(&output);
    assert!(code == 78 && stderr.contains("output_paths: cannot open `/none/of/this.log`"), "{stderr}");
}
