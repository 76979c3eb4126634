//! When an export is answered: design rules "the returned future is the acknowledgement" and "ack rules".

use crate::harness::*;
use otlp_protocol::{Accepted, ErrorKind, Retry};
use otlp_service::{DropReason, OnFull};
use otlp_transport::Export;
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn memory_answers_on_admission() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::always(Step::Hang);
        let destination = rig.queued("out", &sink, queue(10, 1));
        let fanout = rig.fanout(vec![destination]);
        for _ in 0..3 {
            assert_eq!(fanout.export(logs(5)).await.unwrap(), Accepted::FULL);
        }
        settle().await;
        let line = rig.line("out");
        assert_eq!((line.accepted, line.in_flight, line.queued), (15, 5, 10));
        assert_eq!(sink.attempts(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn end_to_end_waits_for_the_destination() {
    let mut waiting = queue(10, 1);
    waiting.wait_for_result = true;
    for with_queue in [false, true] {
        for mut rig in Rig::with_each_queue() {
            let sink = Sink::scripted([Step::Slow(seconds(3)), DENIED]);
            let destination =
                if with_queue { rig.queued("out", &sink, waiting.clone()) } else { rig.direct("out", &sink) };
            let fanout = Arc::new(rig.fanout(vec![destination]));
            let started = now();
            let export = send(&fanout, logs(5));
            pass(seconds(2)).await;
            assert_eq!((export.is_finished(), rig.line("out").accepted), (false, 0));
            assert_eq!(export.await.unwrap().unwrap(), Accepted::FULL);
            assert_eq!(now() - started, seconds(3));

            let error = fanout.export(logs(7)).await.unwrap_err();
            assert_eq!((error.kind(), error.message()), (ErrorKind::PermissionDenied, "not yours"));
            let line = rig.line("out");
            assert_eq!((line.accepted, line.sent, line.refused), (5, 5, 7), "with_queue: {with_queue}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_retryably_with_a_delay() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::always(Step::Hang);
        let destination = rig.queued("out", &sink, queue(2, 1));
        let fanout = rig.fanout(vec![destination]);
        fanout.export(logs(1)).await.unwrap();
        settle().await;
        fanout.export(logs(1)).await.unwrap();
        fanout.export(logs(1)).await.unwrap();
        let error = fanout.export(logs(4)).await.unwrap_err();
        assert_eq!(error.message(), "sending queue is full");
        assert!(matches!(error.retry(), Retry::After(delay) if !delay.is_zero()));
        let line = rig.line("out");
        assert_eq!((line.accepted, line.refused, line.in_flight, line.queued), (3, 4, 1, 2));
        assert_eq!(rig.metric("otelcol_exporter_enqueue_failed_log_records"), 4.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_blocks_makes_the_sender_wait() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::scripted([Step::Slow(seconds(5))]);
        let mut config = queue(1, 1);
        config.on_full = OnFull::Block;
        let destination = rig.queued("out", &sink, config);
        let fanout = Arc::new(rig.fanout(vec![destination]));
        fanout.export(logs(1)).await.unwrap();
        settle().await;
        fanout.export(logs(1)).await.unwrap();
        let started = now();
        let impatient = send(&fanout, logs(1));
        let patient = send(&fanout, logs(1));
        settle().await;
        impatient.abort();
        patient.await.unwrap().unwrap();
        assert_eq!(now() - started, seconds(5));
        pass(seconds(1)).await;
        // The items of the one that went away before admission stayed its own.
        let line = rig.line("out");
        assert_eq!((line.accepted, line.sent, line.refused), (3, 3, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_batch_occupies_no_slot_and_a_batch_that_waits_for_one_refuses_others() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::always(Step::Hang);
        let destination = rig.queued("out", &sink, queue(1, 1));
        let other = rig.fanout(vec![destination.with_account(rig.ledger.account("logs/other", "out"))]);
        let batcher = rig.batcher(batch_config(), vec![destination]);
        batcher.export(logs(10)).await.unwrap();
        other.export(logs(1)).await.unwrap();
        settle().await;
        // Sent after its timeout: one batch of another pipeline is on its way, this one has the slot.
        pass(seconds(2)).await;
        assert_eq!((rig.line("out").queued, rig.queues[0].len()), (10, 1));
        let error = batcher.export(logs(90)).await.unwrap_err();
        assert_eq!(error.message(), "sending queue is full");
        let error = batcher.export(unmergeable(3)).await.unwrap_err();
        assert_eq!(error.message(), "sending queue is full");
        let line = rig.line("out");
        assert_eq!((line.accepted, line.queued, line.refused), (10, 10, 93));
    }
}

#[tokio::test(start_paused = true)]
async fn an_export_whose_caller_leaves_settles_by_itself() {
    let mut waiting = queue(10, 1);
    waiting.wait_for_result = true;
    for with_queue in [false, true] {
        for mut rig in Rig::with_each_queue() {
            let sink = Sink::scripted([Step::Slow(seconds(5))]);
            let destination =
                if with_queue { rig.queued("out", &sink, waiting.clone()) } else { rig.direct("out", &sink) };
            let fanout = Arc::new(rig.fanout(vec![destination]));
            let export = send(&fanout, logs(5));
            pass(seconds(1)).await;
            export.abort();
            assert!(export.await.is_err());
            assert_eq!(sink.items(), 0);
            pass(seconds(5)).await;
            let line = rig.line("out");
            assert_eq!((sink.items(), line.accepted, line.sent), (5, 5, 5), "with_queue: {with_queue}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_an_exporter_costs_one_batch() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::scripted([Step::Panic, Step::Accept]);
        let destination = rig.queued("out", &sink, queue(10, 1));
        let fanout = rig.fanout(vec![destination]);
        fanout.export(logs(5)).await.unwrap();
        fanout.export(logs(6)).await.unwrap();
        pass(seconds(1)).await;
        let line = rig.line("out");
        assert_eq!((line.dropped_for(DropReason::Permanent), line.sent), (5, 6));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_outlives_the_senders_deadline() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::scripted([UNAVAILABLE]);
        let destination = rig.retried("out", &sink, queue(10, 1), retry_config());
        let fanout = rig.fanout(vec![destination]);
        let mut batch = logs(5);
        batch.deadline = Some(now() + seconds(1) / 2);
        fanout.export(batch).await.unwrap();
        pass(seconds(2)).await;
        assert_eq!(rig.line("out").sent, 5);
    }
}

#[tokio::test(start_paused = true)]
async fn too_large_a_rejected_count_is_clamped() {
    let (rig, sink) = (Rig::new(), Sink::scripted([Step::Reject(u64::MAX, "no")]));
    let fanout = rig.fanout(vec![rig.direct("out", &sink)]);
    let accepted = fanout.export(logs(5)).await.unwrap();
    assert_eq!((accepted.rejected, accepted.message.as_str()), (5, "no"));
    let line = rig.line("out");
    assert_eq!((line.accepted, line.sent, line.rejected), (5, 0, 5));
}
