//! Random histories of a pipeline against the ledger's equation: whatever happens, every item ends in exactly one
//! state.

use crate::harness::*;
use crate::holders::HolderShape;
use crate::processors::{Deed, chain};
use crate::queue_batches::any_queue;
use crate::slow_queue::{Commit, Commits};
use otlp_protocol::{ErrorKind, Retry, Signal};
use otlp_service::{
    Answers, BatchOptions, BatchProcessor, Delivery, Destination, DropReason, FanOut, HolderStage, Hop,
    OnFull, ProcessorChain, QueueConfig, Reason,
};
use otlp_transport::{BoxExport, Export, ExportResult};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

#[derive(Clone, Debug)]
enum Act {
    Push {
        items: u64,
        kind: Kind,
    },
    Pass {
        millis: u64,
    },
    /// What the next attempt at a destination meets.
    Script {
        sink: usize,
        step: Step,
    },
    /// What the next commit to a queue meets, if the queues are such.
    Commit {
        commit: Commit,
    },
    /// Some sender goes away.
    Leave {
        index: usize,
    },
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Plain,
    Unmergeable,
    OfTenant(u8),
}

/// Everything random about a pipeline.
#[derive(Clone, Debug)]
struct Shape {
    /// `None`: no queue.
    queues: [Option<QueueConfig>; SINKS],
    max_items: u64,
    drain_seconds: u64,
    deeds: Vec<Deed>,
    /// Whether commits to the queues take time, and may fail or panic.
    slow_commits: bool,
    /// A stage that holds data, and whether it stands behind the batch processor instead of in front of it.
    holder: Option<(HolderShape, bool)>,
    /// What stands beside two of the destinations and leads to the third.
    connector: Option<HolderShape>,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => Just(Deed::Pass),
        2 => (0..50u64).prop_map(|kept| Deed::Keep(kept, Reason::Filtered)),
        1 => (0..50u64).prop_map(|kept| Deed::Keep(kept, Reason::Sampled)),
        1 => (0..50u64).prop_map(Deed::Lose),
        1 => Just(Deed::Single),
        1 => Just(Deed::Double),
        1 => Just(Deed::Fail),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Accept),
        Just(UNAVAILABLE),
        Just(INVALID),
        Just(Step::Hang),
        Just(Step::Panic),
        Just(Step::Fail(ErrorKind::TooLarge, Retry::Never, "too large")),
        (1..20u64).prop_map(|delay| Step::Fail(ErrorKind::Exhausted, Retry::After(seconds(delay)), "busy")),
        (0..40u64).prop_map(|rejected| Step::Reject(rejected, "no")),
        (0..9000u64).prop_map(|millis| Step::Slow(Duration::from_millis(millis))),
    ]
}

fn commit() -> impl Strategy<Value = Commit> {
    prop_oneof![
        Just(Commit::Now),
        Just(Commit::Panic),
        Just(Commit::PanicLater),
        Just(Commit::Fail(Retry::Never)),
        Just(Commit::Fail(Retry::Backoff)),
        (1..20u64).prop_map(|delay| Commit::Fail(Retry::After(seconds(delay)))),
        (0..9000u64).prop_map(|millis| Commit::Slow(Duration::from_millis(millis))),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let kind = prop_oneof![Just(Kind::Plain), Just(Kind::Unmergeable), (0..4u8).prop_map(Kind::OfTenant)];
    prop_oneof![
        6 => (0..60u64, kind).prop_map(|(items, kind)| Act::Push { items, kind }),
        2 => (0..3000u64).prop_map(|millis| Act::Pass { millis }),
        3 => (0..SINKS, step()).prop_map(|(sink, step)| Act::Script { sink, step }),
        2 => commit().prop_map(|commit| Act::Commit { commit }),
        1 => any::<usize>().prop_map(|index| Act::Leave { index }),
    ]
}

fn shape() -> impl Strategy<Value = Shape> {
    let config = || prop::option::of(any_queue(1..6));
    let deeds = prop::collection::vec(deed(), 0..3);
    let max_items = prop_oneof![Just(0u64), 10..50u64];
    let queues = [config(), config(), config()];
    let holder = prop::option::of((HolderShape::any(), any::<bool>()));
    let connector = prop::option::of(HolderShape::any());
    (queues, max_items, 0..100u64, deeds, any::<bool>(), holder, connector).prop_map(
        |(queues, max_items, drain_seconds, deeds, slow_commits, holder, connector)| Shape {
            queues,
            max_items,
            drain_seconds,
            deeds,
            slow_commits,
            holder,
            connector,
        },
    )
}

/// Destinations, and what stands in front of them: the parts to drain, in order.
struct Pipeline {
    rig: Rig,
    sinks: [Sink; SINKS],
    entry: Arc<ProcessorChain>,
    parts: Vec<Part>,
}

enum Part {
    Batch(Arc<BatchProcessor>),
    Holder(HolderStage),
    FanOut(FanOut),
}

/// The rest of the pipeline, from some stage on.
struct Rest {
    next: BoxExport,
    hop: Hop,
}

fn build(shape: &Shape) -> Pipeline {
    let mut rig = Rig::new();
    rig.commits = shape.slow_commits.then(Commits::default);
    let sinks: [Sink; SINKS] = Default::default();
    let mut destinations: Vec<_> = shape
        .queues
        .iter()
        .enumerate()
        .map(|(index, config)| {
            let id = sink_id(index);
            match config {
                Some(config) => rig.retried(&id, &sinks[index], config.clone(), retry_config()),
                None => rig.retried_direct(&id, &sinks[index]),
            }
        })
        .collect();
    // Last first.
    let mut parts = Vec::new();
    if let Some(connector) = shape.connector {
        let last = destinations.pop().unwrap();
        let fanout = rig.fanout(vec![last]);
        let stage = hold(&rig, CONNECTOR, connector, fanout.clone());
        destinations.push(Destination::queued(
            rig.ledger.account("logs", CONNECTOR),
            stage.as_queue(fanout.delivery()),
        ));
        parts.extend([Part::FanOut(fanout), Part::Holder(stage)]);
    }
    let fanout = rig.fanout(destinations);
    parts.push(Part::FanOut(fanout.clone()));
    let mut config = batch_config();
    config.send_batch_max_size = shape.max_items;
    config.metadata_cardinality_limit = 3;
    let rest = match shape.holder {
        Some((holder, true)) => {
            let delivery = match holder.answers {
                Answers::OnAdmission => Delivery::Memory,
                Answers::AfterCommit => fanout.delivery(),
            };
            // Behind what has answered, nothing is refused.
            let stage = match delivery {
                Delivery::Memory => hold(&rig, HOLDER, holder, fanout.patient()),
                _ => hold(&rig, HOLDER, holder, fanout),
            };
            let options = BatchOptions::default().with_delivery(delivery).with_hop(stage.hop().clone());
            let batcher = Arc::new(BatchProcessor::start_with(config, stage.clone(), clock(), options));
            let hop = stage.hop().clone();
            parts.extend([Part::Holder(stage), Part::Batch(batcher.clone())]);
            Rest { next: BoxExport::new(Shared(batcher)), hop }
        }
        in_front => {
            let batcher = rig.batcher_of(config, &fanout);
            parts.push(Part::Batch(batcher.clone()));
            match in_front {
                None => Rest { next: BoxExport::new(Shared(batcher)), hop: fanout.hop().clone() },
                Some((holder, _)) => {
                    let stage = hold(&rig, HOLDER, holder, Shared(batcher));
                    parts.push(Part::Holder(stage.clone()));
                    Rest { hop: stage.hop().clone(), next: BoxExport::new(stage) }
                }
            }
        }
    };
    parts.reverse();
    let entry = chain(&rig, &shape.deeds, rest.next, &rest.hop);
    Pipeline { rig, sinks, entry, parts }
}

/// A holder or a connector in front of `next`, started.
fn hold(rig: &Rig, id: &str, shape: HolderShape, next: impl Export) -> HolderStage {
    let spec = shape.spec();
    let context = spec.context(rig.ledger.account("logs", id), Signal::LOGS, clock());
    let stage = spec.make(context.with_outlet("logs", Signal::LOGS, next)).unwrap();
    stage.start();
    stage
}

fn sink_id(index: usize) -> String {
    format!("out/{index}")
}

async fn run(shape: Shape, acts: Vec<Act>) {
    let Pipeline { rig, sinks, entry, parts } = build(&shape);
    let (mut senders, mut pushed) = (Vec::new(), 0);
    for act in acts {
        pushed += play(act, &rig, &entry, &sinks, &mut senders).await;
        settle().await;
        assert_eq!(rig.ledger.snapshot().check(), Ok(()));
    }
    let deadline = now() + seconds(shape.drain_seconds);
    for part in parts {
        match part {
            Part::Batch(batcher) => batcher.drain(deadline).await,
            Part::Holder(stage) => stage.drain(deadline).await,
            Part::FanOut(fanout) => fanout.drain(deadline).await,
        }
    }
    for queue in &rig.queues {
        queue.drain(deadline).await;
    }
    settle().await;
    check_sinks(&shape, &rig, &sinks, pushed);
    check_holders(&shape, &rig, pushed);
    // Nobody is left without an answer.
    assert!(senders.iter().all(JoinHandle::is_finished));
}

fn check_sinks(shape: &Shape, rig: &Rig, sinks: &[Sink; SINKS], pushed: u64) {
    for (index, sink) in sinks.iter().enumerate() {
        let line = rig.line(&sink_id(index));
        assert_eq!((line.queued, line.in_flight), (0, 0));
        let is_led_into = shape.connector.is_some() && index == SINKS - 1;
        let of_pushed = shape.holder.is_none() && !is_led_into && !shape.produces();
        assert!(!of_pushed || line.accepted + line.refused == pushed, "{pushed}: {line:?}");
        assert!(line.sent <= sink.items(), "{line:?}");
        let drops = shape.queues[index].as_ref().is_some_and(|queue| queue.on_full == OnFull::Drop);
        assert!(drops || line.dropped_for(DropReason::QueueFull) == 0, "{line:?}");
    }
}

/// What came in is in the holder's line once, and what the holder handed on is in the lines of those behind.
fn check_holders(shape: &Shape, rig: &Rig, pushed: u64) {
    let end = if shape.connector.is_some() { CONNECTOR.into() } else { sink_id(SINKS - 1) };
    let ends = [sink_id(0), sink_id(1), end];
    let last = [sink_id(SINKS - 1)];
    let holder = shape.holder.map(|(holder, is_behind)| (HOLDER, holder, &ends[..], !is_behind));
    let connector = shape.connector.map(|connector| (CONNECTOR, connector, &last[..], false));
    let first = if shape.holder.is_some() { HOLDER } else { CONNECTOR };
    for (id, holder, behind, is_sent_once) in holder.into_iter().chain(connector) {
        let line = rig.line(id);
        assert_eq!((line.queued, line.in_flight), (0, 0));
        // What passes answers on may be refused the same items again and again, and with them what it made of them.
        let counts_once = match holder.answers {
            Answers::OnAdmission => true,
            Answers::AfterCommit => line.refused == 0 || is_sent_once && holder.copies == 1,
        };
        let counts_once = counts_once && id == first && !shape.produces();
        assert!(!counts_once || line.accepted + line.refused == pushed, "{pushed}: {line:?}");
        if !shape.produces() {
            holder.check(&line);
        }
        for end in behind {
            let next = rig.line(end);
            assert!(next.accepted >= line.sent + line.rejected, "{line:?}, then {next:?}");
        }
    }
}

impl Shape {
    /// Whether a processor makes more of what comes in.
    fn produces(&self) -> bool {
        self.deeds.iter().any(|deed| matches!(deed, Deed::Double))
    }
}

/// Does one thing, and returns how many items it pushed.
async fn play(
    act: Act,
    rig: &Rig,
    entry: &Arc<ProcessorChain>,
    sinks: &[Sink; SINKS],
    senders: &mut Vec<JoinHandle<ExportResult>>,
) -> u64 {
    match act {
        Act::Push { items, kind } => {
            let batch = match kind {
                Kind::Plain => logs(items),
                Kind::Unmergeable => unmergeable(items),
                Kind::OfTenant(tenant) => from_tenant(items, &tenant.to_string()),
            };
            senders.push(send(entry, batch));
            return items;
        }
        Act::Pass { millis } => pass(Duration::from_millis(millis)).await,
        Act::Script { sink, step } => sinks[sink].then(step),
        Act::Commit { commit } => rig.commits.iter().for_each(|commits| commits.then(commit)),
        Act::Leave { index } if !senders.is_empty() => senders[index % senders.len()].abort(),
        Act::Leave { .. } => {}
    }
    0
}

const SINKS: usize = 3;
const HOLDER: &str = "hold";
const CONNECTOR: &str = "lead";

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_item_ends_in_exactly_one_state(shape in shape(), acts in prop::collection::vec(act(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run(shape, acts));
    }
}

/// Many senders on several threads, and little room: when all is quiet, nothing is missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_several_threads_nothing_is_missing() {
    for on_full in [OnFull::Block, OnFull::Drop, OnFull::Refuse] {
        for mut rig in Rig::with_each_queue() {
            let (sinks, mut config) = ([Sink::default(), Sink::default()], queue(2, 2));
            config.on_full = on_full;
            let destinations = ["a", "b"].iter().zip(&sinks);
            let destinations = destinations.map(|(id, sink)| rig.queued(id, sink, config.clone())).collect();
            let mut config = batch_config();
            (config.send_batch_max_size, config.metadata_cardinality_limit) = (30, 3);
            let fanout = rig.fanout(destinations);
            let batcher = rig.batcher_of(config, &fanout);
            let senders = (0..8_u64).map(|sender| {
                let batcher = batcher.clone();
                tokio::spawn(async move {
                    let mut accepted = 0;
                    for number in 0..200 {
                        let batch = from_tenant(1 + number % 40, &(sender + number % 3).to_string());
                        let items = batch.items();
                        accepted += batcher.export(batch).await.map_or(0, |_| items);
                    }
                    accepted
                })
            });
            let mut accepted = 0;
            for sender in senders.collect::<Vec<_>>() {
                accepted += sender.await.unwrap();
            }
            let deadline = now() + seconds(60);
            batcher.drain(deadline).await;
            fanout.drain(deadline).await;
            for queue in &rig.queues {
                queue.drain(deadline).await;
            }
            for (id, sink) in ["a", "b"].into_iter().zip(&sinks) {
                let line = rig.line(id);
                let dropped = line.dropped_for(DropReason::QueueFull);
                assert_eq!(
                    (line.accepted, line.sent + dropped, line.sent),
                    (accepted, accepted, sink.items())
                );
                assert_eq!(
                    (line.queued, line.in_flight, on_full == OnFull::Drop || dropped == 0),
                    (0, 0, true)
                );
            }
        }
    }
}
