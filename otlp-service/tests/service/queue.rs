//! The contract of queues: what becomes of items when a commit takes time, fails or panics. That a commit which takes time
//! changes nothing else is tested where rigs come `with_each_queue`.

use crate::harness::*;
use crate::slow_queue::{Commit, Commits};
use otlp_protocol::{ErrorKind, Retry};
use otlp_service::{DropReason, FanOut};
use otlp_transport::Export;
use std::sync::Arc;

/// A rig of two destinations behind queues; the commits to the first are scripted.
fn rig(waits: bool, script: impl IntoIterator<Item = Commit>) -> (Rig, [Sink; 2], FanOut) {
    let (mut rig, sinks) = (Rig::new(), [Sink::default(), Sink::default()]);
    let mut config = queue(10, 1);
    config.wait_for_result = waits;
    let commits = Commits::default();
    script.into_iter().for_each(|commit| commits.then(commit));
    rig.commits = Some(commits);
    let first = rig.queued("a", &sinks[0], config.clone());
    rig.commits = None;
    let second = rig.queued("b", &sinks[1], config);
    let fanout = rig.fanout(vec![first, second]);
    (rig, sinks, fanout)
}

const FULL_DISK: Commit = Commit::Fail(Retry::Backoff);
const BROKEN_DISK: Commit = Commit::Fail(Retry::Never);

#[tokio::test(start_paused = true)]
async fn a_commit_that_fails_is_an_error_of_its_destination_alone() {
    for waits in [false, true] {
        for (commit, kind, retryable) in [
            (FULL_DISK, ErrorKind::Unavailable, true),
            (BROKEN_DISK, ErrorKind::Unavailable, false),
            (Commit::Panic, ErrorKind::Internal, false),
            (Commit::PanicLater, ErrorKind::Internal, false),
        ] {
            let (rig, sinks, fanout) = rig(waits, [commit]);
            let error = fanout.export(logs(5)).await.unwrap_err();
            assert_eq!((error.kind(), error.retry().is_retryable()), (kind, retryable), "{commit:?}");
            pass(seconds(1)).await;
            let (a, b) = (rig.line("a"), rig.line("b"));
            assert_eq!((a.accepted, a.refused, b.accepted, b.sent, b.refused), (0, 5, 5, 5, 0));
            // The slot is free again.
            for _ in 0..20 {
                fanout.export(logs(1)).await.unwrap();
                settle().await;
            }
            assert_eq!((sinks[0].items(), sinks[1].items()), (20, 25));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn memory_is_answered_with_the_commit() {
    let (rig, _, fanout) = rig(false, [Commit::Slow(seconds(5))]);
    let started = now();
    let export = send(&Arc::new(fanout), logs(5));
    pass(seconds(4)).await;
    assert_eq!((export.is_finished(), rig.line("a").accepted, rig.line("b").sent), (false, 0, 5));
    export.await.unwrap().unwrap();
    assert_eq!(now() - started, seconds(5));
    settle().await;
    assert_eq!((rig.line("a").accepted, rig.line("a").sent), (5, 5));
}

#[tokio::test(start_paused = true)]
async fn a_commit_whose_caller_leaves_goes_on() {
    for (drained, sent) in [(10, 5), (1, 0)] {
        let (rig, _, fanout) = rig(false, [Commit::Slow(seconds(5))]);
        let fanout = Arc::new(fanout);
        let export = send(&fanout, logs(5));
        pass(seconds(1)).await;
        export.abort();
        settle().await;
        fanout.drain(now() + seconds(drained)).await;
        rig.queues[0].drain(now() + seconds(1)).await;
        let line = rig.line("a");
        assert_eq!((line.sent, line.refused), (sent, 5 - sent));
    }
}

/// What was answered for is committed again, where that failed, and is accounted for all the time.
#[tokio::test(start_paused = true)]
async fn what_was_answered_for_is_committed_until_it_is_taken() {
    let script = [FULL_DISK, Commit::Fail(Retry::After(seconds(7))), FULL_DISK, Commit::Slow(seconds(3))];
    let (rig, sinks, fanout) = rig(false, script);
    let batcher = rig.batcher_of(batch_config(), &fanout);
    batcher.export(logs(100)).await.unwrap();
    for _ in 0..9 {
        settle().await;
        let (a, b) = (rig.line("a"), rig.line("b"));
        assert_eq!((a.accepted, a.queued, a.refused), (100, 100, 0));
        assert_eq!((b.accepted, b.sent), (100, 100));
        pass(seconds(1)).await;
    }
    pass(seconds(9)).await;
    let line = rig.line("a");
    assert_eq!((line.accepted, line.sent, line.refused), (100, 100, 0));
    assert_eq!((sinks[0].sizes(), sinks[1].sizes()), (vec![100], vec![100]));
}

#[tokio::test(start_paused = true)]
async fn what_was_answered_for_and_is_not_taken_is_dropped_there_alone() {
    for commit in [BROKEN_DISK, Commit::Panic, Commit::PanicLater] {
        let (rig, sinks, fanout) = rig(false, [commit]);
        fanout.patient().export(logs(5)).await.unwrap();
        settle().await;
        let (a, b) = (rig.line("a"), rig.line("b"));
        assert_eq!((a.accepted, a.dropped_for(DropReason::Permanent), a.refused), (5, 5, 0), "{commit:?}");
        assert_eq!((b.accepted, b.sent, sinks[1].items()), (5, 5, 5));
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_what_is_committed_again_and_again() {
    let (rig, _, fanout) = rig(false, [FULL_DISK; 100]);
    fanout.patient().export(logs(5)).await.unwrap();
    pass(seconds(20)).await;
    assert_eq!(rig.line("a").queued, 5);
    fanout.drain(now() + seconds(1)).await;
    let line = rig.line("a");
    assert_eq!((line.accepted, line.queued, line.dropped_for(DropReason::Shutdown)), (5, 0, 5));
}

/// What was answered for goes to a destination without a queue some batches at a time, and is accepted at once.
#[tokio::test(start_paused = true)]
async fn a_patient_fanout_bounds_what_is_under_way_without_a_queue() {
    let (rig, sink) = (Rig::new(), Sink::always(Step::Slow(seconds(1))));
    let fanout = rig.fanout(vec![rig.direct("a", &sink)]);
    let patient = Arc::new(fanout.patient());
    let exports: Vec<_> = (0..25).map(|_| send(&patient, logs(1))).collect();
    settle().await;
    let done = || exports.iter().filter(|export| export.is_finished()).count();
    assert_eq!((done(), sink.attempts(), rig.line("a").in_flight), (10, 10, 10));
    pass(seconds(1)).await;
    settle().await;
    assert_eq!((done(), rig.line("a").sent), (20, 10));
    pass(seconds(3)).await;
    assert_eq!((rig.line("a").sent, rig.line("a").accepted), (25, 25));
}
