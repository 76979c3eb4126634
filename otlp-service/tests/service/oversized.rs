//! Requests over a limit of the batch processor: cut as their parts are sent, within the queues' capacity.

use crate::harness::*;
use otlp_protocol::wire::put_len_delimited;
use otlp_protocol::{Batch, ByteBudget, Charge, Count};
use otlp_service::{BatchConfig, DropReason, OnFull};
use otlp_transport::Export;

fn at_most(items: u64) -> BatchConfig {
    let mut config = batch_config();
    config.send_batch_max_size = items;
    config
}

#[tokio::test(start_paused = true)]
async fn parts_take_no_more_than_the_queues_slots() {
    for on_full in [OnFull::Refuse, OnFull::Block] {
        for mut rig in Rig::with_each_queue() {
            let sink = Sink::always(Step::Hang);
            let mut config = queue(3, 1);
            config.on_full = on_full;
            let destination = rig.queued("out", &sink, config);
            let batcher = rig.batcher(at_most(10), vec![destination]);
            batcher.export(logs(1000)).await.unwrap();
            settle().await;
            // One on its way, three waiting; the rest is not cut yet, but accounted for.
            assert_eq!(rig.queues[0].len(), 3);
            let line = rig.line("out");
            assert_eq!((line.accepted, line.in_flight, line.queued), (1000, 10, 990));
            assert_eq!(rig.metric("otelcol_processor_outgoing_items"), 40.0);
            drop(batcher);
            rig.queues.clear();
            settle().await;
            assert_eq!(rig.line("out").dropped_for(DropReason::Shutdown), 1000);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn parts_go_on_as_the_queue_empties() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::default();
        let destination = rig.queued("out", &sink, queue(1, 1));
        let batcher = rig.batcher(at_most(10), vec![destination]);
        batcher.export(logs(95)).await.unwrap();
        pass(seconds(1)).await;
        assert_eq!(sink.sizes(), [10, 10, 10, 10, 10, 10, 10, 10, 10, 5]);
        assert_eq!((rig.line("out").sent, rig.line("out").queued), (95, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_drops_drops_what_it_has_no_room_for() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::always(Step::Hang);
        let mut config = queue(2, 1);
        config.on_full = OnFull::Drop;
        let destination = rig.queued("out", &sink, config);
        let batcher = rig.batcher(at_most(10), vec![destination]);
        batcher.export(logs(100)).await.unwrap();
        settle().await;
        let line = rig.line("out");
        assert_eq!(line.in_flight + line.queued + line.dropped_for(DropReason::QueueFull), 100);
        assert!(rig.queues[0].len() <= 2 && line.dropped_for(DropReason::QueueFull) >= 70, "{line:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn end_to_end_parts_go_some_at_a_time() {
    let (rig, sink) = (Rig::new(), Sink::always(Step::Slow(seconds(1))));
    let batcher = rig.batcher(at_most(1), vec![rig.direct("out", &sink)]);
    let export = send(&batcher, logs(35));
    settle().await;
    assert_eq!(sink.attempts(), 10);
    pass(seconds(5)).await;
    assert_eq!(export.await.unwrap().unwrap().rejected, 0);
    assert_eq!((sink.items(), rig.line("out").sent), (35, 35));
}

#[tokio::test(start_paused = true)]
async fn end_to_end_what_a_shutdown_leaves_is_refused() {
    let (rig, sink) = (Rig::new(), Sink::always(Step::Hang));
    let fanout = rig.fanout(vec![rig.direct("out", &sink)]);
    let batcher = rig.batcher_of(at_most(1), &fanout);
    let export = send(&batcher, logs(35));
    settle().await;
    batcher.drain(now() + seconds(1)).await;
    fanout.drain(now()).await;
    assert!(export.await.unwrap().unwrap_err().retry().is_retryable());
    settle().await;
    assert_eq!(rig.line("out").refused, 35);
}

#[tokio::test(start_paused = true)]
async fn parts_are_charged() {
    for mut rig in Rig::with_each_queue() {
        let budget = ByteBudget::new(1 << 20);
        let (body, _) = logs(1000).into_parts();
        let charge = budget.try_charge(body.len() as u64).unwrap();
        let whole = charge.bytes();
        let batch = Batch::new(body, charge);
        let sink = Sink::always(Step::Hang);
        let destination = rig.queued("out", &sink, queue(3, 1));
        let batcher = rig.batcher(at_most(100), vec![destination]);
        batcher.export(batch).await.unwrap();
        settle().await;
        // The whole, and copies: the part on its way, three that wait and the next one.
        let used = budget.used();
        assert!(used >= whole + 5 * whole / 10 && used <= whole + 6 * whole / 10, "{used} of {whole}");
        drop(batcher);
        rig.queues.clear();
        settle().await;
        assert_eq!(budget.used(), 0);
    }
}

/// What a resource says is repeated in each part: 1 MiB 400 times, once.
#[tokio::test(start_paused = true)]
async fn parts_do_not_multiply_what_is_sent() {
    let (mut resource, mut group, mut scope, mut body) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    put_len_delimited(&mut resource, 9, &vec![b'x'; 1 << 20]);
    put_len_delimited(&mut group, 1, &resource);
    for _ in 0..40_000 {
        put_len_delimited(&mut scope, 2, b"");
    }
    put_len_delimited(&mut group, 2, &scope);
    put_len_delimited(&mut body, 1, &group);
    let count = Count { items: 40_000, entries: 40_000 };
    let batch = Batch::unchecked(otlp_protocol::Signal::LOGS, body, count, true, Charge::none());
    let mut rig = Rig::new();
    let sink = Sink::default();
    let destination = rig.queued("out", &sink, queue(3, 1));
    let batcher = rig.batcher(at_most(100), vec![destination]);
    batcher.export(batch).await.unwrap();
    while sink.items() < 40_000 {
        pass(seconds(1)).await;
    }
    let sent: usize = sink.bodies().iter().map(|body| body.len()).sum();
    assert!(sent < 80 << 20, "{sent}");
    assert_eq!(rig.line("out").sent, 40_000);
}
