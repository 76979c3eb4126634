//! Processors of the real binary: what comes in is changed on its way, and tenants stay apart.
#![expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]

use crate::process::{Otlp, command, file, http, http_with, one_span, run, told};
use bytes::Bytes;
use otlp_protocol::view::RequestView;
use otlp_protocol::{Accepted, Batch, Charge, Count, Signal};
use otlp_transport::{
    BoxExport, ClientConfig, ClientStrategy as _, Export, ExportResult, GrpcTransportStrategy, Routes,
    Server, ServerConfig, ServerStrategy, TransportContext,
};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// A destination that keeps what arrives.
#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<(Signal, Bytes)>>>);

impl Export for Capture {
    async fn export(&self, batch: Batch) -> ExportResult {
        self.0.lock().push((batch.signal(), batch.body().plain().to_contiguous()));
        Ok(Accepted::FULL)
    }
}

impl Capture {
    async fn listen(&self) -> Server {
        let routes = Signal::ALL
            .into_iter()
            .fold(Routes::new(), |routes, signal| routes.with(signal, BoxExport::new(self.clone())));
        let config = ServerConfig::new("127.0.0.1:0");
        GrpcTransportStrategy.bind(&TransportContext::tcp(1 << 30), config, routes).await.expect("listen")
    }

    /// Resource and span attributes of each batch that arrives until there are so many, in any order.
    async fn arrivals(&self, batches: usize) -> Vec<String> {
        let all_here = async {
            while self.0.lock().len() < batches {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), all_here).await.expect("arrivals");
        let shown = |(signal, body): &(Signal, Bytes)| {
            let spans = RequestView::new(*signal, body).spans();
            let spans =
                spans.map(|span| format!("{:?}{:?}", span.resource().attributes(), span.attributes()));
            spans.collect::<Vec<_>>().join(" ")
        };
        let mut arrived: Vec<_> = self.0.lock().iter().map(shown).collect();
        arrived.sort();
        arrived
    }
}

/// A pipeline of traces through `processors`, whose settings are given.
fn config(sink: &Server, processors: &str, names: &str) -> String {
    file(&format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:0, include_metadata: true}}}}}}}}\n\
         processors:\n{processors}\nexporters: {{otlp: {{endpoint: 'http://{}', sending_queue: {{enabled: false}}}}}}\n\
         service: {{telemetry: {{metrics: {{address: 127.0.0.1:0}}}}, \
         pipelines: {{traces: {{receivers: [otlp], processors: [{names}], exporters: [otlp]}}}}}}\n",
        sink.local_addr()
    ))
}

const LISTENS: &[&str] = &["otlp/http", "metrics"];

#[tokio::test(flavor = "multi_thread")]
async fn attributes_change_items_and_resource_changes_resources() {
    let sink = Capture::default();
    let server = sink.listen().await;
    let processors = "  attributes:\n    include: {match_type: regexp, span_names: ['^GET ']}\n    actions:\n      \
                      - {key: added, value: 3, action: insert}\n      - {key: added, action: convert, converted_type: string}\n  \
                      attributes/never:\n    exclude: {match_type: strict, span_kinds: [SPAN_KIND_SERVER]}\n    \
                      include: {match_type: strict, services: [other]}\n    actions: [{key: never, value: x, action: upsert}]\n  \
                      resource:\n    attributes:\n      - {key: from, from_context: client.address, action: upsert}";
    let path = config(&server, processors, "attributes, attributes/never, resource");
    let otlp = Otlp::start(command(&["--config", &path]), LISTENS);
    assert_eq!(http(otlp.address("otlp/http"), "POST", "/v1/traces", &one_span()).0, 200);
    assert_eq!(sink.arrivals(1).await, [r#"{"from": "127.0.0.1"}{"added": "3"}"#]);
    let (_, page) = http(otlp.address("metrics"), "GET", "/metrics", &[]);
    for processor in ["attributes", "attributes/never", "resource"] {
        let line = format!(
            "otelcol_processor_outgoing_items{{processor=\"{processor}\",otel_signal=\"traces\",pipeline=\"traces\"}} 1\n"
        );
        assert!(page.contains(&line), "{line} is not in\n{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_are_not_joined() {
    let sink = Capture::default();
    let server = sink.listen().await;
    let processors = "  resource: {attributes: [{key: tenant, from_context: metadata.x-tenant, action: insert}]}\n  \
                      batch: {timeout: 1s, metadata_keys: [X-Tenant], resource_keys: [tenant]}";
    let path = config(&server, processors, "resource, batch");
    let otlp = Otlp::start(command(&["--config", &path]), LISTENS);
    let address = otlp.address("otlp/http");
    let posts = ["a", "b", "a", "b"].map(|tenant| {
        tokio::task::spawn_blocking(move || {
            http_with(address, "POST", "/v1/traces", &format!("x-tenant: {tenant}\r\n"), &one_span()).0
        })
    });
    for post in posts {
        assert_eq!(post.await.expect("a request"), 200);
    }
    let twice = |tenant: &str| vec![format!("{{\"tenant\": \"{tenant}\"}}{{}}"); 2].join(" ");
    assert_eq!(sink.arrivals(2).await, [twice("a"), twice("b")]);
}

/// Sends a span over gRPC with a header twice.
async fn call(address: std::net::SocketAddr, name: &str, values: [&str; 2]) {
    let mut config = ClientConfig::new(address.to_string());
    config.tls.insecure = true;
    config.headers = values.map(|value| (name.to_owned(), value.to_owned())).to_vec();
    let client = GrpcTransportStrategy.client(&TransportContext::tcp(1 << 20), config).expect("a client");
    let count = Count { items: 1, entries: 1 };
    let batch = Batch::unchecked(Signal::TRACES, one_span(), count, true, Charge::none());
    assert_eq!(client.export(batch).await.expect("accepted"), Accepted::FULL);
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_read_the_headers_that_receivers_keep() {
    for (include_metadata, expect) in
        [(true, r#"{}{"user": ["bob", "eve"], "no": Empty}"#), (false, r#"{}{"user": Empty, "no": Empty}"#)]
    {
        let sink = Capture::default();
        let server = sink.listen().await;
        let protocol = format!("{{endpoint: 127.0.0.1:0, include_metadata: {include_metadata}}}");
        let path = file(&format!(
            "receivers: {{otlp: {{protocols: {{grpc: {protocol}, http: {protocol}}}}}}}\n\
             processors: {{transform: {{trace_statements: [\
             'set(span.attributes[\"user\"], otelcol.client.metadata[\"X-User\"])', \
             'set(span.attributes[\"no\"], otelcol.client.metadata[\"x-no\"])']}}}}\n\
             exporters: {{otlp: {{endpoint: 'http://{}', sending_queue: {{enabled: false}}}}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], processors: [transform], exporters: [otlp]}}}}}}\n",
            server.local_addr()
        ));
        let otlp = Otlp::start(command(&["--config", &path]), &["otlp/grpc", "otlp/http"]);
        let headers = "x-user: bob\r\nX-USER: eve\r\nx-other: o\r\n";
        assert_eq!(http_with(otlp.address("otlp/http"), "POST", "/v1/traces", headers, &one_span()).0, 200);
        call(otlp.address("otlp/grpc"), "x-user", ["bob", "eve"]).await;
        assert_eq!(sink.arrivals(2).await, [expect, expect], "include_metadata: {include_metadata}");
    }
}

#[test]
fn validate_says_what_a_receiver_does_not_keep() {
    let path = file(
        "receivers: {otlp: {protocols: {grpc: }}}\nprocessors: {batch: {metadata_keys: [x-tenant]}}\nexporters: {nop: }\n\
         service: {pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [nop]}}}\n",
    );
    let (code, stdout, stderr) = told(&run(&["validate", "--config", &path]));
    let said = format!("{stdout}{stderr}");
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains(
            "the processor batch needs request headers (x-tenant), but the receiver otlp does not keep them"
        ),
        "{said}"
    );
}
