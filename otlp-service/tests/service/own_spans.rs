//! Own traces: the spans of a request's way through a gateway, and their links.

use crate::harness::*;
use crate::holders::{exporter, pipeline};
use otlp_protocol::encode::{LogRecords, Spans};
use otlp_protocol::view::{AnyValue, RequestView};
use otlp_protocol::{Accepted, Batch, Body, Charge, SpanKind, StatusCode};
use otlp_service::{
    ActionConfig, ActionKind, AttributesProcessor, BatchConfig, Gateway, GatewaySpec, Inlets, MatchConfig,
    OwnQueue, OwnQueueConfig, OwnSpans, PipelineStage, Receiver, ReceiverSpec, Registry, Running, Sampler,
    StageSpec, StartError,
};
use otlp_transport::{BoxExport, Export, TransportContext};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A receiver whose test has the way in.
pub(crate) struct Door(pub(crate) Arc<Mutex<Option<BoxExport>>>);

impl Receiver for Door {
    type Running = Door;

    async fn start(self, inlets: Inlets, _: &TransportContext) -> Result<Self, StartError> {
        let signal = inlets.signals().next().unwrap();
        *self.0.lock() = inlets.to(signal, "test");
        Ok(self)
    }
}

impl Running for Door {
    async fn drain(self, _: Instant) {}
}

/// A span that was recorded.
#[derive(Clone, Debug)]
struct Seen {
    trace_id: Option<[u8; 16]>,
    id: Option<[u8; 8]>,
    parent: Option<[u8; 8]>,
    kind: SpanKind,
    links: usize,
    is_error: bool,
    attributes: HashMap<String, String>,
}

pub(crate) fn log() -> Batch {
    let body = Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.log_record(|record| {
                    record.body("checked out");
                });
            });
        });
    });
    Batch::new(body, Charge::none())
}

/// Sends `requests` through a gateway and returns the spans by name.
async fn spans_of(requests: usize, sink: &Sink, batch: BatchConfig) -> HashMap<String, Vec<Seen>> {
    let (context, registry) = (TransportContext::tcp(1 << 20), Registry::new());
    let spans = OwnSpans::of(&context);
    let queue = OwnQueue::new(OwnQueueConfig::default(), &registry);
    let recording = spans.record(Sampler::AlwaysOn, false, vec![queue.clone()]);
    let mut action = ActionConfig::default();
    (action.key, action.action) = ("a".into(), ActionKind::Delete);
    let tag = AttributesProcessor::new(&[action], MatchConfig::default()).unwrap();
    let mut logs = pipeline("logs", &["door"], &["out"]);
    logs.stages = vec![
        PipelineStage::new("attributes", StageSpec::Processor(Arc::new(tag))),
        PipelineStage::new("batch", StageSpec::Batch(batch)),
    ];
    let door = Arc::new(Mutex::new(None));
    let mut out = exporter("out", sink, Some(queue_of_one()));
    out.retry = retry_config();
    let spec = GatewaySpec {
        receivers: vec![ReceiverSpec::new("door", Door(door.clone()))],
        exporters: vec![out],
        pipelines: vec![logs],
        own_spans: spans.clone(),
        ..GatewaySpec::default()
    };
    let gateway = Gateway::start(context.clone(), spec).await.unwrap();
    let inlet = door.lock().clone().unwrap();
    for _ in 0..requests {
        inlet.export(log()).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(20)).await;
    let report = gateway.drain(now() + seconds(5)).await;
    report.ledger.check().unwrap();
    drop(recording);
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let kept = bodies.clone();
    let keep = BoxExport::from_fn(move |batch: Batch| {
        kept.lock().push(batch.body().plain().to_contiguous());
        async { Ok(Accepted::FULL) }
    });
    queue.start(Arc::default(), keep, context.clock.clone()).drain().await;
    let mut seen: HashMap<String, Vec<Seen>> = HashMap::new();
    for body in bodies.lock().iter() {
        for span in RequestView::new(<Spans as otlp_protocol::encode::Entries>::SIGNAL, body).spans() {
            let text = |value: AnyValue<'_>| match value {
                AnyValue::Int(number) => number.to_string(),
                AnyValue::String(text) => text.to_owned(),
                other => format!("{other:?}"),
            };
            let attributes = span.attributes();
            let attributes =
                attributes.iter().map(|attribute| (attribute.key().to_owned(), text(attribute.value())));
            seen.entry(span.name().to_owned()).or_default().push(Seen {
                trace_id: span.trace_id().copied(),
                id: span.span_id().copied(),
                parent: span.parent_span_id().copied(),
                kind: span.kind(),
                links: span.links().count(),
                is_error: span.status().code() == StatusCode::Error,
                attributes: attributes.collect(),
            });
        }
    }
    seen
}

fn queue_of_one() -> otlp_service::QueueConfig {
    queue(10, 1)
}

#[tokio::test(start_paused = true)]
async fn a_request_has_a_span_of_each_step() {
    let sink = Sink::scripted([UNAVAILABLE]);
    let mut alone = BatchConfig::default();
    alone.timeout = Duration::ZERO;
    let seen = spans_of(1, &sink, alone).await;
    let one = |name: &str| match seen.get(name).map(Vec::as_slice) {
        Some([only]) => only.clone(),
        other => panic!("{name}: {other:?} of {:?}", seen.keys()),
    };
    let receipt = one("receiver/door/LogsReceived");
    assert_eq!((receipt.kind, receipt.parent), (SpanKind::Server, None));
    assert_eq!(receipt.attributes["accepted_log_records"], "1");
    assert_eq!(receipt.attributes["transport"], "test");
    let processor = one("processor/attributes/logs");
    assert_eq!(
        (&processor.attributes["items.in"], &processor.attributes["items.out"]),
        (&"1".into(), &"1".into())
    );
    let export = one("exporter/out/logs");
    assert_eq!((export.attributes["items.sent"].as_str(), export.is_error), ("1", false));
    for child in [&processor, &one("exporter/out/queue"), &export] {
        assert_eq!((&child.trace_id, &child.parent), (&receipt.trace_id, &receipt.id));
    }
    let attempts = &seen["exporter/out/attempt"];
    assert_eq!(attempts.iter().map(|attempt| attempt.is_error).collect::<Vec<_>>(), [true, false]);
    assert_eq!(attempts[0].attributes["error.type"], "Unavailable");
    assert!(attempts.iter().all(|attempt| attempt.parent == export.id && attempt.kind == SpanKind::Client));
}

#[tokio::test(start_paused = true)]
async fn the_export_of_a_merged_batch_is_linked_to_all_requests() {
    let seen = spans_of(5, &Sink::default(), BatchConfig::default()).await;
    let receipts = &seen["receiver/door/LogsReceived"];
    assert_eq!(receipts.len(), 5);
    let [export] = seen["exporter/out/logs"].as_slice() else { panic!("one export: {seen:?}") };
    assert_eq!((&export.trace_id, &export.parent), (&receipts[0].trace_id, &receipts[0].id));
    assert_eq!(export.links, 4);
}
