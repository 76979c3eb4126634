//! Random histories of a pipeline against the ledger's equation: whatever happens, every item ends in exactly one
//! state.

use crate::harness::*;
use crate::processors::{Deed, chain};
use crate::slow_queue::{Commit, Commits};
use otlp_protocol::{ErrorKind, Retry};
use otlp_service::{
    BatchOptions, BatchProcessor, Delivery, DropReason, FanOut, OnFull, ProcessorChain, QueueConfig, Reason,
};
use otlp_transport::{Export, ExportResult};
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
    queues: [Option<QueueConfig>; 2],
    max_items: u64,
    drain_seconds: u64,
    deeds: Vec<Deed>,
    /// Whether commits to the queues take time, and may fail or panic.
    slow_commits: bool,
    /// Whether a stage in front of the batch processor holds data that it has answered for.
    holds: bool,
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
        3 => (0..2usize, step()).prop_map(|(sink, step)| Act::Script { sink, step }),
        2 => commit().prop_map(|commit| Act::Commit { commit }),
        1 => any::<usize>().prop_map(|index| Act::Leave { index }),
    ]
}

fn shape() -> impl Strategy<Value = Shape> {
    let on_full = prop_oneof![Just(OnFull::Drop), Just(OnFull::Refuse), Just(OnFull::Block)];
    let config =
        (1..6usize, 1..3usize, any::<bool>(), on_full).prop_map(|(size, consumers, waits, on_full)| {
            let mut config = queue(size, consumers);
            config.wait_for_result = waits;
            config.on_full = on_full;
            config
        });
    let config = || prop::option::of(config.clone());
    let deeds = prop::collection::vec(deed(), 0..3);
    let max_items = prop_oneof![Just(0u64), 10..50u64];
    ((config(), config()), max_items, 0..100u64, deeds, any::<bool>(), any::<bool>()).prop_map(
        |((first, second), max_items, drain_seconds, deeds, slow_commits, holds)| Shape {
            queues: [first, second],
            max_items,
            drain_seconds,
            deeds,
            slow_commits,
            holds,
        },
    )
}

/// Two destinations, and what stands in front of them: the parts to drain, in order.
struct Pipeline {
    rig: Rig,
    sinks: [Sink; 2],
    entry: Arc<ProcessorChain>,
    batchers: Vec<Arc<BatchProcessor>>,
    fanout: FanOut,
}

fn build(shape: &Shape) -> Pipeline {
    let mut rig = Rig::new();
    rig.commits = shape.slow_commits.then(Commits::default);
    let sinks = [Sink::default(), Sink::default()];
    let mut destinations = Vec::new();
    for (index, config) in shape.queues.iter().enumerate() {
        let id = format!("out/{index}");
        destinations.push(match config {
            Some(config) => rig.retried(&id, &sinks[index], config.clone(), retry_config()),
            None => rig.retried_direct(&id, &sinks[index]),
        });
    }
    let mut config = batch_config();
    config.send_batch_max_size = shape.max_items;
    config.metadata_cardinality_limit = 3;
    let fanout = rig.fanout(destinations);
    let mut batchers = vec![rig.batcher_of(config, &fanout)];
    if shape.holds {
        let mut config = batch_config();
        config.send_batch_size = 20;
        let options = BatchOptions::default().with_delivery(Delivery::Memory).with_hop(fanout.hop().clone());
        let next = Shared(batchers[0].clone());
        batchers.insert(0, Arc::new(BatchProcessor::start_with(config, next, clock(), options)));
    }
    let entry = chain(&rig, &shape.deeds, Shared(batchers[0].clone()), &fanout);
    Pipeline { rig, sinks, entry, batchers, fanout }
}

async fn run(shape: Shape, acts: Vec<Act>) {
    let Pipeline { rig, sinks, entry, batchers, fanout } = build(&shape);
    let produces = shape.deeds.iter().any(|deed| matches!(deed, Deed::Double));

    let (mut senders, mut pushed) = (Vec::new(), 0);
    for act in acts {
        pushed += play(act, &rig, &entry, &sinks, &mut senders).await;
        settle().await;
        assert_eq!(rig.ledger.snapshot().check(), Ok(()));
    }
    let deadline = now() + seconds(shape.drain_seconds);
    for batcher in batchers {
        batcher.drain(deadline).await;
    }
    fanout.drain(deadline).await;
    for queue in &rig.queues {
        queue.drain(deadline).await;
    }
    settle().await;
    for (index, sink) in sinks.iter().enumerate() {
        let line = rig.line(&format!("out/{index}"));
        assert_eq!((line.queued, line.in_flight), (0, 0));
        // What was made and then refused is refused beside what was sent, and a stage that holds data is refused it again
        // and again.
        assert!(produces || shape.holds || line.accepted + line.refused == pushed, "{pushed}: {line:?}");
        assert!(line.sent <= sink.items(), "{line:?}");
        let drops = shape.queues[index].as_ref().is_some_and(|queue| queue.on_full == OnFull::Drop);
        assert!(drops || line.dropped_for(DropReason::QueueFull) == 0, "{line:?}");
    }
    // Nobody is left without an answer.
    assert!(senders.iter().all(JoinHandle::is_finished));
}

/// Does one thing, and returns how many items it pushed.
async fn play(
    act: Act,
    rig: &Rig,
    entry: &Arc<ProcessorChain>,
    sinks: &[Sink; 2],
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
