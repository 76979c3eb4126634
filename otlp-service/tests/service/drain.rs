//! The end: what is held is sent, within the time given, and what is left is told.

use crate::harness::*;
use otlp_service::{DropReason, OnFull};
use otlp_transport::Export;
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn a_drain_flushes_what_a_batcher_holds() {
    for in_memory in [true, false] {
        for mut rig in Rig::with_each_queue() {
            let sink = Sink::always(Step::Slow(seconds(2)));
            let destination =
                if in_memory { rig.queued("out", &sink, queue(10, 1)) } else { rig.direct("out", &sink) };
            let batcher = rig.batcher(batch_config(), vec![destination]);
            let export = send(&batcher, logs(5));
            settle().await;
            let started = now();
            batcher.drain(started + seconds(10)).await;
            for queue in &rig.queues {
                queue.drain(started + seconds(10)).await;
            }
            // Neither the batch's timeout nor the deadline is waited for.
            assert_eq!(now() - started, seconds(2));
            export.await.unwrap().unwrap();
            let refusal = batcher.export(logs(7)).await.unwrap_err();
            assert!(refusal.retry().is_retryable());
            let line = rig.line("out");
            assert_eq!((line.sent, line.refused, sink.items()), (5, 7, 5), "in_memory: {in_memory}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_goes_on_retrying_until_the_deadline() {
    for (outage, delivered) in [(5, true), (50, false)] {
        for mut rig in Rig::with_each_queue() {
            let sink = Sink::always(UNAVAILABLE);
            let destination = rig.retried("out", &sink, queue(10, 2), retry_config());
            let fanout = rig.fanout(vec![destination]);
            for _ in 0..4 {
                fanout.export(logs(5)).await.unwrap();
            }
            let recovering = sink.clone();
            tokio::spawn(async move {
                pass(seconds(outage)).await;
                recovering.recover();
            });
            let deadline = now() + seconds(10);
            let queue = rig.queues[0].clone();
            queue.drain(deadline).await;
            assert!(now() <= deadline + seconds(1) / 100);
            let line = rig.line("out");
            let expect = if delivered { (20, 0) } else { (0, 20) };
            assert_eq!((line.sent, line.dropped_for(DropReason::Shutdown)), expect);
            assert_eq!((line.queued, line.in_flight), (0, 0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_drained_queue_refuses_and_wakes_those_who_wait() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::scripted([Step::Slow(seconds(3))]);
        let mut blocking = queue(1, 1);
        blocking.on_full = OnFull::Block;
        let destination = rig.queued("out", &sink, blocking);
        let fanout = Arc::new(rig.fanout(vec![destination]));
        fanout.export(logs(1)).await.unwrap();
        settle().await;
        fanout.export(logs(1)).await.unwrap();
        let waiting = send(&fanout, logs(1));
        settle().await;
        rig.queues[0].drain(now() + seconds(10)).await;
        let refusal = waiting.await.unwrap().unwrap_err();
        assert_eq!(
            (refusal.message(), refusal.retry().is_retryable()),
            ("the gateway is shutting down", true)
        );
        let line = rig.line("out");
        assert_eq!((line.accepted, line.sent, line.refused), (2, 2, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_result_is_told_of_the_end() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::always(Step::Hang);
        let mut waiting = queue(10, 1);
        waiting.wait_for_result = true;
        let destination = rig.queued("out", &sink, waiting);
        let fanout = Arc::new(rig.fanout(vec![destination]));
        let exports = [send(&fanout, logs(1)), send(&fanout, logs(2))];
        settle().await;
        rig.queues[0].drain(now() + seconds(10)).await;
        for export in exports {
            assert!(export.await.unwrap().unwrap_err().retry().is_retryable());
        }
        let line = rig.line("out");
        assert_eq!((line.accepted, line.refused, line.dropped_items()), (0, 3, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_exports_whose_callers_left() {
    for (takes, sent) in [(5, 3), (50, 0)] {
        let (rig, sink) = (Rig::new(), Sink::scripted([Step::Slow(seconds(takes))]));
        let fanout = Arc::new(rig.fanout(vec![rig.direct("out", &sink)]));
        let export = send(&fanout, logs(3));
        settle().await;
        export.abort();
        settle().await;
        fanout.drain(now() + seconds(10)).await;
        let line = rig.line("out");
        assert_eq!((line.sent, line.refused), (sent, 3 - sent));
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_everything_settles_everything() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::always(Step::Hang);
        let destination = rig.queued("out", &sink, queue(10, 1));
        let batcher = rig.batcher(batch_config(), vec![destination]);
        for items in [100, 100, 5] {
            batcher.export(logs(items)).await.unwrap();
        }
        settle().await;
        let line = rig.line("out");
        assert_eq!((line.in_flight, line.queued), (100, 105));
        drop(batcher);
        rig.queues.clear();
        settle().await;
        assert_eq!(rig.line("out").dropped_for(DropReason::Shutdown), 205);
    }
}
