//! Requests joined to batches, in both delivery modes.

use crate::harness::*;
use otlp_protocol::{ByteBudget, ErrorKind, Retry};
use otlp_service::{BatchConfig, BatchProcessor};
use otlp_transport::Export;
use std::sync::Arc;
use std::time::Duration;

/// A batch processor in front of one destination, in memory or end_to_end.
fn batcher(rig: &mut Rig, in_memory: bool, config: BatchConfig, sink: &Sink) -> Arc<BatchProcessor> {
    let destination =
        if in_memory { rig.queued("out", sink, queue(100, 1)) } else { rig.direct("out", sink) };
    rig.batcher(config, vec![destination])
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_is_sent_at_once() {
    for in_memory in [true, false] {
        let (mut rig, sink) = (Rig::new(), Sink::default());
        let batcher = batcher(&mut rig, in_memory, batch_config(), &sink);
        let started = now();
        let exports: Vec<_> = (0..25).map(|_| send(&batcher, logs(10))).collect();
        settle().await;
        // Not cut at 100, nor beyond what makes it full.
        assert_eq!((sink.sizes(), now()), (vec![100, 100], started));
        pass(seconds(2)).await;
        assert_eq!(sink.sizes(), [100, 100, 50]);
        for export in exports {
            export.await.unwrap().unwrap();
        }
        assert_eq!(rig.line("out").sent, 250);
        assert_eq!(rig.metric("otelcol_processor_batch_batch_size_trigger_send"), 2.0);
        assert_eq!(rig.metric("otelcol_processor_batch_timeout_trigger_send"), 1.0);
        assert_eq!(rig.metric("otelcol_processor_incoming_items"), 250.0);
        assert_eq!(rig.metric("otelcol_processor_outgoing_items"), 250.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_joined_batch_is_the_concatenation() {
    let (mut rig, sink) = (Rig::new(), Sink::default());
    let batcher = batcher(&mut rig, true, batch_config(), &sink);
    let bodies = [logs_of(3, 5), logs_of(1, 9000), logs_of(2, 7)];
    let expect = bodies.each_ref().map(|batch| batch.body().plain().to_contiguous()).concat();
    for batch in bodies {
        batcher.export(batch).await.unwrap();
    }
    pass(seconds(2)).await;
    assert_eq!(sink.bodies(), [expect]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_waits_no_longer_than_the_timeout() {
    let (mut rig, sink) = (Rig::new(), Sink::default());
    let batcher = batcher(&mut rig, true, batch_config(), &sink);
    let started = now();
    for (wait, items) in [(0, 1), (600, 2), (600, 3), (3000, 4)] {
        pass(Duration::from_millis(wait)).await;
        batcher.export(logs(items)).await.unwrap();
    }
    pass(seconds(2)).await;
    let times: Vec<_> = sink.times().into_iter().map(|at| (at - started).as_millis()).collect();
    assert_eq!(sink.sizes(), [3, 3, 4]);
    for (at, expect) in times.iter().zip([1000, 2200, 5200]) {
        assert!((expect..expect + 5).contains(at), "{times:?}");
    }
    rig.line("out");
}

#[tokio::test(start_paused = true)]
async fn without_a_timeout_every_request_goes_alone() {
    let (mut rig, sink) = (Rig::new(), Sink::default());
    let mut config = batch_config();
    config.timeout = Duration::ZERO;
    let batcher = batcher(&mut rig, true, config, &sink);
    for _ in 0..3 {
        batcher.export(logs(2)).await.unwrap();
    }
    settle().await;
    assert_eq!(sink.sizes(), [2, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn batches_are_cut_between_requests_and_requests_only_if_too_large() {
    // (max items, max bytes, requests as (items, bytes of text), the batches sent)
    let small = logs_of(10, 100).len();
    let table = [
        (0, 2 * small, vec![(10, 100); 5], vec![20, 20, 10]),
        (0, 2 * small + small / 2, vec![(10, 100); 5], vec![20, 20, 10]),
        (25, 0, vec![(10, 1); 5], vec![20, 20, 10]),
        (25, 0, vec![(10, 1), (60, 1), (10, 1)], vec![25, 25, 10, 20]),
        (0, small, vec![(30, 100)], vec![9, 9, 9, 3]),
        (0, 50, vec![(2, 100)], vec![1, 1]),
    ];
    for (max_items, max_bytes, requests, expect) in table {
        for in_memory in [true, false] {
            let (mut rig, sink) = (Rig::new(), Sink::default());
            let mut config = batch_config();
            (config.send_batch_max_size, config.max_bytes) = (max_items, max_bytes);
            let batcher = batcher(&mut rig, in_memory, config, &sink);
            for &(items, text) in &requests {
                drop(send(&batcher, logs_of(items, text)));
                settle().await;
            }
            pass(seconds(2)).await;
            let total: u64 = requests.iter().map(|(items, _)| items).sum();
            let sizes = sink.sizes();
            assert_eq!((sink.items(), rig.line("out").sent), (total, total));
            assert!(max_items == 0 || sizes.iter().all(|&items| items <= max_items), "{sizes:?}");
            if max_bytes == 0 || requests.len() > 1 {
                assert_eq!(sizes, expect, "{max_items} {max_bytes} {requests:?}");
            } else {
                assert!(sizes.len() >= expect.len() - 1, "{sizes:?}");
                assert!(sink.bodies().iter().all(|body| body.len() <= max_bytes || sizes == [1, 1]));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_merged_passes_whole() {
    for in_memory in [true, false] {
        let (mut rig, sink) = (Rig::new(), Sink::default());
        let batcher = batcher(&mut rig, in_memory, batch_config(), &sink);
        let held = send(&batcher, logs(1));
        settle().await;
        batcher.export(unmergeable(500)).await.unwrap();
        settle().await;
        assert_eq!(sink.sizes(), [500]);
        held.await.unwrap().unwrap();
        pass(seconds(2)).await;
        assert_eq!((sink.sizes(), rig.line("out").sent), (vec![500, 1], 501));
        assert_eq!(rig.metric("otelcol_processor_batch_unmergeable"), 1.0);
    }
}

#[tokio::test(start_paused = true)]
async fn origins_are_kept_apart_and_bounded() {
    let (mut rig, sink) = (Rig::new(), Sink::default());
    let mut config = batch_config();
    config.metadata_cardinality_limit = 2;
    let batcher = batcher(&mut rig, true, config, &sink);
    for (items, tenant) in [(1, "a"), (2, "b"), (4, "a"), (8, "b")] {
        batcher.export(from_tenant(items, tenant)).await.unwrap();
    }
    let error = batcher.export(from_tenant(16, "c")).await.unwrap_err();
    assert!(matches!((error.kind(), error.retry()), (ErrorKind::Exhausted, Retry::After(_))));
    assert_eq!(rig.metric("otelcol_processor_batch_metadata_cardinality"), 2.0);
    pass(seconds(2)).await;
    let mut sizes = sink.sizes();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 10]);
    batcher.export(from_tenant(16, "c")).await.unwrap();
    assert_eq!((rig.line("out").refused, rig.line("out").accepted), (16, 31));
}

#[tokio::test(start_paused = true)]
async fn end_to_end_one_failure_answers_all_who_wait() {
    let (mut rig, sink) = (Rig::new(), Sink::scripted([UNAVAILABLE, INVALID]));
    let batcher = batcher(&mut rig, false, batch_config(), &sink);
    for retryable in [true, false] {
        let exports: Vec<_> = (0..3).map(|_| send(&batcher, logs(10))).collect();
        settle().await;
        assert!(exports.iter().all(|export| !export.is_finished()));
        for export in exports {
            assert_eq!(export.await.unwrap().unwrap_err().retry().is_retryable(), retryable);
        }
    }
    let line = rig.line("out");
    assert_eq!((line.accepted, line.refused), (0, 60));
}

#[tokio::test(start_paused = true)]
async fn end_to_end_a_retryable_part_makes_the_answer_retryable() {
    let (mut rig, sink) = (Rig::new(), Sink::scripted([Step::Accept, INVALID, UNAVAILABLE, Step::Accept]));
    let mut config = batch_config();
    config.send_batch_max_size = 10;
    let batcher = batcher(&mut rig, false, config, &sink);
    let error = batcher.export(logs(40)).await.unwrap_err();
    assert_eq!(error.message(), "out of order");
    // What was delivered counts, though the sender will send it again.
    let line = rig.line("out");
    assert_eq!((line.sent, line.refused), (20, 20));
}

#[tokio::test(start_paused = true)]
async fn end_to_end_partial_rejection_is_attributed_only_where_it_can_be() {
    let (mut rig, sink) = (Rig::new(), Sink::scripted([Step::Reject(4, "bad"), Step::Reject(4, "bad")]));
    let batcher = batcher(&mut rig, false, batch_config(), &sink);
    let exports: Vec<_> = (0..2).map(|_| send(&batcher, logs(10))).collect();
    for export in exports {
        let accepted = export.await.unwrap().unwrap();
        assert_eq!((accepted.rejected, accepted.message.as_str()), (0, "bad"));
    }
    assert_eq!((rig.line("out").sent, rig.line("out").rejected), (16, 4));
    let alone = batcher.export(logs(10)).await.unwrap();
    assert_eq!((alone.rejected, alone.message.as_str()), (4, "bad"));
    assert_eq!((rig.line("out").sent, rig.line("out").rejected), (22, 8));
}

#[tokio::test(start_paused = true)]
async fn end_to_end_rejections_of_a_requests_parts_add_up() {
    let (mut rig, sink) = (Rig::new(), Sink::scripted([Step::Reject(1, "a"), Step::Reject(2, "b")]));
    let mut config = batch_config();
    config.send_batch_max_size = 10;
    let accepted = batcher(&mut rig, false, config, &sink).export(logs(20)).await.unwrap();
    assert_eq!((accepted.rejected, accepted.message.as_str()), (3, "a; b"));
}

#[tokio::test(start_paused = true)]
async fn end_to_end_no_senders_leaving_takes_others_with_it() {
    let (mut rig, sink) = (Rig::new(), Sink::scripted([Step::Slow(seconds(5))]));
    let batcher = batcher(&mut rig, false, batch_config(), &sink);
    let patient = send(&batcher, logs(60));
    settle().await;
    // The one that makes the batch full leaves while it is being sent.
    let hasty = send(&batcher, logs(40));
    settle().await;
    assert_eq!(sink.attempts(), 1);
    hasty.abort();
    patient.await.unwrap().unwrap();
    assert_eq!((sink.sizes(), rig.line("out").sent), (vec![100], 100));
}

#[tokio::test(start_paused = true)]
async fn one_end_to_end_destination_makes_all_wait() {
    let mut rig = Rig::new();
    let (fast, slow) = (Sink::default(), Sink::scripted([Step::Slow(seconds(5))]));
    let destinations = vec![rig.queued("fast", &fast, queue(10, 1)), rig.direct("slow", &slow)];
    let batcher = rig.batcher(batch_config(), destinations);
    let started = now();
    batcher.export(logs(100)).await.unwrap();
    assert_eq!(now() - started, seconds(5));
    assert_eq!((rig.line("fast").sent, rig.line("slow").sent), (100, 100));
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_charged() {
    let (mut rig, sink) = (Rig::new(), Sink::always(Step::Hang));
    let budget = ByteBudget::new(1 << 20);
    let mut config = batch_config();
    config.send_batch_max_size = 10;
    let batcher = batcher(&mut rig, true, config, &sink);
    let charged = |items| {
        let (body, _) = logs(items).into_parts();
        otlp_protocol::Batch::new(body, budget.try_charge(1000).unwrap())
    };
    // Cut in four parts, which share the charge.
    batcher.export(charged(40)).await.unwrap();
    assert_eq!(budget.used(), 1000);
    settle().await;
    for queue in &rig.queues {
        queue.drain(&*clock(), now()).await;
    }
    assert_eq!(budget.used(), 0);
    rig.line("out");
}
