//! Own metrics of a whole gateway: names and levels as the Collector has them, pages, pushes.

use crate::gateway::{address, request_with};
use crate::harness::*;
use crate::holders::{exporter, pipeline};
use crate::own_spans::{Door, log};
use MetricsLevel::{Basic, Detailed, Normal};
use otlp_protocol::view::{DataPoint, Number, RequestView};
use otlp_protocol::{Accepted, AttributeValue, Batch, Signal};
use otlp_service::{
    ActionConfig, ActionKind, AttributesProcessor, BatchConfig, ExporterSpec, Extension, ExtensionSpec,
    Gateway, GatewaySpec, MatchConfig, MeasuredPart, MetricsLevel, MetricsPage, MetricsReader,
    MetricsReaderConfig, PipelineSpec, PipelineStage, ReceiverSpec, Registry, ServerSpec, StageSpec,
};
use otlp_transport::{
    BoxAttempt, BoxExport, Clock, Export, HttpTransportStrategy, ServerConfig, ServerStrategy, Sleep,
    TokioClock, TransportContext,
};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};

/// Metrics of the Collector 0.159 for the components of the gateway below: names without `_total`, the level at which the Collector
/// shows them (service/internal/metricviews), and labels. `*` stands for the items of a signal.
///
/// Left out: `otelcol_process_runtime_*`, which are of the Go runtime; `rpc_*` and `http_*`, which the Collector's HTTP and gRPC
/// libraries count, and for which `otlp_receiver_request_duration_seconds`, `otlp_exporter_attempt_duration_seconds`, `otlp_server_*`
/// and `otlp_client_*` are here.
const COLLECTOR: &[(&str, MetricsLevel, &[&str])] = &[
    ("otelcol_exporter_enqueue_failed_*", Basic, &["exporter"]),
    ("otelcol_exporter_enqueue_size", Detailed, &["exporter", "data_type"]),
    ("otelcol_exporter_enqueue_size_bytes", Detailed, &["exporter", "data_type"]),
    ("otelcol_exporter_in_flight_requests", Basic, &["exporter", "data_type"]),
    ("otelcol_exporter_queue_batch_send_size", Detailed, &["exporter", "data_type"]),
    ("otelcol_exporter_queue_batch_send_size_bytes", Detailed, &["exporter", "data_type"]),
    ("otelcol_exporter_queue_capacity", Basic, &["exporter", "data_type"]),
    ("otelcol_exporter_queue_size", Basic, &["exporter", "data_type"]),
    ("otelcol_exporter_send_failed_*", Basic, &["exporter"]),
    ("otelcol_exporter_sent_*", Basic, &["exporter"]),
    ("otelcol_process_cpu_seconds", Basic, &[]),
    ("otelcol_process_memory_rss", Basic, &[]),
    ("otelcol_process_uptime", Basic, &[]),
    ("otelcol_processor_batch_batch_send_size", Normal, &["processor"]),
    ("otelcol_processor_batch_batch_send_size_bytes", Detailed, &["processor"]),
    ("otelcol_processor_batch_batch_size_trigger_send", Normal, &["processor"]),
    ("otelcol_processor_batch_metadata_cardinality", Normal, &["processor"]),
    ("otelcol_processor_batch_timeout_trigger_send", Normal, &["processor"]),
    ("otelcol_processor_incoming_items", Basic, &["processor", "otel_signal"]),
    ("otelcol_processor_internal_duration", Detailed, &["processor", "otel_signal"]),
    ("otelcol_processor_memory_limiter_accepted_*", Basic, &["processor"]),
    ("otelcol_processor_memory_limiter_refused_*", Basic, &["processor"]),
    ("otelcol_processor_outgoing_items", Basic, &["processor", "otel_signal"]),
    ("otelcol_receiver_accepted_*", Basic, &["receiver", "transport"]),
    ("otelcol_receiver_failed_*", Basic, &["receiver", "transport"]),
    ("otelcol_receiver_refused_*", Basic, &["receiver", "transport"]),
    ("otelcol_receiver_requests", Basic, &["receiver", "transport", "outcome"]),
    ("target_info", Basic, &["service_name", "service_version", "service_instance_id"]),
];

/// A gateway with a pipeline of each signal.
fn spec(sink: &Sink, pages: Vec<MetricsPage>) -> GatewaySpec {
    let strategy: Arc<dyn ServerStrategy> = Arc::new(HttpTransportStrategy);
    let server = ServerSpec::new(strategy, ServerConfig::new("127.0.0.1:0"));
    let mut action = ActionConfig::default();
    (action.key, action.action, action.value) =
        ("host".into(), ActionKind::Insert, Some(AttributeValue::new("a")));
    let marking = AttributesProcessor::new(&[action], MatchConfig::default());
    let marking = Arc::new(marking.unwrap());
    let mut batching = BatchConfig::default();
    batching.timeout = std::time::Duration::from_millis(1);
    let stages = |signal: Signal| {
        let mut stages = vec![PipelineStage::new("batch", StageSpec::Batch(batching.clone()))];
        if signal.name != "profiles" {
            stages.insert(0, PipelineStage::new("attributes", StageSpec::Processor(marking.clone())));
        }
        stages
    };
    let mut exporter = ExporterSpec::new("out", BoxAttempt::new(sink.clone()));
    exporter.retry = no_retry();
    GatewaySpec {
        receivers: vec![ReceiverSpec::otlp("otlp", vec![server])],
        exporters: vec![exporter],
        pipelines: Signal::ALL
            .into_iter()
            .map(|signal| PipelineSpec {
                id: signal.name.into(),
                signal,
                receivers: vec!["otlp".into()],
                stages: stages(signal),
                exporters: vec!["out".into()],
            })
            .collect(),
        metrics_pages: pages,
        ..GatewaySpec::default()
    }
}

async fn start(spec: GatewaySpec) -> Gateway {
    Gateway::start(TransportContext::tcp(64 << 20), spec).await.unwrap()
}

/// Each metric of the Collector is shown at its level and above, and not below.
#[tokio::test]
async fn names_and_levels_are_the_collectors() {
    let gateway = start(spec(&Sink::default(), Vec::new())).await;
    let levels = [MetricsLevel::None, Basic, Normal, Detailed];
    let shown = levels.map(|level| (level, gateway.registry().at_level(level)));
    let mut wrong = Vec::new();
    for (name, from, labels) in COLLECTOR {
        let names: Vec<_> = match name.strip_suffix('*') {
            Some(start) => Signal::ALL.iter().map(|signal| format!("{start}{}", signal.items_noun)).collect(),
            None => vec![(*name).to_owned()],
        };
        for name in names {
            for (level, metrics) in &shown {
                let family = metrics.families.iter().find(|family| family.name == name);
                if family.is_some() != (level >= from) {
                    wrong.push(format!("{name} is shown at {level:?}: {}", family.is_some()));
                }
                let has = |key: &str| {
                    let samples = family.iter().flat_map(|family| &family.samples);
                    samples
                        .map(|sample| &sample.labels)
                        .all(|known| known.iter().any(|(known, _)| *known == key))
                };
                wrong.extend(labels.iter().filter(|key| !has(key)).map(|key| format!("{name} has no {key}")));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    // All that bears the Collector's prefix is in the list.
    let is_listed = |name: &str| {
        COLLECTOR.iter().any(|(known, ..)| match known.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == *known,
        })
    };
    let own = ["otelcol_processor_batch_cardinality_trigger_send", "otelcol_processor_batch_unmergeable"];
    let names = shown[3].1.families.iter().map(|family| &*family.name);
    let unlisted: Vec<_> = names
        .filter(|name| name.starts_with("otelcol_") && !is_listed(name) && !own.contains(name))
        .collect();
    assert_eq!(unlisted, Vec::<&str>::new());
    gateway.drain(now() + seconds(5)).await;
}

/// Two pages with settings of their own; the request chooses the format.
#[tokio::test]
async fn each_page_has_its_level_and_format() {
    let plain = MetricsPage { level: Basic, ..MetricsPage::new("127.0.0.1:0") };
    let suffixed = MetricsPage { type_suffix: true, level: Detailed, ..MetricsPage::new("127.0.0.1:0") };
    let hidden = MetricsPage { level: MetricsLevel::None, ..MetricsPage::new("127.0.0.1:0") };
    // Both on ports of their own, so that a reload can tell them apart.
    let gateway = start(spec(&Sink::default(), vec![plain.clone(), hidden])).await;
    let page = |headers| request_with(address(&gateway, "metrics"), "GET /metrics", headers, b"");
    assert_eq!(gateway.endpoints().iter().filter(|(name, _)| name == "metrics").count(), 1);
    let (status, text) = page("accept: application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.2\r\n").await;
    assert_eq!(status, 200);
    assert!(text.contains("\notelcol_exporter_sent_spans{exporter=\"out\"} 0\n"), "{text}");
    assert!(!text.contains("otelcol_processor_batch_"), "{text}");
    let (_, text) = page("accept: application/openmetrics-text\r\n").await;
    assert!(text.contains("\notelcol_exporter_sent_spans_total{exporter=\"out\"} 0\n"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
    gateway.drain(now() + seconds(5)).await;

    let gateway = start(spec(&Sink::default(), vec![suffixed])).await;
    let page = |headers| request_with(address(&gateway, "metrics"), "GET /metrics", headers, b"");
    let (_, text) = page("accept: application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.2\r\n").await;
    assert!(
        text.contains("otelcol_processor_batch_batch_send_size_bytes_bucket") && text.ends_with("# EOF\n")
    );
    let (_, text) = page("").await;
    assert!(text.contains("# TYPE otelcol_exporter_sent_spans_total counter\n"), "{text}");
    gateway.drain(now() + seconds(5)).await;
}

/// Pushes the metrics of a gateway, as an extension: extensions stop last, so that the last push has the final values.
struct Pushing {
    registry: Arc<OnceLock<Registry>>,
    last: Arc<Mutex<HashMap<String, i64>>>,
}

impl Extension for Pushing {
    async fn stop(&self) {
        let (registry, last) = (self.registry.get().unwrap().clone(), self.last.clone());
        let export = BoxExport::from_fn(move |batch: Batch| {
            *last.lock() = sums(&batch);
            async { Ok(Accepted::FULL) }
        });
        let config = MetricsReaderConfig::default();
        let reader = MetricsReader::start(registry, config, Vec::new(), export, clock());
        reader.drain(now() + seconds(5)).await;
    }
}

/// The last push has the ledger's totals, also of what the drain itself delivers.
#[tokio::test]
async fn the_last_push_has_the_totals_of_the_ledger() {
    let (registry, last): (Arc<OnceLock<_>>, Arc<Mutex<HashMap<_, _>>>) = Default::default();
    let mut spec = spec(&Sink::default(), Vec::new());
    let pushing = Pushing { registry: registry.clone(), last: last.clone() };
    spec.extensions.push(ExtensionSpec::new("pushing", pushing));
    let gateway = start(spec).await;
    registry.set(gateway.registry().clone()).ok().unwrap();
    let inlet = gateway.inlet("logs").unwrap();
    for items in [3, 4, 5] {
        inlet.export(logs(items)).await.unwrap();
    }
    let performance = gateway.metrics().pipeline("logs").unwrap();
    assert_eq!((performance.requests, performance.failures), (3, 0));
    assert!(gateway.metrics().measured().any(|part| part == (MeasuredPart::Exporter, "out")));
    let report = gateway.drain(now() + seconds(5)).await;
    let line = report.ledger.lines.iter().find(|line| line.pipeline == "logs").unwrap();
    assert_eq!(line.sent, 12);
    let last = last.lock();
    assert_eq!(last.get("otelcol_exporter_sent_log_records"), Some(&12));
    assert_eq!(last.get("otelcol_exporter_send_failed_log_records"), Some(&0));
}

/// A destination that hangs takes all time of the drain, and is what the last push must tell of.
#[tokio::test(start_paused = true)]
async fn the_last_push_is_made_also_after_a_drain_that_took_all_its_time() {
    let (registry, last): (Arc<OnceLock<_>>, Arc<Mutex<HashMap<_, _>>>) = Default::default();
    let (door, sink) = (Arc::default(), Sink::scripted([Step::Hang]));
    let spec = GatewaySpec {
        receivers: vec![ReceiverSpec::new("door", Door(Arc::clone(&door)))],
        exporters: vec![exporter("out", &sink, Some(queue(10, 1)))],
        pipelines: vec![pipeline("logs", &["door"], &["out"])],
        extensions: vec![ExtensionSpec::new(
            "pushing",
            Pushing { registry: registry.clone(), last: last.clone() },
        )],
        ..GatewaySpec::default()
    };
    let gateway = start(spec).await;
    registry.set(gateway.registry().clone()).ok().unwrap();
    let inlet = door.lock().clone().unwrap();
    inlet.export(log()).await.unwrap();
    let deadline = now() + seconds(5);
    let report = gateway.drain(deadline).await;
    assert_eq!(report.dropped_items, 1);
    assert_eq!(last.lock().get("otelcol_exporter_sent_log_records"), Some(&0));
    assert!(now() >= deadline && now() < deadline + seconds(1));
}

/// The first integer of each metric of a request.
fn sums(batch: &Batch) -> HashMap<String, i64> {
    let body = batch.body().to_bytes();
    let view = RequestView::new(batch.signal(), &body);
    let int = |point| match point {
        DataPoint::Number(point) => match point.value() {
            Number::Int(value) => Some(value),
            _ => None,
        },
        _ => None,
    };
    view.metrics()
        .filter_map(|metric| Some((metric.name().to_owned(), int(metric.points().next()?)?)))
        .collect()
}

/// Counts readings of the clock.
#[derive(Debug, Default)]
struct CountingClock(AtomicU32);

impl Clock for CountingClock {
    fn now(&self) -> Instant {
        self.0.fetch_add(1, Ordering::Relaxed);
        TokioClock.now()
    }

    fn wall(&self) -> SystemTime {
        TokioClock.wall()
    }

    fn sleep_until(&self, instant: Instant) -> Sleep {
        TokioClock.sleep_until(instant)
    }
}

/// A reading of the clock costs more than all counters of a request together: the receiver and its only pipeline share theirs.
#[tokio::test(start_paused = true)]
async fn a_request_takes_five_readings_of_the_clock() {
    // Of the receiver 2, of a further pipeline 1, of an export with its attempt 3.
    for (pipelines, readings) in [(1, 2 + 3), (2, 2 + 2 * (1 + 3))] {
        let clock = Arc::new(CountingClock::default());
        let context = TransportContext { clock: clock.clone(), ..TransportContext::tcp(1 << 20) };
        let (door, sink) = (Arc::default(), Sink::default());
        let ids: Vec<_> = (0..pipelines).map(|id| format!("logs/{id}")).collect();
        let spec = GatewaySpec {
            receivers: vec![ReceiverSpec::new("door", Door(Arc::clone(&door)))],
            exporters: vec![exporter("out", &sink, None)],
            pipelines: ids.iter().map(|id| pipeline(id, &["door"], &["out"])).collect(),
            ..GatewaySpec::default()
        };
        let gateway = Gateway::start(context, spec).await.unwrap();
        let inlet = door.lock().clone().unwrap();
        let before = clock.0.load(Ordering::Relaxed);
        inlet.export(log()).await.unwrap();
        assert_eq!(clock.0.load(Ordering::Relaxed) - before, readings, "{pipelines} pipelines");
        let metrics = gateway.metrics();
        assert_eq!(metrics.receiver("door").unwrap().requests, 1);
        assert!(ids.iter().all(|id| metrics.pipeline(id).unwrap().requests == 1));
        assert_eq!(metrics.exporter("out").unwrap().requests, pipelines);
    }
}
