//! Holders and connectors: what they hold and emit is counted, and gets through a drain.

use crate::harness::*;
use otlp_protocol::{Accepted, Batch, Charge, Count, Signal};
use otlp_service::{
    Answers, BatchConfig, ConnectorSpec, Delivery, DropReason, ExporterSpec, Gateway, GatewaySpec, Held,
    Holder, HolderAccount, HolderContext, HolderSpec, LedgerLine, OnFull, Outlet, PipelineSpec,
    PipelineStage, QueueConfig, Reason, StageSpec, StartError,
};
use otlp_transport::{BoxAttempt, BoxExport, Export, ExportResult, TransportContext};
use parking_lot::Mutex;
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

/// Holds batches for a second, and drops those whose body it has seen before.
pub(crate) struct Dedup {
    account: HolderAccount,
    seen: Arc<Mutex<Seen>>,
    outlet: Outlet,
    clock: Arc<dyn otlp_transport::Clock>,
    copies: u64,
}

#[derive(Default)]
struct Seen {
    bodies: HashSet<Vec<u8>>,
    held: Vec<(Batch, Held)>,
}

/// Counts the items that come in, and emits a metric with their number when it is flushed.
struct CountItems {
    account: HolderAccount,
    outlet: Outlet,
    counted: Mutex<u64>,
}

/// Leads batches into other pipelines, and answers with their answer. Of several the first gets half of the items.
pub(crate) struct Forward {
    account: HolderAccount,
    outlets: Vec<Outlet>,
    copies: u64,
}

/// A holder or a connector of random tests: a [`Dedup`] or a [`Forward`], by when it answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HolderShape {
    pub(crate) answers: Answers,
    /// Items that it emits for one that comes in.
    pub(crate) copies: u64,
}

/// A [`Forward`] that writes down when it is drained.
struct Recorded {
    forward: Forward,
    id: String,
    drains: Arc<Mutex<Vec<String>>>,
}

impl Dedup {
    fn new(context: HolderContext, copies: u64) -> Self {
        let HolderContext { account, outlets, clock, .. } = context;
        Self { account, seen: Arc::default(), outlet: outlets[0].clone(), clock, copies }
    }

    async fn emit(seen: &Mutex<Seen>, outlet: &Outlet, copies: u64) {
        let seen = std::mem::take(&mut *seen.lock());
        for (batch, held) in seen.held {
            outlet.emit(copied(batch, copies), held).await;
        }
    }
}

impl Export for Dedup {
    async fn export(&self, batch: Batch) -> ExportResult {
        let mut held = self.account.hold(batch.items());
        let body = batch.body().plain().to_contiguous().to_vec();
        let mut seen = self.seen.lock();
        if seen.bodies.insert(body) {
            seen.held.push((batch, held));
        } else {
            held.settle(Reason::Filtered, batch.items());
        }
        Ok(Accepted::FULL)
    }
}

impl Holder for Dedup {
    fn start(&self) {
        let (seen, outlet, clock) = (Arc::downgrade(&self.seen), self.outlet.clone(), self.clock.clone());
        let copies = self.copies;
        tokio::spawn(async move {
            loop {
                clock.sleep(seconds(1)).await;
                let Some(seen) = seen.upgrade() else { return };
                Self::emit(&seen, &outlet, copies).await;
            }
        });
    }

    async fn flush(&self) {
        Self::emit(&self.seen, &self.outlet, self.copies).await;
    }
}

impl Export for CountItems {
    async fn export(&self, batch: Batch) -> ExportResult {
        self.account.hold(batch.items()).settle(Reason::Sampled, batch.items());
        *self.counted.lock() += batch.items();
        Ok(Accepted::FULL)
    }
}

impl Holder for CountItems {
    async fn flush(&self) {
        let counted = std::mem::take(&mut *self.counted.lock());
        let held = self.account.hold(0);
        self.outlet.emit(metric(counted), held).await;
    }
}

impl Forward {
    fn new(context: HolderContext, copies: u64) -> Self {
        Self { account: context.account, outlets: context.outlets, copies }
    }
}

impl Export for Forward {
    async fn export(&self, batch: Batch) -> ExportResult {
        let mut held = self.account.hold(batch.items());
        let Some((first, others)) = self.outlets.split_first() else { return Ok(Accepted::FULL) };
        if others.is_empty() {
            return first.export(copied(batch, self.copies), held).await;
        }
        let half = batch.items() / 2;
        let rest = logs(batch.items() - half);
        first.export(logs(half), held.split_off(half)).await?;
        others[0].export(rest, held).await
    }
}

impl Holder for Forward {}

impl Export for Recorded {
    async fn export(&self, batch: Batch) -> ExportResult {
        self.forward.export(batch).await
    }
}

impl Holder for Recorded {
    async fn drain(&self, _: Instant) {
        self.drains.lock().push(self.id.clone());
    }
}

impl HolderShape {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let answers = prop_oneof![Just(Answers::OnAdmission), Just(Answers::AfterCommit)];
        (answers, 1..=2u64).prop_map(|(answers, copies)| Self { answers, copies })
    }

    pub(crate) fn spec(self) -> HolderSpec {
        let Self { answers, copies } = self;
        match answers {
            Answers::OnAdmission => HolderSpec::new(answers, move |context| Ok(Dedup::new(context, copies))),
            Answers::AfterCommit => {
                HolderSpec::new(answers, move |context| Ok(Forward::new(context, copies)))
            }
        }
    }

    /// Checks its line, once nothing is held any more: what came in is apart from what was made of it. No processor in
    /// front makes more of what comes in.
    pub(crate) fn check(self, line: &LedgerLine) {
        let Self { answers, copies } = self;
        let (handed_on, made) = ((copies - 1) * (line.sent + line.rejected), copies * line.produced);
        match answers {
            Answers::AfterCommit => assert_eq!(handed_on, made, "{self:?}: {line:?}"),
            // What was made may have been dropped.
            Answers::OnAdmission => {
                assert!(handed_on <= made, "{self:?}: {line:?}");
                assert!(line.produced <= (copies - 1) * line.accepted, "{self:?}: {line:?}");
            }
        }
    }
}

pub(crate) fn dedup() -> HolderSpec {
    HolderShape { answers: Answers::OnAdmission, copies: 1 }.spec()
}

pub(crate) fn forward() -> HolderSpec {
    HolderShape { answers: Answers::AfterCommit, copies: 1 }.spec()
}

/// So many items for each of a batch.
fn copied(batch: Batch, copies: u64) -> Batch {
    if copies == 1 { batch } else { logs(copies * batch.items()) }
}

/// A metric whose body tells a number.
fn metric(number: u64) -> Batch {
    let body = format!("{number}").into_bytes();
    Batch::unchecked(Signal::METRICS, body, Count { items: 1, entries: 1 }, true, Charge::none())
}

pub(crate) fn exporter(id: &str, sink: &Sink, queue: Option<QueueConfig>) -> ExporterSpec {
    let mut spec = ExporterSpec::new(id, BoxAttempt::new(sink.clone()));
    spec.retry = no_retry();
    spec.queue.enabled = queue.is_some();
    if let Some(queue) = queue {
        spec.queue = queue;
    }
    spec
}

pub(crate) fn pipeline(id: &str, receivers: &[&str], exporters: &[&str]) -> PipelineSpec {
    PipelineSpec {
        id: id.into(),
        signal: Signal::LOGS,
        receivers: receivers.iter().map(|id| (*id).into()).collect(),
        stages: Vec::new(),
        exporters: exporters.iter().map(|id| (*id).into()).collect(),
    }
}

pub(crate) fn connector(id: &str, connector: HolderSpec) -> ConnectorSpec {
    ConnectorSpec::new(id, connector)
}

fn holding(id: &str, exporters: &[&str], holder: HolderSpec) -> PipelineSpec {
    let stages = vec![PipelineStage::new("hold", StageSpec::Holder(holder))];
    PipelineSpec { stages, ..pipeline(id, &[], exporters) }
}

pub(crate) async fn start(spec: GatewaySpec) -> Gateway {
    Gateway::start(TransportContext::tcp(64 << 20), spec).await.unwrap()
}

fn inlet(gateway: &Gateway, pipeline: &str) -> BoxExport {
    gateway.inlet(pipeline).unwrap()
}

fn line(gateway: &Gateway, pipeline: &str, destination: &str) -> LedgerLine {
    let ledger = gateway.ledger();
    assert_eq!(ledger.check(), Ok(()));
    ledger.line(pipeline, destination).unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn a_holder_answers_for_what_it_holds() {
    let sink = Sink::scripted([UNAVAILABLE]);
    let spec = || GatewaySpec {
        exporters: vec![exporter("out", &sink, None)],
        pipelines: vec![holding("logs", &["out"], dedup())],
        ..GatewaySpec::default()
    };
    let deliveries = spec().deliveries();
    assert_eq!(
        (deliveries[0].delivery, deliveries[0].admitted_by.as_deref()),
        (Delivery::Memory, Some("hold"))
    );
    let gateway = start(spec()).await;
    assert_eq!(gateway.delivery("logs"), Some(Delivery::Memory));
    assert_eq!((gateway.delivery("other"), gateway.inlet("other").is_some()), (None, false));
    let logs_in = inlet(&gateway, "logs");
    for batch in [logs(3), logs(3), logs(4)] {
        logs_in.export(batch).await.unwrap();
    }
    let held = line(&gateway, "logs", "hold");
    assert_eq!((held.accepted, held.filtered, held.queued, held.sent), (10, 3, 7, 0));
    assert_eq!(line(&gateway, "logs", "out").accepted, 0);
    pass(seconds(2)).await;
    let held = line(&gateway, "logs", "hold");
    assert_eq!((held.accepted, held.queued, held.sent), (10, 0, 7));
    // The exporter's failure is counted where it happened.
    let out = line(&gateway, "logs", "out");
    assert_eq!((out.accepted, out.sent, out.dropped_for(DropReason::RetriesExhausted)), (7, 4, 3));
    // What comes again later is no repeat.
    logs_in.export(logs(4)).await.unwrap();
    let report = gateway.drain(now() + seconds(5)).await;
    assert_eq!((report.dropped_items, report.ledger.check()), (0, Ok(())));
    assert_eq!(sink.sizes(), [4, 4]);
    // Nothing is taken after the drain.
    assert!(logs_in.export(logs(1)).await.is_err_and(|error| error.retry().is_retryable()));
}

#[tokio::test(start_paused = true)]
async fn a_connector_counts_items_into_metrics() {
    let sinks = [Sink::default(), Sink::default()];
    let count = HolderSpec::new(Answers::OnAdmission, |context: HolderContext| {
        let outlet = context.outlets.first().ok_or("it leads nowhere")?.clone();
        assert_eq!(
            (context.signal, outlet.signal(), outlet.pipeline()),
            (Signal::LOGS, Signal::METRICS, "metrics")
        );
        Ok(CountItems { account: context.account, outlet, counted: Mutex::new(0) })
    });
    let mut metrics = pipeline("metrics", &["count"], &["counts"]);
    metrics.signal = Signal::METRICS;
    let gateway = start(GatewaySpec {
        connectors: vec![connector("count", count)],
        exporters: vec![exporter("out", &sinks[0], None), exporter("counts", &sinks[1], Some(queue(10, 1)))],
        pipelines: vec![pipeline("logs", &[], &["out", "count"]), metrics],
        ..GatewaySpec::default()
    })
    .await;
    for items in [3, 4] {
        inlet(&gateway, "logs").export(logs(items)).await.unwrap();
    }
    let counted = line(&gateway, "logs", "count");
    assert_eq!((counted.accepted, counted.sampled, counted.sent), (7, 7, 0));
    let report = gateway.drain(now() + seconds(5)).await;
    assert_eq!((report.dropped_items, report.ledger.check()), (0, Ok(())));
    assert_eq!((sinks[0].items(), sinks[1].bodies()), (7, vec!["7".into()]));
    let counted = report.ledger.line("logs", "count").unwrap();
    assert_eq!((counted.accepted, counted.produced, counted.sent), (7, 1, 1));
    assert_eq!(report.ledger.line("metrics", "counts").unwrap().sent, 1);
}

#[tokio::test(start_paused = true)]
async fn a_connector_passes_answers_through() {
    let sinks = [Sink::scripted([UNAVAILABLE, Step::Reject(1, "one is bad")]), Sink::default()];
    let gateway = start(GatewaySpec {
        connectors: vec![connector("forward", forward())],
        exporters: vec![exporter("a", &sinks[0], None), exporter("b", &sinks[1], None)],
        pipelines: vec![
            pipeline("logs/in", &[], &["forward"]),
            pipeline("logs/a", &["forward"], &["a"]),
            pipeline("logs/b", &["forward"], &["b"]),
        ],
        ..GatewaySpec::default()
    })
    .await;
    assert_eq!(gateway.delivery("logs/in"), Some(Delivery::EndToEnd));
    let logs_in = inlet(&gateway, "logs/in");
    assert!(logs_in.export(logs(5)).await.is_err_and(|error| error.retry().is_retryable()));
    let forwarded = line(&gateway, "logs/in", "forward");
    assert_eq!((forwarded.accepted, forwarded.refused), (0, 5));
    assert!(logs_in.export(logs(5)).await.is_ok());
    let forwarded = line(&gateway, "logs/in", "forward");
    assert_eq!((forwarded.accepted, forwarded.sent, forwarded.rejected, forwarded.refused), (5, 4, 1, 5));
    assert_eq!((line(&gateway, "logs/a", "a").accepted, line(&gateway, "logs/b", "b").accepted), (2, 3));
}

#[tokio::test]
async fn connectors_that_cannot_work_are_refused() {
    let sink = Sink::default();
    let spec = |connectors: &[&str], pipelines| GatewaySpec {
        connectors: connectors.iter().map(|id| connector(id, forward())).collect(),
        exporters: vec![exporter("out", &sink, None)],
        pipelines,
        ..GatewaySpec::default()
    };
    let failing = HolderSpec::new(Answers::OnAdmission, |_| Err::<Forward, _>("no room on the disk".into()));
    let twice = vec![PipelineStage::new("out", StageSpec::Holder(forward()))];
    let table = [
        (
            spec(
                &["there", "back"],
                vec![
                    pipeline("logs", &[], &["there"]),
                    pipeline("logs/a", &["there"], &["out", "back"]),
                    pipeline("logs/b", &["back"], &["there"]),
                ],
            ),
            "pipelines and connectors form a cycle: logs/a -> back -> logs/b -> there -> logs/a",
        ),
        (
            spec(&["own"], vec![pipeline("logs", &["own"], &["own"])]),
            "pipelines and connectors form a cycle: logs -> own -> logs",
        ),
        (
            spec(&["there"], vec![pipeline("logs", &[], &["there"])]),
            "connector there leads nowhere from logs: no pipeline that it can emit into has it among its receivers",
        ),
        (spec(&["out"], vec![]), "connector out is defined twice"),
        (spec(&[], vec![holding("logs", &["out"], failing)]), "hold: no room on the disk"),
        (
            spec(&[], vec![PipelineSpec { stages: twice, ..pipeline("logs", &[], &["out"]) }]),
            "pipeline logs names stage out twice",
        ),
    ];
    for (spec, expect) in table {
        let error: StartError = Gateway::start(TransportContext::tcp(1 << 20), spec).await.err().unwrap();
        assert_eq!(error.to_string(), expect);
    }
}

/// The longest way to the ends is drained first, whatever the order in the spec.
#[tokio::test(start_paused = true)]
async fn a_drain_follows_the_way_to_the_ends() {
    let (drains, sink) = (Arc::new(Mutex::new(Vec::new())), Sink::default());
    let recorded = || {
        let drains = drains.clone();
        HolderSpec::new(Answers::AfterCommit, move |context: HolderContext| {
            let id = format!("{} {}", context.pipeline, context.id);
            Ok(Recorded { forward: Forward::new(context, 1), id, drains: drains.clone() })
        })
    };
    let mut first = pipeline("logs/1", &[], &["to2", "out"]);
    first.stages = vec![
        PipelineStage::new("held", StageSpec::Holder(dedup())),
        PipelineStage::new("batch", StageSpec::Batch(BatchConfig::default())),
        PipelineStage::new("last", StageSpec::Holder(recorded())),
    ];
    let mut second = pipeline("logs/2", &["to2"], &["to3"]);
    second.stages = vec![PipelineStage::new("batch", StageSpec::Batch(batch_config()))];
    let mut third = pipeline("logs/3", &["to3"], &["out"]);
    third.stages = vec![
        PipelineStage::new("held", StageSpec::Holder(dedup())),
        PipelineStage::new("end", StageSpec::Holder(recorded())),
    ];
    let gateway = start(GatewaySpec {
        connectors: vec![connector("to3", recorded()), connector("to2", recorded())],
        exporters: vec![exporter("out", &sink, Some(queue(10, 1)))],
        pipelines: vec![third, first, second],
        ..GatewaySpec::default()
    })
    .await;
    inlet(&gateway, "logs/1").export(logs(3)).await.unwrap();
    let report = gateway.drain(now() + seconds(30)).await;
    assert_eq!(*drains.lock(), ["logs/1 last", "logs/1 to2", "logs/2 to3", "logs/3 end"]);
    assert_eq!((report.dropped_items, report.ledger.check(), sink.items()), (0, Ok(()), 6));
}

#[tokio::test(start_paused = true)]
async fn what_a_holder_cannot_emit_in_time_is_dropped_and_reported() {
    // The queue refuses what it has no room for; what was answered for waits instead.
    let sink = Sink::always(Step::Hang);
    let mut config = queue(1, 1);
    config.on_full = OnFull::Refuse;
    let gateway = start(GatewaySpec {
        exporters: vec![exporter("out", &sink, Some(config))],
        pipelines: vec![holding("logs", &["out"], dedup())],
        ..GatewaySpec::default()
    })
    .await;
    for items in 1..=6 {
        inlet(&gateway, "logs").export(logs(items)).await.unwrap();
    }
    let report = gateway.drain(now() + seconds(3)).await;
    assert_eq!((report.dropped_items, report.ledger.check()), (21, Ok(())));
    let shown = |id: &str| {
        let line = report.ledger.line("logs", id).unwrap();
        (line.queued, line.in_flight, line.refused)
    };
    assert_eq!((shown("hold"), shown("out")), ((0, 0, 0), (0, 0, 0)));
}

/// Also what a task of the holder's own emits is in the report.
#[tokio::test(start_paused = true)]
async fn what_is_cut_off_is_reported() {
    let gateway = start(GatewaySpec {
        exporters: vec![exporter("out", &Sink::always(Step::Hang), None)],
        connectors: vec![connector("hold", dedup())],
        pipelines: vec![pipeline("logs", &[], &["hold"]), pipeline("logs/2", &["hold"], &["out"])],
        ..GatewaySpec::default()
    })
    .await;
    inlet(&gateway, "logs").export(logs(3)).await.unwrap();
    pass(seconds(2)).await;
    assert_eq!(line(&gateway, "logs", "hold").in_flight, 3);
    let report = gateway.drain(now()).await;
    let held = report.ledger.line("logs", "hold").unwrap();
    assert_eq!((report.dropped_items, held.dropped_for(DropReason::Shutdown), held.in_flight), (3, 3, 0));
}

/// Panics on some batches, refuses others, emits the wrong signal for the rest.
struct Rogue(HolderAccount, Outlet);

impl Export for Rogue {
    async fn export(&self, batch: Batch) -> ExportResult {
        match batch.items() {
            1 => panic!("as told"),
            2 => Err(refusal()),
            items => {
                self.1.emit(metric(items), self.0.hold(items)).await;
                Ok(Accepted::FULL)
            }
        }
    }
}

impl Holder for Rogue {}

fn refusal() -> otlp_transport::ExportError {
    otlp_transport::ExportError::refused(otlp_protocol::ErrorKind::Unavailable, "not now")
}

#[tokio::test(start_paused = true)]
async fn a_rogue_holder_costs_its_own_batches() {
    let sink = Sink::default();
    let rogue = HolderSpec::new(Answers::OnAdmission, |context: HolderContext| {
        Ok(Rogue(context.account, context.outlets[0].clone()))
    });
    let gateway = start(GatewaySpec {
        exporters: vec![exporter("out", &sink, None)],
        pipelines: vec![holding("logs", &["out"], rogue)],
        ..GatewaySpec::default()
    })
    .await;
    let logs_in = inlet(&gateway, "logs");
    assert!(logs_in.export(logs(1)).await.is_err_and(|error| !error.retry().is_retryable()));
    assert!(logs_in.export(logs(2)).await.is_err_and(|error| error.retry().is_retryable()));
    assert!(logs_in.export(logs(4)).await.is_ok());
    let held = line(&gateway, "logs", "hold");
    let dropped = (held.dropped_for(DropReason::Processor), held.dropped_for(DropReason::Permanent));
    // Of four items one was emitted, into a pipeline of another signal.
    assert_eq!((held.refused, held.accepted, dropped), (3, 4, (3, 1)));
    assert_eq!(sink.attempts(), 0);
}
