//! Requests joined to batches, in both delivery modes.

use crate::harness::*;
use otlp_protocol::{Batch, ByteBudget, Signal};
use otlp_service::{BatchConfig, BatchOptions, BatchProcessor, Delivery, DropReason, Hop, OnFull};
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
        for mut rig in Rig::with_each_queue() {
            let sink = Sink::default();
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
}

#[tokio::test(start_paused = true)]
async fn a_joined_batch_is_the_concatenation() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::default();
        let batcher = batcher(&mut rig, true, batch_config(), &sink);
        let bodies = [logs_of(3, 5), logs_of(1, 9000), logs_of(2, 7)];
        let expect = bodies.each_ref().map(|batch| batch.body().plain().to_contiguous()).concat();
        for batch in bodies {
            batcher.export(batch).await.unwrap();
        }
        pass(seconds(2)).await;
        assert_eq!(sink.bodies(), [expect]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_waits_no_longer_than_the_timeout() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::default();
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
}

#[tokio::test(start_paused = true)]
async fn without_a_timeout_every_request_goes_alone() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::default();
        let mut config = batch_config();
        config.timeout = Duration::ZERO;
        let batcher = batcher(&mut rig, true, config, &sink);
        for _ in 0..3 {
            batcher.export(logs(2)).await.unwrap();
        }
        settle().await;
        assert_eq!(sink.sizes(), [2, 2, 2]);
    }
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
            for mut rig in Rig::with_each_queue() {
                let sink = Sink::default();
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
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_merged_passes_whole() {
    for in_memory in [true, false] {
        for mut rig in Rig::with_each_queue() {
            let sink = Sink::default();
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
}

#[tokio::test(start_paused = true)]
async fn origins_are_kept_apart_and_bounded() {
    for in_memory in [true, false] {
        for mut rig in Rig::with_each_queue() {
            let sink = Sink::default();
            let mut config = batch_config();
            config.metadata_cardinality_limit = 2;
            let batcher = batcher(&mut rig, in_memory, config, &sink);
            let mut exports = Vec::new();
            for (items, tenant) in [(1, "a"), (2, "b"), (4, "a"), (8, "b")] {
                exports.push(send(&batcher, from_tenant(items, tenant)));
                settle().await;
            }
            assert_eq!((sink.sizes(), rig.metric(CARDINALITY)), (vec![], 2.0));
            // The batch that has been open for longest makes room.
            exports.push(send(&batcher, from_tenant(16, "c")));
            settle().await;
            assert_eq!((sink.sizes(), rig.metric(CARDINALITY)), (vec![5], 2.0));
            assert_eq!(rig.metric("otelcol_processor_batch_cardinality_trigger_send"), 1.0);
            pass(seconds(2)).await;
            assert_eq!(sink.sizes(), [5, 10, 16]);
            for export in exports {
                export.await.unwrap().unwrap();
            }
            assert_eq!((rig.line("out").refused, rig.line("out").sent), (0, 31));
        }
    }
}

/// A sender with a new header value in each request makes its own batches smaller, and costs others nothing.
#[tokio::test(start_paused = true)]
async fn a_sender_who_varies_a_header_keeps_no_other_out() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::default();
        let mut config = batch_config();
        config.metadata_cardinality_limit = 10;
        let batcher = batcher(&mut rig, true, config, &sink);
        for number in 0..500 {
            batcher.export(from_tenant(1, &number.to_string())).await.unwrap();
            settle().await;
            if number % 5 == 0 {
                batcher.export(from_tenant(2, "honest")).await.unwrap();
            }
        }
        pass(seconds(2)).await;
        assert_eq!((rig.line("out").sent, rig.line("out").refused), (700, 0));
        let honest = sink.origins().into_iter().filter(|(origin, _)| {
            origin.as_ref().is_some_and(|origin| origin.tenant.as_deref() == Some("honest"))
        });
        let honest: Vec<_> = honest.map(|(_, items)| items).collect();
        // Joined as before, in batches that are sent earlier.
        assert_eq!(honest.iter().sum::<u64>(), 200);
        assert!(honest.len() <= 51, "{honest:?}");
    }
}

/// One slot, as many senders as there may be.
#[tokio::test(start_paused = true)]
async fn open_batches_occupy_no_slots() {
    for on_full in [OnFull::Refuse, OnFull::Block, OnFull::Drop] {
        for mut rig in Rig::with_each_queue() {
            let sink = Sink::default();
            let mut config = queue(1, 1);
            config.on_full = on_full;
            let destination = rig.queued("out", &sink, config);
            let mut config = batch_config();
            config.metadata_keys = vec!["x-tenant".into()];
            let batcher = rig.batcher(config, vec![destination]);
            for tenant in ["a", "b", "c"] {
                batcher.export(with_header(5, "x-tenant", tenant)).await.unwrap();
                assert_eq!(rig.queues[0].len(), 0);
            }
            assert_eq!(rig.line("out").queued, 15);
            pass(seconds(2)).await;
            let line = rig.line("out");
            // All three are due at the same time.
            match on_full {
                OnFull::Drop => assert_eq!(line.sent + line.dropped_for(DropReason::QueueFull), 15),
                _ => assert_eq!((line.sent, sink.sizes()), (15, vec![5, 5, 5])),
            }
        }
    }
}

/// What a new request meets while a batch that was answered for waits for room.
#[tokio::test(start_paused = true)]
async fn while_a_flush_waits_new_requests_meet_the_queues_policy() {
    for on_full in [OnFull::Refuse, OnFull::Block, OnFull::Drop] {
        for mut rig in Rig::with_each_queue() {
            let sink = Sink::scripted([Step::Slow(seconds(60))]);
            let mut config = queue(1, 1);
            config.on_full = on_full;
            let destination = rig.queued("out", &sink, config);
            let batcher = rig.batcher(batch_config(), vec![destination]);
            // One on its way, one in the queue; of two that are open one takes the slot.
            batcher.export(logs(100)).await.unwrap();
            settle().await;
            for tenant in ["a", "b"] {
                batcher.export(from_tenant(10, tenant)).await.unwrap();
            }
            pass(seconds(2)).await;
            let line = rig.line("out");
            let dropped = if on_full == OnFull::Drop { 10 } else { 0 };
            assert_eq!((line.accepted, line.in_flight), (120, 100), "{on_full:?}");
            assert_eq!((line.queued, line.dropped_for(DropReason::QueueFull)), (20 - dropped, dropped));

            let late = send(&batcher, from_tenant(7, "c"));
            settle().await;
            match on_full {
                OnFull::Refuse => {
                    assert_eq!(late.await.unwrap().unwrap_err().message(), "sending queue is full")
                }
                OnFull::Block => {
                    assert!(!late.is_finished());
                    pass(seconds(60)).await;
                    late.await.unwrap().unwrap();
                }
                _ => late.await.unwrap().map(drop).unwrap(),
            }
            pass(seconds(70)).await;
            let line = rig.line("out");
            let (accepted, refused, dropped) = match on_full {
                OnFull::Refuse => (120, 7, 0),
                OnFull::Block => (127, 0, 0),
                _ => (127, 0, 17),
            };
            assert_eq!((line.accepted, line.refused, line.dropped_items()), (accepted, refused, dropped));
            assert_eq!((line.sent, line.queued, line.in_flight), (accepted - dropped, 0, 0), "{on_full:?}");
        }
    }
}

/// A drain ends the wait of what was answered for, and the ledger says so.
#[tokio::test(start_paused = true)]
async fn a_flush_that_waits_is_counted_until_a_drain_cancels_it() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::always(Step::Hang);
        let destination = rig.queued("out", &sink, queue(1, 1));
        let batcher = rig.batcher(batch_config(), vec![destination]);
        batcher.export(logs(100)).await.unwrap();
        settle().await;
        for tenant in ["a", "b", "c"] {
            batcher.export(from_tenant(10, tenant)).await.unwrap();
        }
        pass(seconds(2)).await;
        let line = rig.line("out");
        assert_eq!((line.in_flight, line.queued, rig.queues[0].len()), (100, 30, 1));
        batcher.drain(now() + seconds(5)).await;
        let line = rig.line("out");
        assert_eq!((line.queued, line.dropped_for(DropReason::Shutdown)), (10, 20));
        rig.queues[0].drain(now()).await;
        let line = rig.line("out");
        assert_eq!((line.accepted, line.refused, line.dropped_for(DropReason::Shutdown)), (130, 0, 130));
    }
}

/// The processor alone: no ledger, no registry, no fan-out.
#[tokio::test(start_paused = true)]
async fn batches_of_two_signals_are_never_joined() {
    for delivery in [Delivery::EndToEnd, Delivery::Memory] {
        let sink = Sink::default();
        let options = BatchOptions::default().with_delivery(delivery);
        let batcher = BatchProcessor::start_with(batch_config(), sink.clone(), clock(), options);
        let batcher = Arc::new(batcher);
        let exports: Vec<_> = [Signal::LOGS, Signal::TRACES, Signal::LOGS, Signal::TRACES]
            .into_iter()
            .map(|signal| {
                let (body, charge) = logs(10).into_parts();
                send(&batcher, Batch::unchecked(signal, body.plain().clone(), body.count(), true, charge))
            })
            .collect();
        pass(seconds(2)).await;
        for export in exports {
            export.await.unwrap().unwrap();
        }
        let mut batches = sink.signals();
        batches.sort_unstable();
        assert_eq!(batches, [("logs", 20), ("traces", 20)]);
    }
}

/// In memory mode what stands behind is tried until it takes the batch, or refuses it for good.
#[tokio::test(start_paused = true)]
async fn alone_in_memory_mode_a_batch_is_tried_until_it_is_taken() {
    let script = [UNAVAILABLE, Step::Panic, UNAVAILABLE, UNAVAILABLE, Step::Accept, INVALID];
    let (rig, sink) = (Rig::new(), Sink::scripted(script));
    let hop = Hop::of([rig.ledger.account("logs", "out")]);
    let options = BatchOptions::default().with_delivery(Delivery::Memory).with_hop(hop);
    let batcher = BatchProcessor::start_with(batch_config(), sink.clone(), clock(), options);
    // Of the first, one attempt fails and the next panics.
    batcher.export(logs(100)).await.unwrap();
    settle().await;
    assert_eq!((rig.line("out").accepted, rig.line("out").queued), (100, 100));
    pass(seconds(1)).await;
    let line = rig.line("out");
    assert_eq!((sink.attempts(), line.dropped_for(DropReason::Permanent), line.queued), (2, 100, 0));
    // The sink is nobody who keeps the accounts: what it takes is taken back.
    let mut late = logs(200);
    late.deadline = Some(now());
    batcher.export(late).await.unwrap();
    assert_eq!(rig.line("out").queued, 200);
    pass(seconds(1)).await;
    assert_eq!((sink.sizes(), rig.line("out").accepted), (vec![200], 100));
    batcher.export(logs(3)).await.unwrap();
    batcher.drain(now() + seconds(9)).await;
    assert_eq!(rig.line("out").dropped_for(DropReason::Permanent), 103);
}

#[tokio::test(start_paused = true)]
async fn end_to_end_one_failure_answers_all_who_wait() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::scripted([UNAVAILABLE, INVALID]);
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
}

#[tokio::test(start_paused = true)]
async fn end_to_end_a_retryable_part_makes_the_answer_retryable() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::scripted([Step::Accept, INVALID, UNAVAILABLE, Step::Accept]);
        let mut config = batch_config();
        config.send_batch_max_size = 10;
        let batcher = batcher(&mut rig, false, config, &sink);
        let error = batcher.export(logs(40)).await.unwrap_err();
        assert_eq!(error.message(), "out of order");
        // What was delivered counts, though the sender will send it again.
        let line = rig.line("out");
        assert_eq!((line.sent, line.refused), (20, 20));
    }
}

#[tokio::test(start_paused = true)]
async fn end_to_end_partial_rejection_is_attributed_only_where_it_can_be() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::scripted([Step::Reject(4, "bad"), Step::Reject(4, "bad")]);
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
}

#[tokio::test(start_paused = true)]
async fn end_to_end_rejections_of_a_requests_parts_add_up() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::scripted([Step::Reject(1, "a"), Step::Reject(2, "b")]);
        let mut config = batch_config();
        config.send_batch_max_size = 10;
        let accepted = batcher(&mut rig, false, config, &sink).export(logs(20)).await.unwrap();
        assert_eq!((accepted.rejected, accepted.message.as_str()), (3, "a; b"));
    }
}

#[tokio::test(start_paused = true)]
async fn end_to_end_no_senders_leaving_takes_others_with_it() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::scripted([Step::Slow(seconds(5))]);
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
}

#[tokio::test(start_paused = true)]
async fn one_end_to_end_destination_makes_all_wait() {
    for mut rig in Rig::with_each_queue() {
        let (fast, slow) = (Sink::default(), Sink::scripted([Step::Slow(seconds(5))]));
        let destinations = vec![rig.queued("fast", &fast, queue(10, 1)), rig.direct("slow", &slow)];
        let batcher = rig.batcher(batch_config(), destinations);
        let started = now();
        batcher.export(logs(100)).await.unwrap();
        assert_eq!(now() - started, seconds(5));
        assert_eq!((rig.line("fast").sent, rig.line("slow").sent), (100, 100));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_charged() {
    for mut rig in Rig::with_each_queue() {
        let sink = Sink::always(Step::Hang);
        let budget = ByteBudget::new(1 << 20);
        let mut config = batch_config();
        config.send_batch_max_size = 10;
        let batcher = batcher(&mut rig, true, config, &sink);
        let charged = |items| {
            let (body, _) = logs(items).into_parts();
            let charge = budget.try_charge(1000).unwrap();
            Batch::new(body, charge)
        };
        // Cut in four parts, which share the charge.
        batcher.export(charged(40)).await.unwrap();
        assert_eq!(budget.used(), 1000);
        settle().await;
        for queue in &rig.queues {
            queue.drain(now()).await;
        }
        assert_eq!(budget.used(), 0);
        rig.line("out");
    }
}

/// Without queues to ask, what was answered for and is not taken is bounded all the same.
#[tokio::test(start_paused = true)]
async fn alone_in_memory_mode_so_many_batches_wait_and_no_more() {
    let (rig, sink) = (Rig::new(), Sink::always(Step::Hang));
    let hop = Hop::of([rig.ledger.account("logs", "out")]);
    let options = BatchOptions::default().with_delivery(Delivery::Memory).with_hop(hop);
    let batcher = BatchProcessor::start_with(batch_config(), sink, clock(), options);
    batcher.export(logs(5)).await.unwrap();
    for _ in 0..1000 {
        batcher.export(unmergeable(1)).await.unwrap();
    }
    let error = batcher.export(unmergeable(3)).await.unwrap_err();
    assert_eq!(
        (error.message(), error.retry().is_retryable()),
        ("the limit of batches that wait to be sent is reached", true)
    );
    // An open batch takes more until it is full.
    batcher.export(logs(5)).await.unwrap();
    let line = rig.line("out");
    assert_eq!((line.accepted, line.queued, line.refused), (1010, 1010, 3));
    batcher.drain(now()).await;
    assert_eq!(rig.line("out").dropped_for(DropReason::Shutdown), 1010);
}

const CARDINALITY: &str = "otelcol_processor_batch_metadata_cardinality";
