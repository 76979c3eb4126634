//! Random histories of a pipeline against the ledger's equation: whatever happens, every item ends in exactly one
//! state.

use crate::harness::*;
use crate::processors::{Deed, chain};
use otlp_protocol::{ErrorKind, Retry};
use otlp_service::{DropReason, OnFull, ProcessorChain, QueueConfig, Reason};
use otlp_transport::ExportResult;
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

fn act() -> impl Strategy<Value = Act> {
    let kind = prop_oneof![Just(Kind::Plain), Just(Kind::Unmergeable), (0..4u8).prop_map(Kind::OfTenant)];
    prop_oneof![
        6 => (0..60u64, kind).prop_map(|(items, kind)| Act::Push { items, kind }),
        2 => (0..3000u64).prop_map(|millis| Act::Pass { millis }),
        3 => (0..2usize, step()).prop_map(|(sink, step)| Act::Script { sink, step }),
        1 => any::<usize>().prop_map(|index| Act::Leave { index }),
    ]
}

fn shape() -> impl Strategy<Value = Shape> {
    let config =
        (1..6usize, 1..3usize, any::<bool>(), any::<bool>()).prop_map(|(size, consumers, waits, drops)| {
            let mut config = queue(size, consumers);
            config.wait_for_result = waits;
            config.on_full = if drops { OnFull::Drop } else { OnFull::Refuse };
            config
        });
    let config = || prop::option::of(config.clone());
    let deeds = prop::collection::vec(deed(), 0..3);
    ((config(), config()), prop_oneof![Just(0u64), 10..50u64], 0..100u64, deeds).prop_map(
        |((first, second), max_items, drain_seconds, deeds)| Shape {
            queues: [first, second],
            max_items,
            drain_seconds,
            deeds,
        },
    )
}

async fn run(shape: Shape, acts: Vec<Act>) {
    let mut rig = Rig::new();
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
    let batcher = rig.batcher_of(config, &fanout);
    let entry = chain(&rig, &shape.deeds, Shared(batcher.clone()), &fanout);
    let produces = shape.deeds.iter().any(|deed| matches!(deed, Deed::Double));

    let (mut senders, mut pushed) = (Vec::new(), 0);
    for act in acts {
        pushed += play(act, &entry, &sinks, &mut senders).await;
        settle().await;
        assert_eq!(rig.ledger.snapshot().check(), Ok(()));
    }
    let deadline = now() + seconds(shape.drain_seconds);
    batcher.drain(deadline).await;
    fanout.drain(deadline).await;
    for queue in &rig.queues {
        queue.drain(deadline).await;
    }
    settle().await;
    for (index, sink) in sinks.iter().enumerate() {
        let line = rig.line(&format!("out/{index}"));
        assert_eq!((line.queued, line.in_flight), (0, 0));
        // What was made and then refused is refused beside what was sent.
        assert!(produces || line.accepted + line.refused == pushed, "{pushed}: {line:?}");
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
