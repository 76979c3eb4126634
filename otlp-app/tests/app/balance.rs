//! `load_balancing` on the real binary: what belongs together arrives together, and a sink that goes loses nothing.

use crate::process::{Otlp, command, file, http};
use otlp_protocol::wire::put_len_delimited;
use otlp_protocol::{Accepted, Batch, Signal, view};
use otlp_transport::{
    BoxExport, Clock, Export, ExportResult, GrpcTransportStrategy, Routes, Server, ServerConfig,
    ServerStrategy, TokioClock, TransportContext,
};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::block_in_place;

/// The spans that arrived, by trace.
#[derive(Clone, Default)]
struct Traces(Arc<Mutex<BTreeMap<Vec<u8>, usize>>>);

impl Export for Traces {
    async fn export(&self, batch: Batch) -> ExportResult {
        let body = batch.body().plain().to_contiguous();
        for span in view::RequestView::new(batch.signal(), &body).spans() {
            *self.0.lock().entry(span.trace_id().map(Vec::from).unwrap_or_default()).or_default() += 1;
        }
        Ok(Accepted::FULL)
    }
}

impl Traces {
    #[expect(clippy::expect_used, reason = "what the tests share may panic like the tests themselves")]
    async fn listen(&self) -> Server {
        let routes = Routes::new().with(Signal::ALL[0], BoxExport::new(self.clone()));
        let context = TransportContext::tcp(64 << 20);
        GrpcTransportStrategy.bind(&context, ServerConfig::new("127.0.0.1:0"), routes).await.expect("listen")
    }
}

fn within(field: u32, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 8);
    put_len_delimited(&mut out, field, value);
    out
}

/// A request with a span of each of `TRACES` traces.
fn request(span: u64) -> Vec<u8> {
    let span = |trace: u128| {
        within(2, &[within(1, &(trace + 1).to_be_bytes()), within(2, &(span + 1).to_be_bytes())].concat())
    };
    within(1, &within(2, &(0..TRACES).flat_map(span).collect::<Vec<_>>()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_arrives_at_one_sink() {
    let sinks = [Traces::default(), Traces::default()];
    let (first, second) = (sinks[0].listen().await, sinks[1].listen().await);
    let config = file(&format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:0}}}}}}}}\n\
         exporters: {{load_balancing: {{routing_key: traceID, protocol: {{otlp: {{tls: {{insecure: true}}}}}}, \
         sending_queue: {{enabled: false}}, \
         resolver: {{static: {{hostnames: ['{}', '{}']}}}}}}}}\n\
         service: {{telemetry: {{metrics: {{address: 127.0.0.1:0}}}}, \
         pipelines: {{traces: {{receivers: [otlp], exporters: [load_balancing]}}}}}}\n",
        first.local_addr(),
        second.local_addr(),
    ));
    let otlp = Otlp::start(command(&["--config", &config]), &["otlp/http", "metrics"]);
    let send = |span: u64| {
        let (status, answer) =
            block_in_place(|| http(otlp.address("otlp/http"), "POST", "/v1/traces", &request(span)));
        assert_eq!(status, 200, "{answer}");
    };
    (0..SPANS).for_each(send);
    let traces = || sinks.each_ref().map(|sink| sink.0.lock().clone());
    let [at_first, at_second] = traces();
    assert_eq!(at_first.len() + at_second.len(), TRACES as usize, "each at one of them");
    assert!(at_first.len() > 20 && at_second.len() > 20, "{} and {}", at_first.len(), at_second.len());
    assert!(at_first.values().chain(at_second.values()).all(|&spans| spans == SPANS as usize));

    // One goes: its traces are taken by the other at once.
    first.drain(TokioClock.now() + Duration::from_secs(5)).await;
    (SPANS..2 * SPANS).for_each(send);
    let [still_at_first, at_second] = traces();
    assert_eq!(still_at_first, at_first);
    assert_eq!(at_second.len(), TRACES as usize);
    assert_eq!(
        at_second.values().sum::<usize>() + at_first.values().sum::<usize>(),
        (2 * SPANS) as usize * TRACES as usize
    );

    let metrics = block_in_place(|| otlp.metrics());
    for (name, label, least) in [
        ("otelcol_loadbalancer_num_backends", "resolver=\"static\"", 2),
        ("otelcol_loadbalancer_num_resolutions", "success=\"true\"", 1),
        ("otelcol_loadbalancer_backend_outcome", "success=\"true\"", 2 * SPANS),
        ("otelcol_loadbalancer_backend_outcome", "success=\"false\"", 1),
        ("otelcol_loadbalancer_backend_latency_count", "endpoint=\"127.0.0.1:", 2 * SPANS),
        ("otlp_client_failovers", "exporter=\"load_balancing\"", 1),
        ("otlp_client_connects", "exporter=\"load_balancing\"", 2),
    ] {
        assert!(metrics.sum(name, label) >= least, "{name}{{{label}}} is {}", metrics.sum(name, label));
    }
}

/// Scenario: the file of the endpoints names one sink, then cannot be used, then names another sink. Guarantee: each request goes
/// to a sink that the file names, without a reload and without an error for the sender.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_of_endpoints_is_followed() {
    let sinks = [Traces::default(), Traces::default()];
    let (first, second) = (sinks[0].listen().await, sinks[1].listen().await);
    let list = file(&format!("- {}\n", first.local_addr()));
    let config = file(&format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:0}}}}}}}}\n\
         exporters: {{load_balancing: {{protocol: {{otlp: {{tls: {{insecure: true}}}}}}, \
         sending_queue: {{enabled: false}}, resolver: {{file: {{path: '{list}', interval: 100ms}}}}}}}}\n\
         service: {{telemetry: {{metrics: {{address: 127.0.0.1:0}}}}, \
         pipelines: {{traces: {{receivers: [otlp], exporters: [load_balancing]}}}}}}\n"
    ));
    let otlp = Otlp::start(command(&["--config", &config]), &["otlp/http", "metrics"]);
    let send = || {
        let (status, answer) =
            block_in_place(|| http(otlp.address("otlp/http"), "POST", "/v1/traces", &request(0)));
        assert_eq!(status, 200, "{answer}");
    };
    let spans = |sink: &Traces| sink.0.lock().values().sum::<usize>();
    send();
    assert_eq!((spans(&sinks[0]), spans(&sinks[1])), (TRACES as usize, 0));
    std::fs::write(&list, "- [").unwrap();
    let failures =
        || block_in_place(|| otlp.metrics()).sum("otelcol_loadbalancer_num_resolutions", "success=\"false\"");
    for _ in 0..300 {
        if failures() > 0 {
            break;
        }
        TokioClock.sleep(Duration::from_millis(100)).await;
    }
    assert!(failures() > 0);
    send();
    assert_eq!((spans(&sinks[0]), spans(&sinks[1])), (2 * TRACES as usize, 0), "the last list stays in use");
    std::fs::write(&list, format!("[{{\"endpoint\": \"{}\"}}]", second.local_addr())).unwrap();
    for _ in 0..300 {
        if spans(&sinks[1]) > 0 {
            break;
        }
        TokioClock.sleep(Duration::from_millis(100)).await;
        send();
    }
    let before = spans(&sinks[0]);
    send();
    assert_eq!(spans(&sinks[0]), before);
    assert!(spans(&sinks[1]) >= 2 * TRACES as usize);
}

const TRACES: u128 = 100;
const SPANS: u64 = 10;
