//! Batches that are refused for good: what is good of them arrives, and what is not is counted.

use crate::harness::*;
use otlp_protocol::{ErrorKind, Retry, Signal};
use otlp_service::{DropReason, ExponentialBackoffRetry, LedgerLine, PartlyDelivered, RetryConfig};
use otlp_transport::Export;
use std::time::Duration;

fn retry(config: RetryConfig, sink: &Sink) -> ExponentialBackoffRetry<Sink> {
    ExponentialBackoffRetry::new(config, clock(), sink.clone()).with_seed(7)
}

fn refused(kind: ErrorKind, text: &'static str) -> Step {
    Step::Fail(kind, Retry::Never, text)
}

/// Sends a batch in memory mode and waits until it has settled.
async fn in_memory(sink: &Sink, batch: otlp_protocol::Batch) -> LedgerLine {
    let mut rig = Rig::new();
    let destination = rig.retried("out", sink, queue(10, 1), retry_config());
    rig.fanout(vec![destination]).export(batch).await.unwrap();
    pass(seconds(200)).await;
    rig.line("out")
}

#[tokio::test(start_paused = true)]
async fn innocents_of_a_merged_batch_arrive() {
    for in_memory in [true, false] {
        let (mut rig, sink) = (Rig::new(), Sink::default());
        sink.when_holding("[5]", refused(ErrorKind::InvalidData, "invalid TraceID length"));
        let destination = if in_memory {
            rig.retried("out", &sink, queue(10, 1), retry_config())
        } else {
            rig.retried_direct("out", &sink)
        };
        let batcher = rig.batcher(batch_config(), vec![destination]);
        let exports: Vec<_> = (0..6).map(|number| send(&batcher, numbered(number..number + 1))).collect();
        pass(seconds(2)).await;
        for export in exports {
            let accepted = export.await.unwrap().unwrap();
            // Whose item it is, nobody can tell the senders.
            assert_eq!(accepted.rejected, 0);
            assert_eq!(accepted.message.is_empty(), in_memory, "{}", accepted.message);
        }
        let line = rig.line("out");
        let expect = if in_memory { (6, 5, 0, 1) } else { (6, 5, 1, 0) };
        let permanent = line.dropped_for(DropReason::Permanent);
        assert_eq!((line.accepted, line.sent, line.rejected, permanent), expect);
        assert_eq!(sink.items(), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn only_refusals_that_can_be_about_the_content_are_bisected() {
    // A text says nothing: one 401 that spoke of sizes once made 127 requests.
    let text = "request body too large: larger than max";
    for (kind, is_bisected) in [
        (ErrorKind::InvalidData, true),
        (ErrorKind::TooLarge, true),
        (ErrorKind::Exhausted, true),
        (ErrorKind::Internal, true),
        (ErrorKind::Unauthenticated, false),
        (ErrorKind::PermissionDenied, false),
        (ErrorKind::Unimplemented, false),
        (ErrorKind::UnsupportedMediaType, false),
        (ErrorKind::UnsupportedEncoding, false),
        (ErrorKind::Cancelled, false),
        (ErrorKind::Loop, false),
    ] {
        let sink = Sink::default();
        sink.when_holding("[3]", refused(kind, text));
        let line = in_memory(&sink, numbered(0..8)).await;
        let expect = if is_bisected { (7, 7, 1) } else { (1, 0, 8) };
        let too_large = kind == ErrorKind::TooLarge;
        let reason = if too_large { DropReason::TooLarge } else { DropReason::Permanent };
        assert_eq!((sink.attempts(), line.sent, line.dropped_for(reason)), expect, "{kind:?}");
    }
    // What says that it may be sent again is sent again, whole.
    let sink = Sink::scripted([Step::Fail(ErrorKind::Unavailable, Retry::Backoff, text)]);
    let line = in_memory(&sink, numbered(0..8)).await;
    assert_eq!((sink.sizes(), line.sent), (vec![8], 8));
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_cut_until_it_fits() {
    let sink = Sink::taking_at_most(3);
    let whole = logs(10);
    let body = whole.body().plain().to_contiguous();
    let accepted = retry(no_retry(), &sink).export(whole).await.unwrap();
    assert_eq!((accepted.rejected, sink.items()), (0, 10));
    assert!(sink.sizes().iter().all(|&items| items <= 3), "{:?}", sink.sizes());
    let parts: Vec<u8> = sink.bodies().concat();
    let joined = otlp_protocol::count(Signal::LOGS, &parts).unwrap();
    assert_eq!(joined, otlp_protocol::count(Signal::LOGS, &body).unwrap());
}

#[tokio::test(start_paused = true)]
async fn each_item_that_is_too_large_is_found() {
    let too_large = || refused(ErrorKind::TooLarge, "too large");
    // One item, at each end and within; a row of items, and many that are scattered.
    let cases: [Vec<u64>; 5] = [
        vec![0],
        vec![4711],
        vec![8191],
        (0..40).collect(),
        (0..40).chain((1..60).map(|number| number * 130)).collect(),
    ];
    for bad in cases {
        let sink = Sink::default();
        bad.iter().for_each(|bad| sink.when_holding(&format!("[{bad}]"), too_large()));
        let line = in_memory(&sink, numbered(0..8192)).await;
        let found = bad.len() as u64;
        assert_eq!((line.sent, line.dropped_for(DropReason::TooLarge)), (8192 - found, found));
        assert_eq!(line.dropped_items(), found);
        // Each level of halves costs two requests for each item at most.
        assert!(sink.attempts() <= bad.len() * 2 * 13 + 1, "{} for {found}", sink.attempts());
    }
    // Hundreds of parts that fit, below six levels that do not.
    let sink = Sink::taking_at_most(64);
    let line = in_memory(&sink, logs(8192)).await;
    assert_eq!((line.sent, sink.attempts()), (8192, 255));
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_accepts_no_size_gets_64_requests() {
    let sink = Sink::always(refused(ErrorKind::TooLarge, "too large"));
    let line = in_memory(&sink, logs(8192)).await;
    assert_eq!((line.dropped_for(DropReason::TooLarge), line.dropped_items()), (8192, 8192));
    assert_eq!(sink.attempts(), 63);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_refuses_everything_gets_64_requests() {
    for items in [1, 2, 1000] {
        let sink = Sink::always(INVALID);
        let error = retry(retry_config(), &sink).export(logs(items)).await.unwrap_err();
        // As if it had never been cut.
        assert_eq!((error.message(), error.retry()), ("not to my taste", Retry::Never));
        assert!(PartlyDelivered::of(&error).is_none());
        let expect = if items < 1000 { 2 * items as usize - 1 } else { 63 };
        assert_eq!(sink.attempts(), expect);
        let line = in_memory(&Sink::always(INVALID), logs(items)).await;
        assert_eq!(line.dropped_for(DropReason::Permanent), items);
    }
    let unmergeable = retry(retry_config(), &Sink::always(INVALID)).export(unmergeable(9)).await;
    assert_eq!(unmergeable.unwrap_err().kind(), ErrorKind::InvalidData);
}

#[tokio::test(start_paused = true)]
async fn the_largest_parts_go_first() {
    // More bad items than requests can find: what is left is small, and the rest has arrived.
    let sink = Sink::default();
    for bad in [1, 300, 301, 302, 303, 304, 305, 700] {
        sink.when_holding(&format!("[{bad}]"), INVALID);
    }
    let line = in_memory(&sink, numbered(0..1024)).await;
    assert!(sink.attempts() <= 64, "{}", sink.attempts());
    assert!(line.sent >= 1024 - 4 * 32, "{line:?}");
    assert_eq!(line.sent + line.dropped_for(DropReason::Permanent), 1024);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_fails_costs_no_other() {
    let sink = Sink::taking_at_most(4);
    sink.when_holding("[5]", UNAVAILABLE);
    sink.when_holding("[15]", INVALID);
    let line = in_memory(&sink, numbered(0..16)).await;
    assert_eq!((line.accepted, line.sent, sink.items()), (16, 11, 11));
    assert_eq!(line.dropped_for(DropReason::RetriesExhausted), 4);
    assert_eq!(line.dropped_for(DropReason::Permanent), 1);

    // A part that is down for a while is sent as soon as it can be; the others did not wait for it.
    let sink = Sink::taking_at_most(4);
    sink.when_holding("[5]", UNAVAILABLE);
    let recovering = sink.clone();
    tokio::spawn(async move {
        pass(seconds(5)).await;
        recovering.recover();
    });
    let started = now();
    let line = in_memory(&sink, numbered(0..16)).await;
    assert_eq!((line.sent, line.dropped_items()), (16, 0));
    let waits: Vec<_> = sink.times().iter().map(|&at| (at - started).as_secs()).collect();
    assert_eq!(waits, [0, 0, 0, 0, 0, 0, 0, 1, 3, 7]);
}

#[tokio::test(start_paused = true)]
async fn all_parts_share_the_time_of_the_batch() {
    let sink = Sink::taking_at_most(2);
    sink.when_holding("[", UNAVAILABLE);
    let started = now();
    let error = retry(retry_config(), &sink).export(numbered(0..16)).await.unwrap_err();
    assert_eq!((error.retry(), PartlyDelivered::of(&error).is_some()), (Retry::Backoff, false));
    assert!(now() - started <= seconds(60));
    let line = in_memory(&sink, numbered(0..16)).await;
    assert_eq!(line.dropped_for(DropReason::RetriesExhausted), 16);

    // Without retries, each part has its one attempt.
    let sink = Sink::taking_at_most(4);
    sink.when_holding("[5]", UNAVAILABLE);
    let error = retry(no_retry(), &sink).export(numbered(0..16)).await.unwrap_err();
    let fates = PartlyDelivered::of(&error).unwrap();
    assert_eq!((fates.sent, fates.failed, fates.refused), (12, 4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_heeded_between_parts() {
    let sink = Sink::taking_at_most(4);
    sink.then(Step::Accept);
    sink.then(Step::Fail(ErrorKind::Unavailable, Retry::After(seconds(10)), "busy"));
    let started = now();
    retry(retry_config(), &sink).export(numbered(0..16)).await.unwrap();
    let late: Vec<_> = sink.times().iter().map(|&at| at - started > seconds(9)).collect();
    assert_eq!(late, [false, false, false, false, true, true, true, true]);
    assert_eq!(sink.items(), 16);

    // One that is longer than there is time leaves the rest to be sent again.
    let sink = Sink::taking_at_most(4);
    sink.then(Step::Accept);
    sink.then(Step::Fail(ErrorKind::Unavailable, Retry::After(seconds(1000)), "busy"));
    let line = in_memory(&sink, numbered(0..16)).await;
    assert_eq!((line.sent, line.dropped_for(DropReason::RetriesExhausted), sink.attempts()), (4, 12, 4));
}

#[tokio::test(start_paused = true)]
async fn end_to_end_the_answer_is_sound() {
    let (rig, sink) = (Rig::new(), Sink::taking_at_most(4));
    let fanout = rig.fanout(vec![rig.retried_direct("out", &sink)]);
    // Refused in part: the sender is told how many, and why.
    sink.when_holding("[5]", INVALID);
    sink.then(Step::Reject(2, "two of them"));
    let accepted = fanout.export(numbered(0..16)).await.unwrap();
    assert_eq!((accepted.rejected, accepted.message.as_str()), (3, "two of them; not to my taste"));
    let line = rig.line("out");
    assert_eq!((line.accepted, line.sent, line.rejected, line.refused), (16, 13, 3, 0));
    // Failed in part: all of it may be sent again, and arrives twice in part.
    sink.recover();
    sink.when_holding("[5]", UNAVAILABLE);
    let error = fanout.export(numbered(0..16)).await.unwrap_err();
    assert!(error.retry().is_retryable());
    assert!(
        error.message().starts_with("12 items sent, 0 rejected, 0 refused for good, 4 failed"),
        "{error}"
    );
    let line = rig.line("out");
    assert_eq!((line.accepted, line.sent, line.refused), (28, 25, 4));
}

#[tokio::test(start_paused = true)]
async fn a_sender_who_leaves_amid_a_bisection_changes_nothing() {
    let (rig, sink) = (Rig::new(), Sink::taking_at_most(1));
    sink.then(Step::Slow(Duration::from_secs(3)));
    let fanout = std::sync::Arc::new(rig.fanout(vec![rig.retried_direct("out", &sink)]));
    let export = send(&fanout, numbered(0..2));
    settle().await;
    export.abort();
    pass(seconds(5)).await;
    assert_eq!((rig.line("out").sent, sink.items()), (2, 2));
}
