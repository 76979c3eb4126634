//! Handles: what a gateway and its components show goes with them.

use crate::harness::*;
use crate::holders::{exporter, pipeline};
use otlp_service::{
    BatchConfig, Gateway, GatewaySpec, Health, HealthCheck, HealthChecker, Histogram, Inlets, MetricKind,
    PipelineStage, Receiver, ReceiverSpec, Registry, Running, ServerSpec, StageSpec, StartError,
};
use otlp_transport::{Address, HttpTransportStrategy, ServerConfig, TransportContext};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Instant;

/// A receiver that lets its test look at the registry.
struct Peek(Arc<Mutex<Option<Registry>>>);

impl Receiver for Peek {
    type Running = Peek;

    async fn start(self, inlets: Inlets, _: &TransportContext) -> Result<Self, StartError> {
        *self.0.lock() = Some(inlets.metrics().clone());
        Ok(self)
    }

    fn without_headers(&self) -> Vec<String> {
        vec!["peek".into()]
    }
}

impl Running for Peek {
    async fn drain(self, _: Instant) {}

    fn endpoints(&self) -> Vec<(String, Address)> {
        Vec::new()
    }
}

fn names(registry: &Registry) -> Vec<String> {
    registry.snapshot().families.into_iter().map(|family| family.name).collect()
}

#[tokio::test]
async fn metrics_go_with_their_gateway() {
    let peeked = Arc::new(Mutex::new(None));
    let server = ServerSpec::new(Arc::new(HttpTransportStrategy), ServerConfig::new("127.0.0.1:0"));
    let mut logs_in = pipeline("logs", &["otlp", "peek"], &["out", "direct"]);
    logs_in.stages = vec![PipelineStage::new("batch", StageSpec::Batch(BatchConfig::default()))];
    let sink = Sink::default();
    let spec = GatewaySpec {
        receivers: vec![
            ReceiverSpec::otlp("otlp", vec![server]),
            ReceiverSpec::new("peek", Peek(peeked.clone())),
        ],
        exporters: vec![exporter("out", &sink, Some(queue(10, 1))), exporter("direct", &sink, None)],
        pipelines: vec![logs_in],
        ..GatewaySpec::default()
    };
    assert_eq!(spec.needs()[1].without_headers, ["peek"]);
    let gateway = Gateway::start(TransportContext::tcp(1 << 20), spec).await.unwrap();
    let registry = peeked.lock().take().unwrap();
    for name in ["otlp_server_open_connections", "otelcol_exporter_queue_size", "otlp_ledger_items"] {
        assert!(names(&registry).iter().any(|known| known == name), "{name}");
    }
    let health = gateway.health().clone();
    assert_eq!(health.report().checks.len(), 3);
    gateway.drain(now() + seconds(5)).await;
    // Tasks of the gateway may be about to end.
    tokio::time::timeout(seconds(20), async {
        while !names(&registry).is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("left: {:?}", names(&registry)));
    assert_eq!(health.report().checks, []);
}

#[test]
fn a_metric_goes_with_its_last_owner() {
    let registry = Registry::new();
    let counter = registry.counter("counted", "Counts.", &[("of", "a")]);
    let other = registry.counter("counted", "Counts.", &[("of", "b")]);
    let copy = counter.clone();
    let gauge = registry.observe(MetricKind::Gauge, "gauge", "Shows.", &[], || 1.0);
    drop(counter);
    copy.add(2);
    assert_eq!(registry.snapshot().get("counted", &[("of", "a")]), Some(2.0));
    drop(copy);
    assert_eq!(registry.snapshot().get("counted", &[("of", "a")]), None);
    assert_eq!(names(&registry), ["counted", "gauge"]);
    drop((other, gauge));
    assert!(names(&registry).is_empty());
}

/// While a component and its successor are there, they are one; when the first one goes, counters do not fall.
#[test]
fn metrics_of_the_same_labels_are_one() {
    let registry = Registry::new();
    let labels = [("exporter", "out")];
    let shown = || {
        let all = registry.snapshot();
        ["counted", "seen", "level", "size"].map(|name| {
            let family = all.families.iter().find(|family| family.name == name);
            family.map(|family| (family.samples.len(), family.samples.last().unwrap().value))
        })
    };
    let make = |value: f64| {
        let counter = registry.counter("counted", "Counts.", &labels);
        let histogram = registry.histogram("size", "Sizes.", &labels, Histogram::new(&[10]));
        let seen = registry.observe(MetricKind::Counter, "seen", "Counts.", &labels, move || value);
        let level = registry.observe(MetricKind::Gauge, "level", "Level.", &labels, move || value);
        (counter, histogram, seen, level)
    };
    let (old, new) = (make(3.0), make(4.0));
    for (counter, histogram, ..) in [&old, &new] {
        counter.add(5);
        histogram.record(7);
    }
    // Two buckets, sum and count.
    assert_eq!(shown(), [Some((1, 10.0)), Some((1, 7.0)), Some((1, 7.0)), Some((4, 2.0))]);
    drop(old);
    assert_eq!(shown(), [Some((1, 10.0)), Some((1, 7.0)), Some((1, 4.0)), Some((4, 2.0))]);
    drop(new);
    assert_eq!(shown(), [None; 4]);
}

/// The last owner of a metric may be the one that reads another.
#[test]
fn a_metric_may_end_while_another_is_read() {
    let registry = Registry::new();
    let owned = Arc::new(Mutex::new(Some(registry.counter("owned", "Counts.", &[]))));
    let reader = owned.clone();
    let _reading = registry.observe(MetricKind::Gauge, "reader", "Shows.", &[], move || {
        drop(reader.lock().take());
        1.0
    });
    assert_eq!(names(&registry), ["owned", "reader"]);
    assert_eq!(names(&registry), ["reader"]);
}

#[test]
fn a_health_check_goes_with_its_entry() {
    struct Fixed;
    impl HealthCheck for Fixed {
        fn name(&self) -> &str {
            "fixed"
        }
        fn check(&self) -> Health {
            Health::Healthy
        }
    }
    let checker = HealthChecker::new();
    let (first, second) = (checker.add(Fixed), checker.add(Fixed));
    drop(first);
    assert_eq!(checker.report().checks.len(), 1);
    drop(second);
    assert!(checker.report().checks.is_empty());
}
