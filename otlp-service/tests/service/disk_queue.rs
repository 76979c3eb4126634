//! Queues on disk in a gateway: what is answered is on the device, and is delivered after a crash.

mod backlog;
mod classes;
mod memory;
mod watch;

use crate::harness::*;
use otlp_protocol::{Batch, Signal};
use otlp_service::{
    DiskCompression, DiskConfig, ExporterSpec, Gateway, GatewaySpec, LedgerLine, OnFull, PipelineSpec,
    QueueBatchConfig, QueueConfig,
};
use otlp_transport::offload::Inline;
use otlp_transport::testing::{Crash, DiskOperation, FaultyDisk};
use otlp_transport::{BoxAttempt, Clock, Disk, Export, ExportResult, TokioClock, TransportContext};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A gateway with one pipeline of logs into a queue on a simulated disk.
pub(crate) struct OnDisk {
    pub(crate) gateway: Gateway,
    pub(crate) disk: FaultyDisk,
    pub(crate) sink: Sink,
}

impl OnDisk {
    pub(crate) async fn start(disk: FaultyDisk, sink: &Sink) -> Self {
        Self::with(disk, sink, |_| {}).await
    }

    pub(crate) async fn with(disk: FaultyDisk, sink: &Sink, change: impl FnOnce(&mut QueueConfig)) -> Self {
        let gateway = Gateway::start(context(&disk), spec(sink, change)).await.unwrap();
        Self { gateway, disk, sink: sink.clone() }
    }

    pub(crate) async fn export(&self, text: &str) -> ExportResult {
        self.gateway.inlet("logs").unwrap().export(named(text)).await
    }

    /// Waits until nothing happens any more.
    pub(crate) async fn settle(&self) {
        TokioClock.sleep(Duration::from_secs(60)).await;
    }

    pub(crate) fn line(&self) -> LedgerLine {
        let ledger = self.gateway.ledger();
        ledger.check().unwrap();
        ledger.line("logs", "out").unwrap().clone()
    }

    /// The names in the bodies that arrived, in order.
    pub(crate) fn arrived(&self) -> Vec<String> {
        self.sink.bodies().iter().map(|body| name_of(body)).collect()
    }

    pub(crate) async fn stop(self) -> FaultyDisk {
        let report = self.gateway.drain(TokioClock.now() + Duration::from_secs(5)).await;
        assert_eq!(report.dropped_items, 0);
        self.disk
    }
}

fn joining() -> QueueBatchConfig {
    let mut joining = QueueBatchConfig::default();
    (joining.min_size, joining.flush_timeout) = (10, Duration::from_secs(1));
    joining
}

pub(crate) fn context(disk: &FaultyDisk) -> TransportContext {
    let (disk, offload) = (Arc::new(disk.clone()), Arc::new(Inline));
    TransportContext { disk, offload, ..TransportContext::tcp(64 << 20) }
}

pub(crate) fn spec(sink: &Sink, change: impl FnOnce(&mut QueueConfig)) -> GatewaySpec {
    let mut exporter = ExporterSpec::new("out", BoxAttempt::new(sink.clone()));
    exporter.queue.storage = Some(DiskConfig::new("/data"));
    exporter.retry.max_elapsed_time = None;
    change(&mut exporter.queue);
    GatewaySpec {
        exporters: vec![exporter],
        pipelines: vec![PipelineSpec::new("logs", Signal::LOGS).with_exporter("out")],
        ..GatewaySpec::default()
    }
}

pub(crate) fn named(text: &str) -> Batch {
    Batch::new(
        otlp_protocol::Body::write::<otlp_protocol::encode::LogRecords>(|request| {
            request.resource_group(|group| {
                group.scope_group(|scope| {
                    scope.log_record(|record| {
                        record.event_name(&format!("<{text}>"));
                    });
                });
            });
        }),
        otlp_protocol::Charge::none(),
    )
}

pub(crate) fn name_of(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let name = text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    name.unwrap().0.to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_delivered_and_leaves_the_disk() {
    let queue = OnDisk::start(FaultyDisk::new(1), &Sink::default()).await;
    for name in ["a", "b", "c"] {
        queue.export(name).await.unwrap();
    }
    queue.settle().await;
    assert_eq!(queue.arrived(), ["a", "b", "c"]);
    let line = queue.line();
    assert_eq!((line.accepted, line.sent, line.queued), (3, 3, 0));
    let disk = queue.stop().await;
    let again = OnDisk::start(disk, &Sink::default()).await;
    again.settle().await;
    assert_eq!(again.arrived(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_is_answered_survives_a_power_cut() {
    for crash in [Crash::LoseUnsynced, Crash::KeepUnsynced, Crash::Torn, Crash::Reordered, Crash::Any] {
        let disk = FaultyDisk::new(2);
        let queue = OnDisk::start(disk, &Sink::always(UNAVAILABLE)).await;
        for number in 0..50 {
            queue.export(&number.to_string()).await.unwrap();
        }
        let found = queue.disk.crash(crash);
        drop(queue);
        let again = OnDisk::start(found, &Sink::default()).await;
        assert_eq!(again.line().accepted, 50, "{crash:?}");
        again.settle().await;
        let all: Vec<_> = (0..50).map(|number| number.to_string()).collect();
        assert_eq!(again.arrived(), all, "{crash:?}");
        assert_eq!(again.line().sent, 50);
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_leaves_the_rest_in_the_files() {
    let queue = OnDisk::start(FaultyDisk::new(3), &Sink::always(UNAVAILABLE)).await;
    for name in ["a", "b"] {
        queue.export(name).await.unwrap();
    }
    let disk = queue.stop().await;
    let again = OnDisk::start(disk, &Sink::default()).await;
    again.settle().await;
    assert_eq!(again.arrived(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_sync_is_written_again_or_refused() {
    let queue = OnDisk::start(FaultyDisk::new(4), &Sink::default()).await;
    queue.export("a").await.unwrap();
    let place = Path::new("/data/out/logs");
    queue.disk.fail_next(DiskOperation::Sync, place);
    queue.export("b").await.unwrap();
    queue.disk.fail_at_random(DiskOperation::Sync, 1.0);
    let refused = queue.export("c").await.unwrap_err();
    assert!(refused.retry().is_retryable(), "{refused}");
    queue.disk.clear_faults();
    queue.export("d").await.unwrap();
    queue.settle().await;
    assert_eq!(queue.arrived(), ["a", "b", "d"]);
    let line = queue.line();
    assert_eq!((line.accepted, line.refused, line.sent), (3, 1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_and_goes_on() {
    let sink = Sink::always(UNAVAILABLE);
    let queue = OnDisk::with(FaultyDisk::new(5), &sink, |config| {
        config.storage.as_mut().unwrap().max_bytes = Some(4096);
    })
    .await;
    let mut taken = Vec::new();
    let refusal = loop {
        let name = taken.len().to_string();
        match queue.export(&name).await {
            Ok(_) => taken.push(name),
            Err(error) => break error,
        }
    };
    assert!(refusal.retry().is_retryable() && refusal.to_string().contains("full"), "{refusal}");
    assert!(taken.len() > 4, "{taken:?}");
    sink.recover();
    queue.settle().await;
    queue.export("more").await.unwrap();
    queue.settle().await;
    taken.push("more".into());
    let mut arrived = queue.arrived();
    arrived.sort_by_key(|name| name.parse::<u64>().unwrap_or(u64::MAX));
    assert_eq!(arrived, taken);
    assert!(
        queue.disk.list(Path::new("/data/out/logs")).unwrap().iter().map(|(_, len)| len).sum::<u64>() < 4096
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_drops_its_oldest_segment() {
    let sink = Sink::always(Step::Hang);
    let queue = OnDisk::with(FaultyDisk::new(6), &sink, |config| {
        config.num_consumers = 1;
        config.on_full = OnFull::DropOldest;
        config.storage.as_mut().unwrap().max_bytes = Some(4096);
    })
    .await;
    for number in 0..100 {
        queue.export(&number.to_string()).await.unwrap();
    }
    let line = queue.line();
    let dropped = line.dropped_for(otlp_service::DropReason::QueueFull);
    assert!(dropped > 50, "{line}");
    assert_eq!((line.accepted, line.queued + line.in_flight + dropped), (100, 100), "{line}");
    // What is being delivered is not dropped.
    assert_eq!(line.in_flight, 1);
}

#[tokio::test(start_paused = true)]
async fn batches_that_are_too_old_are_dropped() {
    let queue = OnDisk::with(FaultyDisk::new(7), &Sink::always(UNAVAILABLE), |config| {
        config.num_consumers = 1;
        config.storage.as_mut().unwrap().max_age = Some(Duration::ZERO);
    })
    .await;
    for name in ["a", "b", "c"] {
        queue.export(name).await.unwrap();
    }
    // The wall clock is real.
    std::thread::sleep(Duration::from_millis(5));
    queue.settle().await;
    let line = queue.line();
    assert_eq!((line.dropped_for(otlp_service::DropReason::Expired), line.queued), (2, 0), "{line}");
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_waits_gets_the_destinations_answer() {
    let sink = Sink::scripted([INVALID]);
    let queue = OnDisk::with(FaultyDisk::new(8), &sink, |config| config.wait_for_result = true).await;
    let refused = queue.export("a").await.unwrap_err();
    assert!(refused.to_string().contains("not to my taste"), "{refused}");
    queue.export("b").await.unwrap();
    assert_eq!(queue.arrived(), ["b"]);
    let line = queue.line();
    assert_eq!((line.accepted, line.sent, line.refused, line.queued), (1, 1, 1, 0), "{line}");
    let again = OnDisk::start(queue.stop().await, &Sink::default()).await;
    again.settle().await;
    assert_eq!(again.arrived(), Vec::<String>::new(), "the outcome of both was final");
}

#[tokio::test(start_paused = true)]
async fn batches_are_joined_when_the_files_are_read() {
    let queue =
        OnDisk::with(FaultyDisk::new(9), &Sink::default(), |config| config.batch = Some(joining())).await;
    for number in 0..25 {
        queue.export(&number.to_string()).await.unwrap();
    }
    // Killed while five of them wait to be joined with more.
    let found = queue.disk.kill();
    let before = queue.sink.sizes();
    drop(queue);
    assert_eq!(before, [10, 10]);
    let again = OnDisk::with(found, &Sink::default(), |config| config.batch = Some(joining())).await;
    again.settle().await;
    assert_eq!(again.sink.sizes(), [5]);
    assert_eq!(again.line().sent, 5);
}

#[tokio::test(start_paused = true)]
async fn a_reload_passes_the_files_on() {
    let mut queue = OnDisk::start(FaultyDisk::new(10), &Sink::always(UNAVAILABLE)).await;
    for name in ["a", "b", "c"] {
        queue.export(name).await.unwrap();
    }
    let other = Sink::default();
    queue.gateway.reload(spec(&other, |config| config.num_consumers = 2)).await.unwrap();
    queue.export("d").await.unwrap();
    queue.settle().await;
    let mut arrived: Vec<_> = other.bodies().iter().map(|body| name_of(body)).collect();
    arrived.sort();
    assert_eq!(arrived, ["a", "b", "c", "d"]);
    assert_eq!(queue.sink.items(), 0);
    let line = queue.line();
    assert_eq!((line.accepted, line.sent, line.queued, line.in_flight), (4, 4, 0, 0), "{line}");
}

#[tokio::test(start_paused = true)]
async fn a_backlog_larger_than_the_memory_is_read_from_the_files() {
    let sink = Sink::always(UNAVAILABLE);
    let disk = FaultyDisk::new(11);
    let mut small = context(&disk);
    small.budget = otlp_protocol::ByteBudget::new(8 << 20);
    let gateway = Gateway::start(small, spec(&sink, |_| {})).await.unwrap();
    let queue = OnDisk { gateway, disk, sink: sink.clone() };
    let padding = "x".repeat(10_000);
    for number in 0..600 {
        queue.export(&format!("{number} {padding}")).await.unwrap();
    }
    assert_eq!(queue.line().accepted, 600);
    sink.recover();
    queue.settle().await;
    // Meanwhile more come in.
    for number in 600..700 {
        queue.export(&format!("{number} {padding}")).await.unwrap();
    }
    queue.settle().await;
    let arrived = queue.arrived();
    let mut numbers: Vec<u64> =
        arrived.iter().map(|name| name.split(' ').next().unwrap().parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..700).collect::<Vec<_>>());
}

/// Guarantee: what is stored with compression is delivered as it was, also by a gateway that does not compress. A reload turns
/// compression on.
#[tokio::test(start_paused = true)]
async fn stored_batches_can_be_compressed() {
    let zstd = |config: &mut QueueConfig| {
        let mut disk = DiskConfig::new("/data");
        disk.compression = DiskCompression::Zstd;
        config.storage = Some(disk);
    };
    let padding = "checked out, checked in. ".repeat(400);
    let sink = Sink::always(UNAVAILABLE);
    let mut queue = OnDisk::start(FaultyDisk::new(12), &sink).await;
    let bytes = |queue: &OnDisk| -> u64 {
        let files = queue.disk.list(Path::new("/data/out/logs")).unwrap();
        files.iter().filter(|(file, _)| file.ends_with(".log")).map(|(_, len)| len).sum()
    };
    queue.export(&format!("0 {padding}")).await.unwrap();
    let plain = bytes(&queue);
    queue.gateway.reload(spec(&sink, zstd)).await.unwrap();
    for number in 1..20 {
        queue.export(&format!("{number} {padding}")).await.unwrap();
    }
    assert!(bytes(&queue) < 3 * plain, "{} of {}", bytes(&queue), 20 * plain);
    let disk = queue.stop().await.kill();
    let again = OnDisk::start(disk, &Sink::default()).await;
    again.settle().await;
    let all: Vec<_> = (0..20).map(|number| format!("{number} {padding}")).collect();
    assert_eq!(again.arrived(), all);
    assert_eq!(again.line().sent, 20);
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_waits_for_room_sleeps() {
    let sink = Sink::always(Step::Slow(Duration::from_secs(10)));
    let queue = OnDisk::with(FaultyDisk::new(8), &sink, |config| {
        config.num_consumers = 1;
        config.queue_size = 1;
        config.on_full = OnFull::Block;
    })
    .await;
    let start = TokioClock.now();
    // With time paused, a sender that never sleeps would keep the clock from going on.
    for name in ["a", "b", "c", "d"] {
        queue.export(name).await.unwrap();
    }
    assert!(TokioClock.now() - start >= Duration::from_secs(10));
    queue.settle().await;
    assert_eq!(queue.arrived(), ["a", "b", "c", "d"]);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_at_the_start_loses_nothing() {
    let queue = OnDisk::start(FaultyDisk::new(23), &Sink::always(UNAVAILABLE)).await;
    for number in 0..20 {
        queue.export(&number.to_string()).await.unwrap();
    }
    let found = queue.disk.kill();
    drop(queue);
    let place = Path::new("/data/out/logs");
    let segment = found.list(place).unwrap().into_iter().find(|(name, _)| name.ends_with(".log")).unwrap().0;
    for _ in 0..2 {
        found.fail_next(DiskOperation::Read, place.join(&segment));
    }
    let again = OnDisk::start(found, &Sink::always(UNAVAILABLE)).await;
    again.export("new").await.unwrap();
    let found = again.disk.kill();
    drop(again);
    let last = OnDisk::start(found, &Sink::default()).await;
    last.settle().await;
    let mut arrived = last.arrived();
    arrived.sort_by_key(|name| name.parse::<u64>().unwrap_or(u64::MAX));
    let all: Vec<_> = (0..20).map(|number| number.to_string()).chain(["new".into()]).collect();
    assert_eq!(arrived, all);
}
