//! Random producers and consumers: nothing is lost or consumed twice, limits and order hold, and the counts add up.

use crate::harness::*;
use otlp_service::{PipelineItem, Producer, ProducerConsumerConfig, ProducerConsumerPipeline, ProducerOrder};
use parking_lot::Mutex;
use proptest::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Debug)]
struct Plan {
    config: ProducerConsumerConfig,
    /// The items of each producer.
    producers: Vec<Vec<Planned>>,
    /// Milliseconds until the pipeline is drained, and for the drain.
    drain: (u64, u64),
}

#[derive(Clone, Copy, Debug)]
struct Planned {
    bytes: usize,
    pause_millis: u64,
    way: Way,
    /// Time that a consumer takes.
    millis: u64,
    fate: Fate,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Send,
    TrySend,
    /// Gives up after so many milliseconds.
    Within(u64),
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Deliver,
    Fail,
    Panic,
}

/// Producer, and position among the items of the producer.
type Id = (usize, usize);

struct Item {
    id: Id,
    planned: Planned,
}

impl PipelineItem for Item {
    fn bytes(&self) -> usize {
        self.planned.bytes
    }
}

/// What was seen from outside.
#[derive(Default)]
struct Seen {
    sent: Vec<Id>,
    not_sent: u64,
    begun: Vec<Id>,
    delivered: u64,
    failed: u64,
    /// Items of each producer that are with a consumer.
    with_consumers: HashMap<usize, usize>,
    most_of_a_producer: usize,
    /// Items and bytes that are certainly in the pipeline.
    held: (i64, i64),
    most_held: (i64, i64),
}

/// An item with a consumer, until the consumer is done, panics or is cancelled.
struct Consuming {
    seen: Arc<Mutex<Seen>>,
    item: Item,
}

impl Consuming {
    fn new(seen: Arc<Mutex<Seen>>, item: Item) -> Self {
        {
            let mut seen = seen.lock();
            seen.begun.push(item.id);
            let of_producer = seen.with_consumers.entry(item.id.0).or_default();
            *of_producer += 1;
            let of_producer = *of_producer;
            seen.most_of_a_producer = seen.most_of_a_producer.max(of_producer);
        }
        Self { seen, item }
    }
}

impl Drop for Consuming {
    fn drop(&mut self) {
        let mut seen = self.seen.lock();
        *seen.with_consumers.get_mut(&self.item.id.0).unwrap() -= 1;
        seen.held.0 -= 1;
        seen.held.1 -= self.item.planned.bytes as i64;
    }
}

async fn consume(item: Item, seen: Arc<Mutex<Seen>>) -> Result<(), ()> {
    let Planned { millis, fate, .. } = item.planned;
    let consuming = Consuming::new(seen, item);
    pass(Duration::from_millis(millis)).await;
    let mut seen = consuming.seen.lock();
    match fate {
        Fate::Deliver => seen.delivered += 1,
        Fate::Fail | Fate::Panic => seen.failed += 1,
    }
    drop(seen);
    match fate {
        Fate::Deliver => Ok(()),
        Fate::Fail => Err(()),
        Fate::Panic => std::panic::resume_unwind(Box::new(())),
    }
}

async fn produce(index: usize, items: Vec<Planned>, producer: Producer<Item>, seen: Arc<Mutex<Seen>>) {
    for (number, planned) in items.into_iter().enumerate() {
        pass(Duration::from_millis(planned.pause_millis)).await;
        let (id, bytes) = ((index, number), planned.bytes as i64);
        let item = Item { id, planned };
        let is_sent = match planned.way {
            Way::Send => producer.send(item).await.is_ok(),
            Way::TrySend => producer.try_send(item).is_ok(),
            Way::Within(millis) => tokio::select! {
                biased;
                sent = producer.send(item) => sent.is_ok(),
                () = pass(Duration::from_millis(millis)) => false,
            },
        };
        let mut seen = seen.lock();
        if is_sent {
            seen.sent.push(id);
            seen.held = (seen.held.0 + 1, seen.held.1 + bytes);
            seen.most_held = (seen.most_held.0.max(seen.held.0), seen.most_held.1.max(seen.held.1));
        } else {
            seen.not_sent += 1;
        }
    }
}

async fn run(plan: Plan) {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let consumer = seen.clone();
    let consume = move |item| consume(item, consumer.clone());
    let pipeline = ProducerConsumerPipeline::start(plan.config.clone(), consume, clock());
    let planned: usize = plan.producers.iter().map(Vec::len).sum();
    let mut producers = tokio::task::JoinSet::new();
    for (index, items) in plan.producers.into_iter().enumerate() {
        producers.spawn(produce(index, items, pipeline.producer(), seen.clone()));
    }
    pass(Duration::from_millis(plan.drain.0)).await;
    let counts = pipeline.drain(now() + Duration::from_millis(plan.drain.1)).await;
    while let Some(ended) = producers.join_next().await {
        ended.unwrap();
    }

    let mut seen = seen.lock();
    assert_eq!(seen.sent.len() as u64 + seen.not_sent, planned as u64);
    assert_eq!((counts.sent, counts.queued), (seen.sent.len() as u64, 0));
    assert_eq!((counts.delivered, counts.failed), (seen.delivered, seen.failed));
    assert_eq!(counts.sent, counts.delivered + counts.failed + counts.dropped);
    if plan.drain.1 == LONG {
        assert_eq!(counts.dropped, 0);
        assert_eq!(seen.begun.len(), seen.sent.len());
    }
    assert!(seen.most_held.0 <= plan.config.max_items as i64, "{:?}", seen.most_held);
    assert!(seen.most_held.1 <= plan.config.max_bytes as i64, "{:?}", seen.most_held);
    if plan.config.order == ProducerOrder::PerProducer {
        assert!(seen.most_of_a_producer <= 1);
    }
    if plan.config.order == ProducerOrder::PerProducer || plan.config.consumers == 1 {
        for index in 0..MAX_PRODUCERS {
            let numbers: Vec<_> = seen.begun.iter().filter(|(of, _)| *of == index).collect();
            assert!(numbers.is_sorted(), "{numbers:?}");
        }
    }
    // Each one once, and none that was not sent.
    let begun = seen.begun.len();
    seen.begun.sort_unstable();
    seen.begun.dedup();
    seen.sent.sort_unstable();
    assert_eq!(seen.begun.len(), begun);
    assert!(seen.begun.iter().all(|id| seen.sent.binary_search(id).is_ok()));
}

/// Milliseconds in which every drain comes to its end.
const LONG: u64 = 1_000_000;
const MAX_PRODUCERS: usize = 5;

fn planned() -> impl Strategy<Value = Planned> {
    let way =
        prop_oneof![3 => Just(Way::Send), 1 => Just(Way::TrySend), 1 => (0_u64..20).prop_map(Way::Within)];
    let fate = prop_oneof![6 => Just(Fate::Deliver), 1 => Just(Fate::Fail), 1 => Just(Fate::Panic)];
    (0_usize..60, 0_u64..5, way, 0_u64..30, fate).prop_map(|(bytes, pause_millis, way, millis, fate)| {
        Planned { bytes, pause_millis, way, millis, fate }
    })
}

fn plan() -> impl Strategy<Value = Plan> {
    let order = prop_oneof![Just(ProducerOrder::Any), Just(ProducerOrder::PerProducer)];
    let config = (1_usize..10, 50_usize..200, 1_usize..6, order);
    let producers = prop::collection::vec(prop::collection::vec(planned(), 0..30), 1..=MAX_PRODUCERS);
    let drain = (0_u64..500, prop_oneof![0_u64..100, Just(LONG)]);
    (config, producers, drain).prop_map(|((max_items, max_bytes, consumers, order), producers, drain)| {
        let mut config = ProducerConsumerConfig::default();
        (config.max_items, config.max_bytes, config.consumers) = (max_items, max_bytes, consumers);
        config.order = order;
        Plan { config, producers, drain }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_or_doubled_and_limits_and_order_hold(plan in plan()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(run(plan));
    }
}
