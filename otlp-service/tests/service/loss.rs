//! Fifteen ways in which a gateway can lose telemetry that it has answered for, and what happens here. `docs/loss.md` lists them.

use crate::disk_queue::{OnDisk, context, name_of, named, spec};
use crate::harness::*;
use otlp_protocol::{ErrorKind, Retry};
use otlp_service::{
    BatchConfig, DeadLetterConfig, Delivery, DropReason, Gateway, GatewaySpec, OnFull, PipelineStage,
    StageSpec,
};
use otlp_transport::testing::{Crash, DiskOperation, FaultyDisk};
use otlp_transport::{Clock, Disk, Export, TokioClock};
use std::path::Path;

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
/// The files of the queue of [`OnDisk`].
const FILES: &str = "/data/out/logs";

/// A queue whose destination is down, with five batches.
async fn filled(seed: u64) -> OnDisk {
    let queue = OnDisk::start(FaultyDisk::new(seed), &Sink::always(UNAVAILABLE)).await;
    for name in NAMES {
        queue.export(name).await.unwrap();
    }
    queue
}

/// What arrives from a disk once the destination works.
async fn arrives_from(disk: FaultyDisk) -> Vec<String> {
    let queue = OnDisk::start(disk, &Sink::default()).await;
    queue.settle().await;
    let arrived = queue.arrived();
    queue.stop().await;
    arrived
}

/// A batch processor that waits for `timeout` seconds or ten items, in front of the queue on disk.
fn with_batch(sink: &Sink, timeout: u64) -> GatewaySpec {
    let mut spec = spec(sink, |_| {});
    let mut batch = BatchConfig::default();
    (batch.timeout, batch.send_batch_size) = (seconds(timeout), 10);
    spec.pipelines[0].stages = vec![PipelineStage::new("batch", StageSpec::Batch(batch))];
    spec
}

/// The files of segments in a directory, in their order.
fn segments(disk: &FaultyDisk) -> Vec<String> {
    let mut files: Vec<_> = disk.list(Path::new(FILES)).unwrap().into_iter().map(|(name, _)| name).collect();
    files.retain(|name| name.ends_with(".log"));
    files.sort();
    files.into_iter().map(|name| format!("{FILES}/{name}")).collect()
}

#[tokio::test(start_paused = true)]
async fn window_01_a_crash_loses_only_what_is_declared_to_be_in_memory() {
    let disk = FaultyDisk::new(1);
    let down = Sink::always(UNAVAILABLE);
    let gateway = Gateway::start(context(&disk), with_batch(&down, 1)).await.unwrap();
    assert_eq!(gateway.delivery("logs"), Some(Delivery::Disk));
    for name in NAMES {
        gateway.inlet("logs").unwrap().export(named(name)).await.unwrap();
    }
    let found = disk.kill();
    drop(gateway);
    let arrived = arrives_from(found).await;
    assert_eq!(arrived.len(), 5);
    // Without storage the mode is memory, and the ledger counts what an orderly stop cannot deliver.
    let mut memory = spec(&down, |_| {});
    memory.exporters[0].queue.storage = None;
    let gateway = Gateway::start(context(&disk), memory).await.unwrap();
    assert_eq!(gateway.delivery("logs"), Some(Delivery::Memory));
    gateway.inlet("logs").unwrap().export(named("a")).await.unwrap();
    assert_eq!(gateway.drain(now() + seconds(1)).await.dropped_items, 1);
}

#[tokio::test(start_paused = true)]
async fn window_02_a_shutdown_keeps_retries_and_queue() {
    let queue = filled(2).await;
    pass(seconds(20)).await;
    let line = queue.line();
    assert_eq!(line.queued + line.in_flight, 5, "{line}");
    let mut arrived = arrives_from(queue.stop().await).await;
    arrived.sort();
    assert_eq!(arrived, NAMES);
}

#[tokio::test(start_paused = true)]
async fn window_03_a_full_queue_refuses_retryably_or_blocks() {
    for (on_full, is_stored) in
        [(OnFull::Refuse, true), (OnFull::Block, true), (OnFull::Refuse, false), (OnFull::Block, false)]
    {
        let sink = Sink::always(UNAVAILABLE);
        let queue = OnDisk::with(FaultyDisk::new(3), &sink, |config| {
            (config.num_consumers, config.queue_size, config.on_full) = (1, 2, on_full);
            config.storage = config.storage.take().filter(|_| is_stored);
        })
        .await;
        // The first is being sent, two wait.
        for name in ["a", "b", "c"] {
            queue.export(name).await.unwrap();
            settle().await;
        }
        let next = queue.export("d");
        if on_full == OnFull::Refuse {
            let refused = next.await.unwrap_err();
            assert!(refused.retry().is_retryable(), "{refused}");
            assert!(matches!(refused.retry(), Retry::After(_)), "the sender is told when to send again");
        } else {
            sink.recover();
            next.await.unwrap();
        }
        sink.recover();
        queue.settle().await;
        let line = queue.line();
        assert_eq!((line.accepted, line.sent, line.dropped_items()), (line.sent, line.accepted, 0), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn window_04_a_queue_on_disk_has_no_time_limit() {
    let queue = filled(4).await;
    pass(seconds(6 * 3600)).await;
    queue.sink.recover();
    queue.settle().await;
    let mut arrived = queue.arrived();
    arrived.sort();
    assert_eq!(arrived, NAMES);
    assert_eq!(queue.line().dropped_items(), 0);
}

#[tokio::test(start_paused = true)]
async fn window_05_final_refusals_cost_the_refused_items_alone_and_keep_them() {
    let disk = FaultyDisk::new(5);
    let sink = Sink::taking_at_most(8);
    sink.when_holding("[10]", INVALID);
    let mut dead = spec(&sink, |_| {});
    dead.exporters[0].dead_letter = Some(DeadLetterConfig::new("/dead"));
    dead.exporters[0].retry.retry_resource_exhausted = true;
    let gateway = Gateway::start(context(&disk), dead).await.unwrap();
    gateway.inlet("logs").unwrap().export(numbered(0..40)).await.unwrap();
    pass(seconds(60)).await;
    // A request of 40 is over the limit of 8: it is halved until its parts fit.
    assert_eq!(sink.items(), 39);
    // RESOURCE_EXHAUSTED without a delay is final by the specification; the exporter may be told to try again.
    sink.then(Step::Fail(ErrorKind::Exhausted, Retry::Never, "out of quota"));
    gateway.inlet("logs").unwrap().export(named("later")).await.unwrap();
    pass(seconds(60)).await;
    assert_eq!(sink.items(), 40);
    let report = gateway.drain(now() + seconds(5)).await;
    let line = report.ledger.line("logs", "out").unwrap();
    assert_eq!((line.sent, line.dropped_for(DropReason::Permanent)), (40, 1));
    let files = disk.list(Path::new("/dead")).unwrap();
    let kept = |name: &String| disk.contents(Path::new("/dead").join(name)).unwrap();
    let kept: Vec<u8> =
        files.iter().map(|(name, _)| name).filter(|name| name.ends_with(".otlp")).flat_map(kept).collect();
    assert!(kept.windows(4).any(|window| window == b"[10]"), "{files:?}");
}

#[tokio::test(start_paused = true)]
async fn window_06_a_batch_processor_waits_for_the_commit() {
    let disk = FaultyDisk::new(6);
    let gateway = Gateway::start(context(&disk), with_batch(&Sink::always(UNAVAILABLE), 1)).await.unwrap();
    let inlet = gateway.inlet("logs").unwrap();
    disk.fail_at_random(DiskOperation::Sync, 1.0);
    let refused = inlet.export(named("a")).await.unwrap_err();
    assert!(refused.retry().is_retryable(), "{refused}");
    disk.clear_faults();
    inlet.export(named("a")).await.unwrap();
    let found = disk.crash(Crash::LoseUnsynced);
    drop(gateway);
    // The batch was on the device when the sender was answered; what was refused is not there.
    assert_eq!(arrives_from(found).await, ["a"]);
}

#[tokio::test(start_paused = true)]
async fn window_07_an_answer_waits_for_the_device() {
    for crash in [Crash::LoseUnsynced, Crash::Torn, Crash::Reordered] {
        let queue = filled(7).await;
        let synced = |line: &&String| line.starts_with("sync ") && line.contains(".log");
        assert_eq!(queue.disk.trace().iter().filter(synced).count(), 5, "a sync before each answer");
        let found = queue.disk.crash(crash);
        drop(queue);
        assert_eq!(arrives_from(found).await, NAMES, "{crash:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn window_08_a_damaged_cursor_makes_batches_come_again_and_loses_none() {
    let queue = filled(8).await;
    let found = queue.disk.kill();
    drop(queue);
    found.corrupt(format!("{FILES}/exporter.cursor"), 6).unwrap();
    let again = OnDisk::start(found, &Sink::default()).await;
    again.export("new").await.unwrap();
    again.settle().await;
    let mut arrived = again.arrived();
    arrived.sort();
    assert_eq!(arrived, ["a", "b", "c", "d", "e", "new"]);
    // The numbers go on: what comes after another crash is not confused with what was there before.
    let found = again.disk.kill();
    drop(again);
    assert_eq!(arrives_from(found).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn window_09_a_crash_at_any_change_of_the_start_loses_nothing() {
    let queue = filled(9).await;
    let before = queue.disk.kill();
    drop(queue);
    let mut changes = 0;
    for change in 1.. {
        let disk = before.kill();
        disk.crash_at(disk.changes() + change);
        if let Ok(gateway) = Gateway::start(context(&disk), spec(&Sink::always(UNAVAILABLE), |_| {})).await {
            pass(seconds(5)).await;
            drop(gateway);
        }
        if !disk.is_stopped() {
            break;
        }
        changes = change;
        assert_eq!(arrives_from(disk.restart()).await, NAMES, "change {change}: {:#?}", disk.trace());
    }
    assert!(changes > 5, "only {changes} changes");
}

#[tokio::test(start_paused = true)]
async fn window_10_a_record_that_cannot_be_read_is_passed_over_and_counted() {
    let queue = filled(10).await;
    let found = queue.disk.kill();
    drop(queue);
    let segment = segments(&found).remove(0);
    let bytes = found.contents(&segment).unwrap();
    let place = bytes.windows(3).position(|window| window == b"<c>").unwrap();
    found.corrupt(&segment, place as u64 + 1).unwrap();
    let again = OnDisk::start(found, &Sink::default()).await;
    again.settle().await;
    assert_eq!(again.arrived(), ["a", "b", "d", "e"]);
    let line = again.line();
    assert_eq!((line.sent, line.queued), (4, 0), "{line}");
}

#[tokio::test(start_paused = true)]
async fn window_11_a_corrupt_file_costs_what_is_in_the_file() {
    let small =
        |config: &mut otlp_service::QueueConfig| config.storage.as_mut().unwrap().max_bytes = Some(8192);
    let queue = OnDisk::with(FaultyDisk::new(11), &Sink::always(UNAVAILABLE), small).await;
    for number in 0..40 {
        queue.export(&number.to_string()).await.unwrap();
    }
    let found = queue.disk.kill();
    drop(queue);
    let files = segments(&found);
    assert!(files.len() > 2, "{files:?}");
    let bytes = found.contents(&files[1]).unwrap();
    let hit = String::from_utf8_lossy(&bytes).matches('<').count();
    (0..bytes.len() as u64).step_by(16).for_each(|place| found.corrupt(&files[1], place).unwrap());
    let again = OnDisk::with(found, &Sink::default(), small).await;
    again.settle().await;
    let mut arrived = again.arrived();
    arrived.dedup();
    assert_eq!(arrived.len(), 40 - hit, "{hit} were in the file");
    again.export("new").await.unwrap();
    again.settle().await;
    assert_eq!(again.arrived().pop().as_deref(), Some("new"));
}

#[tokio::test(start_paused = true)]
async fn window_12_a_reload_keeps_what_batches_and_queues_hold() {
    let disk = FaultyDisk::new(12);
    let (down, up) = (Sink::always(UNAVAILABLE), Sink::default());
    let mut gateway = Gateway::start(context(&disk), with_batch(&down, 3600)).await.unwrap();
    let inlet = gateway.inlet("logs").unwrap();
    let waiting = tokio::spawn(async move { inlet.export(named("held")).await });
    settle().await;
    gateway.reload(with_batch(&up, 1)).await.unwrap();
    gateway.inlet("logs").unwrap().export(named("new")).await.unwrap();
    pass(seconds(60)).await;
    waiting.await.unwrap().unwrap();
    let mut arrived: Vec<_> = up.bodies().iter().map(|body| name_of(body)).collect();
    arrived.sort();
    assert_eq!(arrived, ["held", "new"]);
}

#[tokio::test(start_paused = true)]
async fn window_13_another_list_of_endpoints_takes_the_queue_over() {
    // The queue stands before the balancing: a reload with other endpoints makes another client for the same files.
    let mut queue = filled(13).await;
    pass(seconds(10)).await;
    let other = Sink::default();
    queue.gateway.reload(spec(&other, |config| config.num_consumers = 3)).await.unwrap();
    queue.settle().await;
    let mut arrived: Vec<_> = other.bodies().iter().map(|body| name_of(body)).collect();
    arrived.sort();
    assert_eq!(arrived, NAMES);
    let line = queue.line();
    assert_eq!((line.accepted, line.sent), (5, 5), "{line}");
}

#[tokio::test(start_paused = true)]
async fn window_14_what_a_holder_has_at_a_crash_its_sender_still_has() {
    let disk = FaultyDisk::new(14);
    let gateway = Gateway::start(context(&disk), with_batch(&Sink::default(), 3600)).await.unwrap();
    let inlet = gateway.inlet("logs").unwrap();
    let waiting = tokio::spawn(async move { inlet.export(named("held")).await });
    pass(seconds(600)).await;
    assert!(!waiting.is_finished(), "answered before the files have it");
    let found = disk.kill();
    drop(gateway);
    let answer = waiting.await.unwrap().unwrap_err();
    assert!(answer.retry().is_retryable(), "{answer}");
    assert_eq!(arrives_from(found).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn window_15_a_stop_ends_at_its_deadline() {
    let queue = OnDisk::start(FaultyDisk::new(15), &Sink::always(Step::Hang)).await;
    for name in NAMES {
        queue.export(name).await.unwrap();
    }
    let start = TokioClock.now();
    // Five seconds are the deadline.
    let disk = queue.stop().await;
    assert!(TokioClock.now() - start <= seconds(6));
    let mut arrived = arrives_from(disk).await;
    arrived.sort();
    assert_eq!(arrived, NAMES);
}
