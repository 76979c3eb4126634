//! Random graphs of pipelines, fed and drained in simulated time: every hop adds up.

use crate::harness::*;
use crate::holders::{HolderShape, connector, exporter, pipeline};
use crate::processors::Deed;
use crate::queue_batches::any_queue;
use otlp_protocol::Retry;
use otlp_service::{
    ConnectorSpec, DropReason, ExporterSpec, Fingerprint, Gateway, GatewaySpec, LedgerSnapshot, PipelineSpec,
    PipelineStage, QueueConfig, Reason, StageSpec,
};
use otlp_transport::{ExportResult, TransportContext};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// One stage of a pipeline.
#[derive(Clone, Debug)]
enum Stage {
    Process(Deed),
    /// Up to so many items; 0 is no limit.
    Batch(u64),
    Hold(HolderShape),
}

/// A pipeline: its connectors lead to pipelines of higher numbers alone.
#[derive(Clone, Debug)]
struct Shape {
    stages: Vec<Stage>,
    /// By number.
    exporters: Vec<usize>,
    /// How far away the pipelines are that connectors lead to.
    connectors: Vec<(usize, HolderShape)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Graph {
    pipelines: Vec<Shape>,
    /// `None`: no queue.
    exporters: Vec<Option<QueueConfig>>,
    scripts: Vec<Vec<Step>>,
    pub(crate) drain_seconds: u64,
}

#[derive(Clone, Debug)]
enum Act {
    Push { pipeline: usize, items: u64 },
    Pass { millis: u64 },
    Leave { index: usize },
}

fn stage() -> impl Strategy<Value = Stage> {
    let deed = prop_oneof![
        Just(Deed::Pass),
        (0..20u64).prop_map(|kept| Deed::Keep(kept, Reason::Filtered)),
        (0..20u64).prop_map(Deed::Lose),
        Just(Deed::Single),
        Just(Deed::Double),
        Just(Deed::Fail),
        Just(Deed::Panic),
    ];
    prop_oneof![
        4 => deed.prop_map(Stage::Process),
        2 => prop_oneof![Just(0u64), 5..30u64].prop_map(Stage::Batch),
        4 => HolderShape::any().prop_map(Stage::Hold),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Accept),
        2 => Just(UNAVAILABLE),
        1 => Just(INVALID),
        1 => Just(Step::Hang),
        1 => Just(Step::Panic),
        1 => (0..20u64).prop_map(|rejected| Step::Reject(rejected, "no")),
        1 => (0..5000u64).prop_map(|millis| Step::Slow(Duration::from_millis(millis))),
    ]
}

pub(crate) fn graph() -> impl Strategy<Value = Graph> {
    let shape = (
        prop::collection::vec(stage(), 0..5),
        prop::collection::btree_set(0..EXPORTERS, 0..3),
        prop::collection::vec((1..PIPELINES, HolderShape::any()), 0..3),
    );
    let shape = shape.prop_map(|(stages, exporters, connectors)| Shape {
        stages,
        exporters: exporters.into_iter().collect(),
        connectors,
    });
    (
        prop::collection::vec(shape, 1..=PIPELINES),
        prop::collection::vec(prop::option::of(any_queue(1..5)), EXPORTERS),
        prop::collection::vec(prop::collection::vec(step(), 0..6), EXPORTERS),
        0..60u64,
    )
        .prop_map(|(pipelines, exporters, scripts, drain_seconds)| Graph {
            pipelines,
            exporters,
            scripts,
            drain_seconds,
        })
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (0..PIPELINES, 0..40u64).prop_map(|(pipeline, items)| Act::Push { pipeline, items }),
        2 => (0..2000u64).prop_map(|millis| Act::Pass { millis }),
        1 => any::<usize>().prop_map(|index| Act::Leave { index }),
    ]
}

pub(crate) fn name(number: usize) -> String {
    format!("logs/{number}")
}

fn stage_spec(index: usize, stage: &Stage) -> PipelineStage {
    let spec = match stage {
        Stage::Process(deed) => StageSpec::Processor(Arc::new(*deed)),
        Stage::Batch(max_items) => {
            let mut config = batch_config();
            config.send_batch_max_size = *max_items;
            StageSpec::Batch(config)
        }
        Stage::Hold(holder) => StageSpec::Holder(holder.spec()),
    };
    PipelineStage::new(format!("stage/{index}"), spec)
}

impl Graph {
    /// The spec with fingerprints of what the components are, and the exporters' destinations.
    pub(crate) fn spec(&self) -> (GatewaySpec, Vec<Sink>) {
        let of = |settings: &dyn std::fmt::Debug| Some(Fingerprint::of(&format!("{settings:?}")));
        let (mut spec, sinks, _) = spec(self);
        for (exporter, queue) in spec.exporters.iter_mut().zip(&self.exporters) {
            exporter.settings = of(queue);
        }
        for (pipeline, shape) in spec.pipelines.iter_mut().zip(&self.pipelines) {
            for (stage, shape) in pipeline.stages.iter_mut().zip(&shape.stages) {
                stage.settings = of(shape);
            }
        }
        for connector in &mut spec.connectors {
            let mut numbers = connector.id.rsplit('/').map_while(|number| number.parse::<usize>().ok());
            let (to, from) = (numbers.next().unwrap(), numbers.next().unwrap());
            let shape = self.pipelines[from].connectors.iter().find(|(distance, _)| from + distance == to);
            connector.settings = of(&shape);
        }
        (spec, sinks)
    }
}

/// A holder or a connector, by its line in the ledger.
struct HolderLine {
    pipeline: String,
    id: String,
    shape: HolderShape,
}

/// The spec of a graph, its exporters' destinations, its holders and its connectors.
fn spec(graph: &Graph) -> (GatewaySpec, Vec<Sink>, Vec<HolderLine>) {
    let mut holders = Vec::new();
    let sinks: Vec<_> = graph.scripts.iter().map(|steps| Sink::scripted(steps.iter().cloned())).collect();
    let exporters = graph.exporters.iter().zip(&sinks).enumerate().map(|(index, (queue, sink))| {
        let mut spec: ExporterSpec = exporter(&format!("out/{index}"), sink, queue.clone());
        spec.retry = retry_config();
        spec
    });
    let mut connectors: Vec<ConnectorSpec> = Vec::new();
    let mut pipelines: Vec<PipelineSpec> = Vec::new();
    for (number, shape) in graph.pipelines.iter().enumerate() {
        let mut spec = pipeline(&name(number), &[], &[]);
        spec.stages =
            shape.stages.iter().enumerate().map(|(index, stage)| stage_spec(index, stage)).collect();
        // What processors make is in the next line.
        let mut is_doubled = false;
        for (stage, PipelineStage { id, .. }) in shape.stages.iter().zip(&spec.stages) {
            match stage {
                Stage::Process(Deed::Double) => is_doubled = true,
                Stage::Hold(shape) => {
                    let shape = Some(*shape).filter(|_| !std::mem::take(&mut is_doubled));
                    holders.extend(shape.map(|shape| HolderLine {
                        pipeline: spec.id.clone(),
                        id: id.clone(),
                        shape,
                    }));
                }
                _ => {}
            }
        }
        spec.exporters = shape.exporters.iter().map(|index| format!("out/{index}")).collect();
        for (distance, holder) in &shape.connectors {
            let to = number + distance;
            let id = format!("connector/{number}/{to}");
            if to < graph.pipelines.len() && !spec.exporters.contains(&id) {
                connectors.push(connector(&id, holder.spec()));
                let line = HolderLine { pipeline: spec.id.clone(), id: id.clone(), shape: *holder };
                holders.extend(Some(line).filter(|_| !is_doubled));
                spec.exporters.push(id);
            }
        }
        if spec.exporters.is_empty() {
            spec.exporters.push("out/0".into());
        }
        pipelines.push(spec);
    }
    for connector in &connectors {
        let to = connector.id.rsplit('/').next().unwrap();
        pipelines[to.parse::<usize>().unwrap()].receivers.push(connector.id.clone());
    }
    let spec =
        GatewaySpec { connectors, exporters: exporters.collect(), pipelines, ..GatewaySpec::default() };
    (spec, sinks, holders)
}

/// The accounts that a holder of a pipeline fills next, or the entry of the pipeline: those of the first holder from
/// stage `from` on, or of all ends.
fn next_lines(spec: &PipelineSpec, from: usize) -> Vec<(String, String)> {
    let holder = spec.stages.iter().skip(from).find(|stage| matches!(stage.stage, StageSpec::Holder(_)));
    let ends = match holder {
        Some(stage) => std::slice::from_ref(&stage.id),
        None => &spec.exporters,
    };
    ends.iter().map(|id| (spec.id.clone(), id.clone())).collect()
}

/// What one hop handed on, the next has accepted. An attempt that failed in part may be accepted again.
fn check_hops(pipelines: &[PipelineSpec], ledger: &LedgerSnapshot, answered: &[u64]) {
    let accepted_at = |lines: &[(String, String)]| {
        let accepted = lines.iter().map(|(pipeline, end)| ledger.line(pipeline, end).unwrap().accepted);
        accepted.min().unwrap()
    };
    for (number, spec) in pipelines.iter().enumerate() {
        assert!(accepted_at(&next_lines(spec, 0)) >= answered[number], "{}: {ledger:#?}", spec.id);
        for (index, PipelineStage { id, stage, .. }) in spec.stages.iter().enumerate() {
            if matches!(stage, StageSpec::Holder(_)) {
                let line = ledger.line(&spec.id, id).unwrap();
                let next = accepted_at(&next_lines(spec, index + 1));
                assert!(next >= line.sent + line.rejected, "{} {id}: {ledger:#?}", spec.id);
            }
        }
    }
    // All that connectors handed on has been accepted by the pipelines they lead to.
    for fed in pipelines.iter().filter(|fed| !fed.receivers.is_empty()) {
        let handed_on = ledger.lines.iter().filter(|line| fed.receivers.contains(&line.destination));
        let handed_on: u64 = handed_on.map(|line| line.sent + line.rejected).sum();
        assert!(accepted_at(&next_lines(fed, 0)) >= handed_on, "{}: {ledger:#?}", fed.id);
    }
}

async fn run(graph: Graph, acts: Vec<Act>) {
    let (spec, sinks, holders) = spec(&graph);
    let pipelines = spec.pipelines.clone();
    let deliveries = spec.deliveries();
    let gateway = Gateway::start(TransportContext::tcp(64 << 20), spec).await.unwrap();
    for said in deliveries {
        assert_eq!(gateway.delivery(&said.pipeline), Some(said.delivery), "{}", said.pipeline);
    }
    let mut senders: Vec<(usize, u64, JoinHandle<ExportResult>)> = Vec::new();
    for act in acts {
        match act {
            Act::Push { pipeline, items } => {
                let number = pipeline % pipelines.len();
                let inlet = Arc::new(gateway.inlet(&name(number)).unwrap());
                senders.push((number, items, send(&inlet, logs(items))));
            }
            Act::Pass { millis } => pass(Duration::from_millis(millis)).await,
            Act::Leave { index } if !senders.is_empty() => {
                let index = index % senders.len();
                senders[index].2.abort();
            }
            Act::Leave { .. } => {}
        }
        settle().await;
        assert_eq!(gateway.ledger().check(), Ok(()));
    }
    let report = gateway.drain(now() + seconds(graph.drain_seconds)).await;
    let mut answered = vec![0; pipelines.len()];
    let at_once = graph
        .scripts
        .iter()
        .flatten()
        .all(|step| !matches!(step, Step::Hang | Step::Slow(_) | Step::Fail(_, Retry::Backoff, _)));
    if !at_once {
        // These senders are in the place of a receiver, which cuts off who still waits for an attempt: an attempt that is made again at
        // the very deadline would be answered after the report was made.
        senders.iter().for_each(|(_, _, sender)| sender.abort());
    }
    settle().await;
    assert_eq!(report.ledger.check(), Ok(()));
    for (number, items, sender) in senders {
        assert!(sender.is_finished() || !at_once, "a sender is left without an answer");
        sender.abort();
        answered[number] += if sender.await.is_ok_and(|result| result.is_ok()) { items } else { 0 };
    }
    check_hops(&pipelines, &report.ledger, &answered);
    for holder in holders {
        holder.shape.check(report.ledger.line(&holder.pipeline, &holder.id).unwrap());
    }
    let mut dropped = 0;
    for line in &report.ledger.lines {
        assert_eq!((line.queued, line.in_flight), (0, 0), "{line:?}");
        dropped += line.dropped_for(DropReason::Shutdown);
    }
    assert_eq!(report.dropped_items, dropped);
    // What exporters took, over all pipelines, is no less than the ledger says.
    for (index, sink) in sinks.iter().enumerate() {
        let id = format!("out/{index}");
        let sent: u64 =
            report.ledger.lines.iter().filter(|line| line.destination == id).map(|line| line.sent).sum();
        assert!(sent <= sink.items(), "{id}: {sent} of {}", sink.items());
    }
}

const PIPELINES: usize = 4;
const EXPORTERS: usize = 3;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(10),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_hop_adds_up(graph in graph(), acts in prop::collection::vec(act(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run(graph, acts));
    }
}
