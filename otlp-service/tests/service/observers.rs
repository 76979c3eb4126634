//! Observers: what passes each edge is seen, and whoever looks on slows and loses nothing of the data.

use crate::harness::*;
use crate::holders::{connector, dedup, exporter, forward, pipeline, start};
use crate::reload::spec;
use otlp_protocol::view::RequestView;
use otlp_protocol::{Batch, ByteBudget, Signal, json};
use otlp_service::{
    ActionConfig, ActionKind, AttributesProcessor, BatchConfig, EdgeFilter, Gateway, GatewaySpec, Lost,
    MatchConfig, NopExporter, Observed, PipelineSpec, PipelineStage, Registry, StageSpec, SubscribeError,
    Subscription, TelemetryObserver, TelemetrySubject,
};
use otlp_transport::{Export, TransportContext};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Sends what it sees to its test: edge, method, items, lost batches.
struct Seen(UnboundedSender<(String, &'static str, u64, u64)>);

/// Waits for its test at each batch.
struct Slow(parking_lot::Mutex<std::sync::mpsc::Receiver<()>>, Seen);

struct Panics;

type Sights = UnboundedReceiver<(String, &'static str, u64, u64)>;

impl Seen {
    fn new() -> (Self, Sights) {
        let (sender, sights) = unbounded_channel();
        (Self(sender), sights)
    }

    fn tell(&self, observed: &Observed, method: &'static str) {
        let (items, lost) = (observed.batch().items(), observed.lost().batches);
        let _ = self.0.send((observed.edge().to_owned(), method, items, lost));
    }
}

impl TelemetryObserver for Seen {
    fn on_trace(&self, observed: &Observed) {
        self.tell(observed, "trace");
    }

    fn on_metric(&self, observed: &Observed) {
        self.tell(observed, "metric");
    }

    fn on_log(&self, observed: &Observed) {
        self.tell(observed, "log");
    }

    fn on_profile(&self, observed: &Observed) {
        self.tell(observed, "profile");
    }
}

impl TelemetryObserver for Slow {
    fn on_batch(&self, observed: &Observed) {
        self.1.tell(observed, "batch");
        let _ = self.0.lock().recv();
    }
}

impl TelemetryObserver for Panics {
    fn on_batch(&self, _: &Observed) {
        panic!("as it should");
    }
}

fn all() -> Subscription {
    let mut subscription = Subscription::default();
    subscription.edges = EdgeFilter::All;
    subscription
}

fn named(edge: &str) -> Subscription {
    let mut subscription = Subscription::default();
    subscription.edges = EdgeFilter::Named(edge.into());
    subscription
}

fn deleting() -> StageSpec {
    let mut action = ActionConfig::default();
    (action.key, action.action) = ("password".into(), ActionKind::Delete);
    StageSpec::Processor(Arc::new(AttributesProcessor::new(&[action], MatchConfig::default()).unwrap()))
}

pub(crate) fn deleting_stage(id: &str) -> PipelineStage {
    PipelineStage::new(id, deleting())
}

fn small_batches() -> StageSpec {
    let mut config = BatchConfig::default();
    config.send_batch_size = 2;
    StageSpec::Batch(config)
}

/// A pipeline with a stage of each kind, and one behind its connector.
fn every_kind(sink: &Sink) -> GatewaySpec {
    let stages = vec![
        deleting_stage("attributes"),
        deleting_stage("attributes/2"),
        PipelineStage::new("hold", StageSpec::Holder(dedup())),
        PipelineStage::new("batch", small_batches()),
    ];
    let first = PipelineSpec { stages, ..pipeline("logs", &[], &["out", "forward"]) };
    GatewaySpec {
        connectors: vec![connector("forward", forward())],
        ..spec(vec![exporter("out", sink, None)], vec![first, pipeline("logs/2", &["forward"], &["out"])])
    }
}

/// Items of each edge, once `count` batches were seen.
async fn sights(seen: &mut Sights, count: usize) -> BTreeMap<String, u64> {
    let mut items = BTreeMap::new();
    for _ in 0..count {
        let (edge, method, number, _) = seen.recv().await.unwrap();
        assert_eq!(method, "log");
        *items.entry(edge).or_default() += number;
    }
    items
}

#[tokio::test]
async fn every_edge_of_a_graph_is_seen() {
    let gateway = start(every_kind(&Sink::default())).await;
    let edges = [
        "logs",
        "logs/2",
        "logs/2/out",
        "logs/attributes",
        "logs/attributes/2",
        "logs/batch",
        "logs/forward",
        "logs/hold",
        "logs/out",
    ];
    let listed = gateway.observers().edges();
    assert_eq!(listed.iter().map(|edge| &*edge.name).collect::<Vec<_>>(), edges);
    assert!(listed.iter().all(|edge| edge.signal == Some(Signal::LOGS)));
    let (observer, mut seen) = Seen::new();
    let subscription = gateway.observers().subscribe(all(), observer).unwrap();
    gateway.inlet("logs").unwrap().export(logs(3)).await.unwrap();
    let report = gateway.drain(now() + seconds(5)).await;
    assert_eq!(report.ledger.check(), Ok(()));
    assert_eq!(sights(&mut seen, edges.len()).await, edges.map(|edge| (edge.to_owned(), 3)).into());
    // The drain has ended the subscription.
    assert_eq!((seen.recv().await, subscription.lost()), (None, Lost::default()));
}

#[tokio::test]
async fn a_batch_processor_in_front_of_a_holder_has_an_edge() {
    let stages = vec![
        PipelineStage::new("batch", small_batches()),
        PipelineStage::new("hold", StageSpec::Holder(dedup())),
    ];
    let first = PipelineSpec { stages, ..pipeline("logs", &[], &["out"]) };
    let gateway = start(spec(vec![exporter("out", &Sink::default(), None)], vec![first])).await;
    let (observer, mut seen) = Seen::new();
    let _subscription = gateway.observers().subscribe(named("logs/batch"), observer).unwrap();
    gateway.inlet("logs").unwrap().export(logs(3)).await.unwrap();
    assert_eq!(sights(&mut seen, 1).await, [("logs/batch".to_owned(), 3)].into());
}

#[tokio::test]
async fn a_reload_brings_edges_to_standing_subscriptions() {
    let sink = Sink::default();
    let mut gateway =
        start(spec(vec![exporter("out", &sink, None)], vec![pipeline("logs", &[], &["out"])])).await;
    let (observer, mut seen) = Seen::new();
    let subscription = gateway.observers().subscribe(named("logs/attributes"), observer).unwrap();
    gateway.inlet("logs").unwrap().export(logs(1)).await.unwrap();
    gateway.reload(every_kind(&sink)).await.unwrap();
    gateway.inlet("logs").unwrap().export(logs(2)).await.unwrap();
    assert_eq!(sights(&mut seen, 1).await, [("logs/attributes".to_owned(), 2)].into());
    // What went away is listed no more, and what ended is heard no more.
    gateway
        .reload(spec(vec![exporter("out", &sink, None)], vec![pipeline("logs", &[], &["out"])]))
        .await
        .unwrap();
    while gateway.observers().edges().len() > 2 {
        tokio::task::yield_now().await;
    }
    drop(subscription);
    assert_eq!(seen.recv().await, None);
    assert_eq!(gateway.metrics().get("otlp_observer_subscriptions", &[]), Some(0.0));
}

#[tokio::test]
async fn a_slow_observer_loses_copies_and_nobody_waits() {
    let registry = Registry::new();
    let subject = TelemetrySubject::new(&registry);
    let sink = Sink::default();
    let export = subject.edge("out").in_front_of(sink.clone());
    let (go, wait) = std::sync::mpsc::channel();
    let (seen, mut sights) = Seen::new();
    let mut two = Subscription::default();
    two.max_queued_batches = 2;
    let subscription = subject.subscribe(two, Slow(wait.into(), seen)).unwrap();
    export.export(logs(5)).await.unwrap();
    assert_eq!(sights.recv().await, Some(("out".into(), "batch", 5, 0)));
    // One is in its hands, two wait.
    for _ in 0..9 {
        export.export(logs(1)).await.unwrap();
    }
    assert_eq!(sink.items(), 14);
    assert_eq!(subscription.lost(), Lost { batches: 7, items: 7 });
    (0..3).for_each(|_| go.send(()).unwrap());
    assert_eq!(sights.recv().await, Some(("out".into(), "batch", 1, 7)));
    assert_eq!(sights.recv().await, Some(("out".into(), "batch", 1, 0)));
    let shown = registry.snapshot();
    assert_eq!(shown.get("otlp_observer_lost_batches", &[]), Some(7.0));
    assert_eq!(shown.get("otlp_observer_lost_items", &[]), Some(7.0));
    drop(go);
}

/// Scenario: copies are lost, and the next ones do not match the filter. Guarantee: the observer hears of the loss with the first
/// copy that it gets.
#[tokio::test]
async fn losses_are_told_with_the_next_copy_that_matches() {
    let subject = TelemetrySubject::new(&Registry::new());
    let export = subject.edge("out").in_front_of(NopExporter);
    let (seen, mut sights) = Seen::new();
    let mut cart = Subscription::default();
    (cart.max_queued_bytes, cart.resource) = (1000, vec![("service.name".into(), "cart".into())]);
    let _subscription = subject.subscribe(cart, seen).unwrap();
    let of = |service: &str, text: &str| {
        let text = format!(
            r#"{{"resourceLogs":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},
            "scopeLogs":[{{"logRecords":[{{"body":{{"stringValue":"{text}"}}}}]}}]}}]}}"#
        );
        Batch::new(json::from_str(Signal::LOGS, &text).unwrap(), otlp_protocol::Charge::none())
    };
    export.export(of("cart", &"x".repeat(2000))).await.unwrap();
    export.export(of("shop", "filtered")).await.unwrap();
    export.export(of("cart", "matches")).await.unwrap();
    assert_eq!(sights.recv().await, Some(("out".into(), "log", 1, 1)));
}

/// Scenario: the queue of a slow observer is full, and then is emptied: by the observer, for memory, at the end. Guarantee:
/// further copies find room, and those after the end do not count as lost.
#[tokio::test]
async fn a_queue_that_was_full_takes_copies_again() {
    let budget = ByteBudget::new(1000);
    let subject = TelemetrySubject::new(&Registry::new());
    assert!(subject.make_room_in(&budget));
    let export = subject.edge("out").in_front_of(NopExporter);
    let (go, wait) = std::sync::mpsc::channel();
    let (seen, mut sights) = Seen::new();
    let mut one = Subscription::default();
    one.max_queued_batches = 1;
    let subscription = subject.subscribe(one, Slow(wait.into(), seen)).unwrap();
    let send = async |items: u64| export.export(logs(items)).await.unwrap();
    send(1).await;
    assert_eq!(sights.recv().await, Some(("out".into(), "batch", 1, 0)));
    for items in [2, 3, 3] {
        send(items).await;
    }
    assert_eq!(subscription.lost(), Lost { batches: 2, items: 6 });
    go.send(()).unwrap();
    assert_eq!(sights.recv().await, Some(("out".into(), "batch", 2, 2)));
    for items in [4, 5] {
        send(items).await;
    }
    // The copy of 4 items goes, and 6 find room.
    assert!(budget.try_charge(2000).is_err());
    send(6).await;
    assert_eq!(subscription.lost(), Lost { batches: 4, items: 15 });
    send(7).await;
    subject.close();
    send(8).await;
    assert_eq!(subscription.lost(), Lost { batches: 5, items: 22 });
    (0..2).for_each(|_| go.send(()).unwrap());
    assert_eq!(sights.recv().await, Some(("out".into(), "batch", 6, 3)));
    assert_eq!(sights.recv().await, None);
}

#[tokio::test]
async fn copies_are_limited_in_bytes() {
    let subject = TelemetrySubject::new(&Registry::new());
    let export = subject.edge("out").in_front_of(NopExporter);
    let (seen, mut sights) = Seen::new();
    let mut small = Subscription::default();
    small.max_queued_bytes = 1000;
    let subscription = subject.subscribe(small, seen).unwrap();
    export.export(logs_of(1, 2000)).await.unwrap();
    export.export(logs_of(1, 100)).await.unwrap();
    assert_eq!(sights.recv().await, Some(("out".into(), "log", 1, 1)));
    assert_eq!(subscription.lost(), Lost { batches: 1, items: 1 });
}

#[tokio::test]
async fn copies_go_before_a_request_is_refused() {
    let context = TransportContext::tcp(1000);
    let budget: ByteBudget = context.budget.clone();
    let spec = spec(vec![exporter("out", &Sink::default(), None)], vec![pipeline("logs", &[], &["out"])]);
    let gateway = Gateway::start(context, spec).await.unwrap();
    let (go, wait) = std::sync::mpsc::channel();
    let (seen, mut sights) = Seen::new();
    let subscription = gateway.observers().subscribe(named("logs"), Slow(wait.into(), seen)).unwrap();
    let inlet = gateway.inlet("logs").unwrap();
    inlet.export(logs(1)).await.unwrap();
    sights.recv().await.unwrap();
    let (body, _) = logs(2).into_parts();
    inlet.export(Batch::new(body, budget.try_charge(600).unwrap())).await.unwrap();
    assert_eq!(budget.used(), 600);
    let charge = budget.try_charge(500).unwrap();
    assert_eq!((budget.used(), budget.refusals()), (500, 0));
    assert_eq!(subscription.lost(), Lost { batches: 1, items: 2 });
    assert!(budget.try_charge(600).is_err());
    assert_eq!(budget.refusals(), 1);
    drop((charge, go));
}

#[tokio::test]
async fn a_panic_ends_one_subscription() {
    let registry = Registry::new();
    let subject = TelemetrySubject::new(&registry);
    let export = subject.edge("out").in_front_of(NopExporter);
    let (observer, mut seen) = Seen::new();
    let _stays = subject.subscribe(all(), observer).unwrap();
    let _ends = subject.subscribe(all(), Panics).unwrap();
    export.export(logs(1)).await.unwrap();
    while registry.snapshot().get("otlp_observer_subscriptions", &[]) != Some(1.0) {
        tokio::task::yield_now().await;
    }
    export.export(logs(2)).await.unwrap();
    assert_eq!(sights(&mut seen, 2).await, [("out".to_owned(), 3)].into());
}

#[tokio::test]
async fn filters_leave_the_matching_resources() {
    let subject = TelemetrySubject::new(&Registry::new());
    let export = subject.edge("out").in_front_of(NopExporter);
    let resource = |service: &str| {
        format!(
            r#"{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}},
            {{"key":"n","value":{{"intValue":"7"}}}}]}},"scopeLogs":[{{"logRecords":[{{}},{{}}]}}]}}"#
        )
    };
    let batch = |services: &[&str]| {
        let resources: Vec<_> = services.iter().map(|service| resource(service)).collect();
        let text = format!(r#"{{"resourceLogs":[{}]}}"#, resources.join(","));
        Batch::new(json::from_str(Signal::LOGS, &text).unwrap(), otlp_protocol::Charge::none())
    };
    let (sender, mut bodies) = unbounded_channel();
    struct Bodies(UnboundedSender<Batch>);
    impl TelemetryObserver for Bodies {
        fn on_batch(&self, observed: &Observed) {
            let (body, count) = (observed.batch().body().to_bytes(), observed.batch().count());
            let signal = observed.batch().signal();
            let _ = self.0.send(Batch::unchecked(signal, body, count, true, otlp_protocol::Charge::none()));
        }
    }
    let mut cart = Subscription::default();
    cart.signals = vec![Signal::LOGS];
    cart.resource = vec![("service.name".into(), "cart".into()), ("n".into(), "7".into())];
    let _subscription = subject.subscribe(cart, Bodies(sender)).unwrap();
    let (metrics, charge) = logs(1).into_parts();
    export
        .export(Batch::unchecked(Signal::METRICS, metrics.plain().clone(), metrics.count(), true, charge))
        .await
        .unwrap();
    export.export(batch(&["shop"])).await.unwrap();
    export.export(batch(&["shop", "cart", "shop", "cart"])).await.unwrap();
    let seen = bodies.recv().await.unwrap();
    assert_eq!(seen.items(), 4);
    let bytes = seen.body().to_bytes();
    let view = RequestView::new(Signal::LOGS, &bytes);
    let services = view.resources().map(|group| group.resource().attributes().get("service.name"));
    assert!(services.eq([Some("cart".into()), Some("cart".into())]));
}

#[tokio::test]
async fn subscriptions_are_limited() {
    let registry = Registry::new();
    let subject = TelemetrySubject::new(&registry);
    let mut subscriptions: Vec<_> = (0..64).map(|_| subject.subscribe(all(), Panics).unwrap()).collect();
    assert_eq!(subject.subscribe(all(), Panics).unwrap_err(), SubscribeError::TooMany { limit: 64 });
    assert_eq!(registry.snapshot().get("otlp_observer_refused_subscriptions", &[]), Some(1.0));
    subscriptions.pop();
    let last = subject.subscribe(all(), Panics).unwrap();
    subject.close();
    assert_eq!(subject.subscribe(all(), Panics).unwrap_err(), SubscribeError::Closed);
    drop((last, subscriptions));
    assert_eq!(registry.snapshot().get("otlp_observer_subscriptions", &[]), Some(0.0));
}
