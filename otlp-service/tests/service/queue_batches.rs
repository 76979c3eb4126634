//! Batches made when a queue is read: when they are sent, how large they are, and how much is under way.

use crate::harness::*;
use crate::holders::{exporter, pipeline, start};
use otlp_service::{
    BatchSizer, DropReason, FanOut, GatewaySpec, OnFull, QueueBatchConfig, QueueConfig, ReceiverSpec, Sizer,
};
use otlp_transport::Export;
use proptest::prelude::*;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// A queue of `size` items whose consumers make batches of `min_size` to `max_size` items, or after a second.
pub(crate) fn batching(size: usize, consumers: usize, min_size: u64, max_size: u64) -> QueueConfig {
    let mut batch = QueueBatchConfig::default();
    (batch.min_size, batch.max_size, batch.flush_timeout) = (min_size, max_size, seconds(1));
    let mut config = queue(size, consumers);
    (config.sizer, config.batch) = (Sizer::Items, Some(batch));
    config
}

/// A queue for so many batches, or for ten times as many items; joining what is in it or not.
pub(crate) fn any_queue(sizes: Range<usize>) -> impl Strategy<Value = QueueConfig> {
    let on_full = prop_oneof![Just(OnFull::Drop), Just(OnFull::Refuse), Just(OnFull::Block)];
    let batch = prop::option::of((0..60u64, prop_oneof![Just(0), 60..90u64]));
    (sizes, 1..3usize, any::<[bool; 2]>(), on_full, batch).prop_map(
        |(size, consumers, [waits, of_items], on_full, batch)| {
            let mut config = match batch {
                Some((min_size, max_size)) => batching(10 * size, consumers, min_size, max_size),
                None => queue(10 * size, consumers),
            };
            config.sizer = Sizer::Items;
            if !of_items {
                (config.sizer, config.queue_size) = (Sizer::Requests, size);
            }
            (config.wait_for_result, config.on_full) = (waits, on_full);
            config
        },
    )
}

fn of_batch(mut config: QueueConfig, set: impl FnOnce(&mut QueueBatchConfig)) -> QueueConfig {
    set(config.batch.as_mut().unwrap());
    config
}

fn rig(sink: &Sink, config: QueueConfig) -> (Rig, Arc<FanOut>) {
    let mut rig = Rig::new();
    let destination = rig.queued("out", sink, config);
    let fanout = Arc::new(rig.fanout(vec![destination]));
    (rig, fanout)
}

async fn send_all(fanout: &FanOut, sizes: impl IntoIterator<Item = u64>) {
    for items in sizes {
        fanout.export(logs(items)).await.unwrap();
    }
    settle().await;
}

fn assert_sent(rig: &Rig, items: u64) {
    let line = rig.line("out");
    assert_eq!((line.accepted, line.sent, line.queued, line.in_flight), (items, items, 0, 0));
    assert_eq!((rig.queues[0].size(), rig.queues[0].len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn entries_are_joined_until_the_least_size_or_the_timeout() {
    let sink = Sink::default();
    let (rig, fanout) = rig(&sink, batching(1000, 2, 100, 0));
    send_all(&fanout, [40, 30]).await;
    // What is joined is queued, and keeps its room.
    let line = rig.line("out");
    assert_eq!((line.queued, rig.queues[0].size(), sink.attempts()), (70, 70, 0));
    send_all(&fanout, [50]).await;
    assert_eq!(sink.sizes(), [120]);
    let begun = now();
    send_all(&fanout, [7, 8]).await;
    pass(seconds(2)).await;
    assert_eq!(sink.sizes(), [120, 15]);
    assert_eq!(sink.times()[1] - begun, seconds(1));
    let body = sink.bodies()[1].clone();
    assert_eq!(body.len(), logs(7).len() + logs(8).len());
    assert_sent(&rig, 135);
}

#[tokio::test(start_paused = true)]
async fn without_a_least_size_entries_are_sent_at_once() {
    let sink = Sink::default();
    let (rig, fanout) = rig(&sink, batching(1000, 2, 0, 50));
    send_all(&fanout, [3, 4, 120]).await;
    assert_eq!(sink.sizes(), [3, 4, 50, 50, 20]);
    assert_sent(&rig, 127);
}

#[tokio::test(start_paused = true)]
async fn batches_are_limited_in_bytes() {
    let (sink, each) = (Sink::default(), logs(10).len() as u64);
    let config = of_batch(batching(1000, 1, 2 * each, 3 * each), |batch| batch.sizer = BatchSizer::Bytes);
    let (rig, fanout) = rig(&sink, config);
    send_all(&fanout, [10, 10]).await;
    assert_eq!(sink.sizes(), [20]);
    // The open batch has no room for the next entry, which is over the limit alone.
    send_all(&fanout, [10, 70]).await;
    pass(seconds(1)).await;
    settle().await;
    let sizes = sink.sizes();
    assert!(sizes.len() >= 4 && sizes[1..].iter().all(|&items| items <= 31), "{sizes:?}");
    assert_eq!(sink.items(), 100);
    assert!(sink.bodies().iter().all(|body| body.len() as u64 <= 3 * each));
    assert_sent(&rig, 100);
}

/// A batch is cut between entries; only an entry over the limit is cut.
#[tokio::test(start_paused = true)]
async fn batches_stay_under_the_largest_size() {
    let sink = Sink::default();
    let (rig, fanout) = rig(&sink, batching(1000, 1, 80, 100));
    send_all(&fanout, [60, 50, 250, 30]).await;
    pass(seconds(1)).await;
    settle().await;
    assert_eq!(sink.sizes(), [60, 100, 100, 50, 80]);
    assert_sent(&rig, 390);
}

/// As many batches are sent as there are consumers; another is joined, and the rest stays in the queue.
#[tokio::test(start_paused = true)]
async fn there_are_no_more_batches_under_way_than_consumers() {
    let sink = Sink::always(Step::Slow(seconds(10)));
    let (rig, fanout) = rig(&sink, batching(100, 2, 10, 0));
    for _ in 0..24 {
        send_all(&fanout, [5]).await;
    }
    let line = rig.line("out");
    // 2 × 10 items are in flight, all others keep their room.
    assert_eq!((line.in_flight, line.queued, rig.queues[0].size()), (20, 100, 100));
    assert!(fanout.export(logs(1)).await.is_err());
    pass(seconds(11)).await;
    assert_eq!((rig.line("out").in_flight, rig.queues[0].size()), (20, 80));
    pass(seconds(60)).await;
    assert_eq!(sink.sizes(), [10; 12]);
    assert_eq!(rig.line("out").refused, 1);
    assert_sent(&rig, 120);
}

/// Full batches are not kept waiting by a slow batch of another consumer.
#[tokio::test(start_paused = true)]
async fn a_consumer_that_is_busy_leaves_the_turn_to_the_next() {
    let sink = Sink::scripted([Step::Hang]);
    let (rig, fanout) = rig(&sink, batching(1000, 2, 10, 0));
    send_all(&fanout, [10, 10, 10, 4]).await;
    assert_eq!(sink.sizes(), [10, 10]);
    pass(seconds(1)).await;
    settle().await;
    assert_eq!(sink.sizes(), [10, 10, 4]);
    rig.queues[0].drain(now() + seconds(1)).await;
    let line = rig.line("out");
    assert_eq!((line.sent, line.dropped_for(DropReason::Shutdown), line.queued), (24, 10, 0));
}

#[tokio::test(start_paused = true)]
async fn requests_with_different_headers_are_not_joined() {
    let sink = Sink::default();
    let config = of_batch(batching(1000, 1, 10, 0), |batch| batch.metadata_keys = vec!["x-team".into()]);
    let (rig, fanout) = rig(&sink, config);
    for (items, name, value) in
        [(4, "x-team", "a"), (4, "x-team", "b"), (6, "x-team", "a"), (1, "x-other", "c"), (2, "x-other", "d")]
    {
        fanout.export(with_header(items, name, value)).await.unwrap();
    }
    pass(seconds(2)).await;
    let team = |team: &str| with_header(1, "x-team", team).origin.and_then(Arc::into_inner);
    let expected = [(team("a"), 10), (team("b"), 4), (None, 3)];
    assert_eq!(sink.origins(), expected);
    assert_sent(&rig, 17);
}

#[tokio::test(start_paused = true)]
async fn the_number_of_open_batches_is_limited() {
    let sink = Sink::default();
    let config = of_batch(batching(1000, 1, 10, 0), |batch| {
        (batch.metadata_keys, batch.max_partitions) = (vec!["x-team".into()], 2);
    });
    let spec = GatewaySpec {
        exporters: vec![exporter("out", &sink, Some(config))],
        pipelines: vec![pipeline("logs", &[], &["out"])],
        ..GatewaySpec::default()
    };
    let gateway = start(spec).await;
    let shown = |name| gateway.metrics().get(name, &[("exporter", "out"), ("data_type", "logs")]);
    assert_eq!(shown("otlp_exporter_queue_batch_evictions"), Some(0.0));
    for team in ["a", "b", "c", "d"] {
        gateway.inlet("logs").unwrap().export(with_header(1, "x-team", team)).await.unwrap();
    }
    settle().await;
    assert_eq!((sink.items(), shown("otelcol_exporter_queue_size")), (2, Some(2.0)));
    assert_eq!(shown("otelcol_exporter_queue_capacity"), Some(1000.0));
    assert_eq!(shown("otlp_exporter_queue_batch_evictions"), Some(2.0));
    let report = gateway.drain(now() + seconds(5)).await;
    assert_eq!((sink.items(), report.dropped_items, report.ledger.check()), (4, 0, Ok(())));
}

/// What the exporter needs of a request is kept apart, and kept by the receiver, also if the settings do not name it.
#[tokio::test(start_paused = true)]
async fn requests_that_the_exporter_tells_apart_are_not_joined() {
    let sink = Sink::default();
    let config = of_batch(batching(1000, 1, 10, 0), |batch| batch.metadata_keys = vec!["x-team".into()]);
    let mut out = exporter("out", &sink, Some(config));
    out.needs.headers = vec!["x-user".into()];
    let spec = GatewaySpec {
        receivers: vec![ReceiverSpec::otlp("otlp", Vec::new())],
        exporters: vec![out],
        pipelines: vec![pipeline("logs", &["otlp"], &["out"])],
        ..GatewaySpec::default()
    };
    assert_eq!(spec.needs()[0].needs.headers, ["x-team".into(), "x-user".into()]);
    let gateway = start(spec).await;
    for user in ["a", "b", "a"] {
        gateway.inlet("logs").unwrap().export(with_header(1, "x-user", user)).await.unwrap();
    }
    gateway.drain(now() + seconds(5)).await;
    let mut sizes = sink.sizes();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_drain_sends_what_is_joined() {
    let sink = Sink::default();
    let (rig, fanout) = rig(&sink, batching(1000, 3, 100, 0));
    send_all(&fanout, [40, 30]).await;
    let begun = now();
    rig.queues[0].drain(now() + seconds(5)).await;
    assert_eq!((sink.sizes(), now() - begun), (vec![70], Duration::ZERO));
    assert!(fanout.export(logs(1)).await.is_err());
    assert_sent(&rig, 70);
}

#[tokio::test(start_paused = true)]
async fn what_a_drain_cannot_send_is_dropped() {
    let sink = Sink::always(Step::Hang);
    let (rig, fanout) = rig(&sink, batching(1000, 1, 50, 0));
    send_all(&fanout, [50, 30, 30, 5]).await;
    rig.queues[0].drain(now() + seconds(5)).await;
    let line = rig.line("out");
    assert_eq!((line.accepted, line.sent, line.queued, line.in_flight), (115, 0, 0, 0));
    assert_eq!((line.dropped_for(DropReason::Shutdown), rig.queues[0].size()), (115, 0));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_joined_is_sent_alone() {
    let sink = Sink::default();
    let (rig, fanout) = rig(&sink, batching(1000, 1, 10, 15));
    fanout.export(logs(4)).await.unwrap();
    fanout.export(unmergeable(20)).await.unwrap();
    fanout.export(logs(6)).await.unwrap();
    settle().await;
    assert_eq!(sink.sizes(), [20, 10]);
    assert_sent(&rig, 30);
}
