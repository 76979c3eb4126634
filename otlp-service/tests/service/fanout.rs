//! One batch, several destinations: design rule "fan-out".

use crate::harness::*;
use otlp_protocol::{Batch, ByteBudget, ErrorKind, Retry};
use otlp_service::{Destination, DropReason, OnFull};
use otlp_transport::Export;
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn a_refusal_leaves_no_duplicates() {
    for first_is_full in [true, false] {
        for mut rig in Rig::with_each_queue() {
            let (full, free) = (Sink::always(Step::Hang), Sink::default());
            let destinations = if first_is_full {
                vec![rig.queued("full", &full, queue(1, 1)), rig.queued("free", &free, queue(10, 1))]
            } else {
                vec![rig.queued("free", &free, queue(10, 1)), rig.queued("full", &full, queue(1, 1))]
            };
            let fanout = rig.fanout(destinations);
            fanout.export(logs(1)).await.unwrap();
            settle().await;
            fanout.export(logs(1)).await.unwrap();
            settle().await;
            for _ in 0..20 {
                let error = fanout.export(logs(3)).await.unwrap_err();
                assert!(error.retry().is_retryable());
            }
            settle().await;
            assert_eq!(free.sizes(), [1, 1]);
            assert_eq!((rig.line("free").refused, rig.line("full").refused), (60, 60));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_drops_holds_nobody_up() {
    for mut rig in Rig::with_each_queue() {
        let (dead, alive) = (Sink::always(Step::Hang), Sink::default());
        let mut dropping = queue(1, 1);
        dropping.on_full = OnFull::Drop;
        let fanout = { vec![rig.queued("dead", &dead, dropping), rig.queued("alive", &alive, queue(10, 1))] };
        let fanout = rig.fanout(fanout);
        for _ in 0..10 {
            fanout.export(logs(2)).await.unwrap();
            settle().await;
        }
        let line = rig.line("dead");
        assert_eq!((line.accepted, line.dropped_for(DropReason::QueueFull)), (20, 16));
        assert_eq!((line.in_flight, line.queued), (2, 2));
        assert_eq!(rig.line("alive").sent, 20);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_are_joined() {
    let reject = |count, message| Step::Reject(count, message);
    let retryable = Step::Fail(ErrorKind::Unavailable, Retry::After(seconds(9)), "later");
    let table = [
        (vec![Step::Accept, Step::Accept], Ok((0, ""))),
        (vec![reject(3, "bad"), reject(2, "worse")], Ok((3, "bad; worse"))),
        (vec![reject(3, "bad"), reject(2, "bad")], Ok((3, "bad"))),
        (vec![Step::Accept, INVALID], Err(("not to my taste", Retry::Never))),
        (vec![INVALID, retryable.clone()], Err(("later", Retry::After(seconds(9))))),
        (vec![retryable, INVALID, Step::Accept], Err(("later", Retry::After(seconds(9))))),
    ];
    for (steps, expect) in table {
        let rig = Rig::new();
        let destination =
            |(id, step): (usize, &Step)| rig.direct(&format!("out/{id}"), &Sink::scripted([step.clone()]));
        let fanout = rig.fanout(steps.iter().enumerate().map(destination).collect());
        let answer = fanout.export(logs(5)).await;
        let answer = answer.map(|accepted| (accepted.rejected, accepted.message));
        let answer = answer.map_err(|error| (error.message().to_owned(), error.retry()));
        let expect = expect.map(|(rejected, text)| (rejected, text.to_owned()));
        assert_eq!(answer, expect.map_err(|(text, retry)| (text.to_owned(), retry)), "{steps:?}");
        rig.line("out/0");
    }
}

#[tokio::test(start_paused = true)]
async fn end_to_end_waits_for_the_slowest_and_memory_for_none() {
    for mut rig in Rig::with_each_queue() {
        let slow = |time| Sink::scripted([Step::Slow(seconds(time))]);
        let (first, second, third) = (slow(2), slow(3), slow(100));
        let destinations = vec![
            rig.direct("first", &first),
            rig.direct("second", &second),
            rig.queued("third", &third, queue(10, 1)),
        ];
        let started = now();
        rig.fanout(destinations).export(logs(5)).await.unwrap();
        assert_eq!(now() - started, seconds(3));
        assert_eq!((rig.line("first").sent, rig.line("second").sent, rig.line("third").in_flight), (5, 5, 5));
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_for_a_destination_without_one() {
    for mut rig in Rig::with_each_queue() {
        let (direct, full) = (Sink::default(), Sink::always(Step::Hang));
        let fanout = vec![rig.queued("full", &full, queue(1, 1)), rig.direct("direct", &direct)];
        let fanout = rig.fanout(fanout);
        for _ in 0..2 {
            fanout.export(logs(1)).await.unwrap();
            settle().await;
        }
        assert_eq!(fanout.export(logs(3)).await.unwrap_err().message(), "sending queue is full");
        assert_eq!((direct.sizes(), rig.line("direct").refused), (vec![1, 1], 3));
        let line = rig.line("full");
        assert_eq!((line.in_flight, line.queued, line.refused, line.dropped_items()), (1, 1, 3, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn fanouts_that_wait_for_the_same_queues_do_not_deadlock() {
    for mut rig in Rig::with_each_queue() {
        let mut blocking = queue(1, 1);
        blocking.on_full = OnFull::Block;
        let sinks = [Sink::always(Step::Slow(seconds(1))), Sink::always(Step::Slow(seconds(1)))];
        let a = rig.queued("a", &sinks[0], blocking.clone());
        let b = rig.queued("b", &sinks[1], blocking);
        let other =
            |destination: &Destination, id| destination.with_account(rig.ledger.account("logs/back", id));
        let back = Arc::new(rig.fanout(vec![other(&b, "b"), other(&a, "a")]));
        let there = Arc::new(rig.fanout(vec![a, b]));
        let exports: Vec<_> = (0..20).flat_map(|_| [send(&there, logs(1)), send(&back, logs(1))]).collect();
        for export in exports {
            tokio::time::timeout(seconds(100), export).await.unwrap().unwrap().unwrap();
        }
        pass(seconds(100)).await;
        assert_eq!((sinks[0].items(), sinks[1].items()), (40, 40));
        rig.line("a");
    }
}

#[tokio::test(start_paused = true)]
async fn the_charge_is_released_by_the_last_destination() {
    for mut rig in Rig::with_each_queue() {
        let budget = ByteBudget::new(1000);
        let sinks = [Sink::scripted([Step::Slow(seconds(1))]), Sink::scripted([Step::Slow(seconds(5))])];
        let destinations =
            vec![rig.queued("a", &sinks[0], queue(1, 1)), rig.queued("b", &sinks[1], queue(1, 1))];
        let fanout = rig.fanout(destinations);
        let (body, _) = logs(5).into_parts();
        let charge = budget.try_charge(700).unwrap();
        fanout.export(Batch::new(body, charge)).await.unwrap();
        pass(seconds(2)).await;
        assert_eq!((budget.used(), sinks[0].items()), (700, 5));
        pass(seconds(4)).await;
        assert_eq!((budget.used(), sinks[1].items()), (0, 5));
    }
}
