//! Batches made when a queue is read: answers, accounts and receipts of the entries in them.

use crate::harness::*;
use crate::queue_batches::batching;
use crate::receipts::Receipts;
use otlp_protocol::{Accepted, ErrorKind, Retry};
use otlp_service::{Destination, DropReason, FanOut, LedgerLine, QueueConfig};
use otlp_transport::{Export, ExportResult};
use std::sync::Arc;

/// The settings of a queue whose senders wait for the answer.
fn waiting(min_size: u64, max_size: u64) -> QueueConfig {
    let mut config = batching(1000, 2, min_size, max_size);
    config.wait_for_result = true;
    config
}

/// Sends batches of these sizes, whose senders wait, and returns their answers.
async fn answers(sink: &Sink, config: QueueConfig, sizes: &[u64]) -> (LedgerLine, Vec<ExportResult>) {
    let mut rig = Rig::new();
    let destination = rig.queued("out", sink, config);
    let fanout = Arc::new(rig.fanout(vec![destination]));
    let mut sent = Vec::new();
    for &items in sizes {
        sent.push(send(&fanout, logs(items)));
        settle().await;
    }
    pass(seconds(2)).await;
    let mut answers = Vec::new();
    for answer in sent {
        assert!(answer.is_finished());
        answers.push(answer.await.unwrap());
    }
    (rig.line("out"), answers)
}

fn accepted(answers: Vec<ExportResult>) -> Vec<Accepted> {
    answers.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(start_paused = true)]
async fn all_senders_get_the_answer_to_their_batch() {
    let (line, got) = answers(&Sink::default(), waiting(10, 0), &[4, 6]).await;
    assert_eq!((accepted(got), line.sent, line.accepted), (vec![Accepted::FULL; 2], 10, 10));

    // Whose items were rejected is unknown.
    let sink = Sink::scripted([Step::Reject(3, "too old")]);
    let (line, got) = answers(&sink, waiting(10, 0), &[4, 6]).await;
    let message = Accepted { rejected: 0, message: "too old".into() };
    assert_eq!((accepted(got), line.sent, line.rejected), (vec![message; 2], 7, 3));

    // A batch of one entry has one sender.
    let sink = Sink::scripted([Step::Reject(3, "too old")]);
    let (line, got) = answers(&sink, waiting(10, 0), &[4]).await;
    let rejected = Accepted { rejected: 3, message: "too old".into() };
    assert_eq!((accepted(got), line.sent, line.rejected), (vec![rejected], 1, 3));

    let (line, got) = answers(&Sink::always(UNAVAILABLE), waiting(10, 0), &[4, 6]).await;
    assert!(got.iter().all(|answer| answer.as_ref().is_err_and(|error| error.retry().is_retryable())));
    assert_eq!((line.accepted, line.refused, line.sent), (0, 10, 0));
}

#[tokio::test(start_paused = true)]
async fn a_sender_is_answered_when_all_parts_are_settled() {
    let sink = Sink::scripted([Step::Slow(seconds(1)), Step::Reject(2, "too old")]);
    let (line, got) = answers(&sink, waiting(10, 10), &[25]).await;
    assert_eq!(accepted(got), [Accepted { rejected: 2, message: "too old".into() }]);
    assert_eq!((sink.sizes(), line.sent, line.rejected, line.accepted), (vec![10, 10, 5], 23, 2, 25));

    // A retryable failure of a part is the answer; the other parts are sent.
    let sink = Sink::scripted([Step::Accept, UNAVAILABLE, DENIED]);
    let (line, got) = answers(&sink, waiting(10, 10), &[25]).await;
    let error = got[0].as_ref().unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unavailable, Retry::Backoff));
    assert_eq!((line.sent, line.refused), (10, 15));
}

/// A rig of two pipelines that share a queue.
fn shared(sink: &Sink, config: QueueConfig) -> (Rig, [FanOut; 2]) {
    let mut rig = Rig::new();
    let first = rig.queued("one", sink, config);
    let second = first.with_account(rig.ledger.account("logs", "other"));
    let fanouts = [rig.fanout(vec![first]), rig.fanout(vec![second])];
    (rig, fanouts)
}

#[tokio::test(start_paused = true)]
async fn pipelines_that_share_a_queue_keep_their_accounts() {
    for (step, expected) in [
        (Step::Accept, [(4, 0, 0), (6, 0, 0)]),
        // It is unknown whose items were rejected: the account of the first entry counts them.
        (Step::Reject(5, "too old"), [(0, 4, 0), (5, 1, 0)]),
        (DENIED, [(0, 0, 4), (0, 0, 6)]),
    ] {
        let sink = Sink::scripted([step]);
        let (rig, fanouts) = shared(&sink, batching(1000, 1, 10, 0));
        fanouts[0].export(logs(1)).await.unwrap();
        fanouts[1].export(logs(6)).await.unwrap();
        fanouts[0].export(logs(3)).await.unwrap();
        settle().await;
        assert_eq!(sink.attempts(), 1);
        let lines = [rig.line("one"), rig.line("other")];
        let outcomes = lines.map(|line| (line.sent, line.rejected, line.dropped_for(DropReason::Permanent)));
        assert_eq!(outcomes, expected);
    }
}

/// Items that a destination refuses for their content are found by bisection, and counted once.
#[tokio::test(start_paused = true)]
async fn a_bisected_batch_is_counted_in_all_accounts() {
    let sink = Sink::default();
    sink.when_holding("[2]", INVALID);
    let mut config = batching(1000, 1, 10, 0);
    for waits in [false, true] {
        config.wait_for_result = waits;
        let (rig, fanouts) = shared(&sink, config.clone());
        let [one, other] = fanouts.map(Arc::new);
        let sent = [send(&one, numbered(0..4)), send(&other, numbered(4..10))];
        settle().await;
        for answer in sent {
            assert!(answer.await.unwrap().is_ok());
        }
        let lines = [rig.line("one"), rig.line("other")];
        let dropped = lines.iter().map(|line| line.dropped_for(DropReason::Permanent) + line.rejected);
        assert_eq!(dropped.sum::<u64>(), 1);
        assert_eq!(lines.iter().map(|line| line.sent).sum::<u64>(), 9);
        one.export(logs(10)).await.unwrap();
        settle().await;
        assert_eq!(rig.line("one").queued, 0);
    }
}

fn stored(sink: &Sink, config: QueueConfig) -> (Rig, Receipts, FanOut) {
    let (mut rig, receipts) = (Rig::new(), Receipts::default());
    let destination: Destination = receipts.destination(&mut rig, sink, config, no_retry(), 1);
    let fanout = rig.fanout(vec![destination]);
    (rig, receipts, fanout)
}

#[tokio::test(start_paused = true)]
async fn the_receipts_of_all_entries_in_a_batch_are_settled() {
    for step in [Step::Accept, DENIED, UNAVAILABLE] {
        let (rig, receipts, fanout) = stored(&Sink::always(step), batching(1000, 1, 10, 0));
        for items in [4, 3, 5] {
            assert_eq!(receipts.ended(), (0, 0));
            fanout.export(logs(items)).await.unwrap();
            settle().await;
        }
        assert_eq!((receipts.ended(), rig.line("out").accepted), ((3, 3), 12));
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_in_parts_is_settled_after_its_last_part() {
    let sink = Sink::always(Step::Slow(seconds(1)));
    let (rig, receipts, fanout) = stored(&sink, batching(1000, 3, 10, 10));
    fanout.export(logs(25)).await.unwrap();
    pass(seconds(2)).await;
    settle().await;
    assert_eq!((receipts.ended(), sink.sizes()), ((0, 0), vec![10, 10]));
    pass(seconds(1)).await;
    settle().await;
    assert_eq!((receipts.ended(), rig.line("out").sent), ((1, 1), 25));
}

/// A shutdown settles nothing of what it cancels: the entries of a batch, an entry of which parts were sent, and what is joined.
#[tokio::test(start_paused = true)]
async fn a_shutdown_leaves_the_entries_of_batches_stored() {
    let sink = Sink::scripted([Step::Accept, Step::Hang, Step::Hang]);
    let (rig, receipts, fanout) = stored(&sink, batching(1000, 2, 10, 10));
    for items in [25, 5, 5, 3] {
        fanout.export(logs(items)).await.unwrap();
        settle().await;
    }
    rig.queues[0].drain(now() + seconds(3)).await;
    assert_eq!(receipts.ended(), (0, 4));
    let line = rig.line("out");
    assert_eq!((line.sent, line.accepted, line.queued, line.in_flight), (10, 10, 0, 0));
    assert_eq!(line.dropped_for(DropReason::Shutdown), 0);
}

#[tokio::test(start_paused = true)]
async fn items_of_a_joined_batch_are_counted_by_the_reason_for_which_they_are_refused() {
    let sink = Sink::default();
    sink.when_holding("[3]", INVALID);
    sink.when_holding("[12]", Step::Fail(ErrorKind::TooLarge, Retry::Never, "too large"));
    let mut rig = Rig::new();
    let destination = rig.queued("out", &sink, batching(1000, 1, 16, 0));
    let fanout = rig.fanout(vec![destination]);
    for numbers in [0..8, 8..16] {
        fanout.export(numbered(numbers)).await.unwrap();
    }
    pass(seconds(2)).await;
    let line = rig.line("out");
    let (permanent, too_large) =
        (line.dropped_for(DropReason::Permanent), line.dropped_for(DropReason::TooLarge));
    assert_eq!((line.sent, permanent, too_large), (14, 1, 1));
}
