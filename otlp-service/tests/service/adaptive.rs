//! Adaptive batches, in simulated time: the size follows the destinations, settles, and costs no throughput.

use crate::harness::*;
use crate::holders::{pipeline, start};
use crate::reload::{batch_stage, spec};
use otlp_protocol::{Accepted, Batch, Charge, Count, ErrorKind, Retry, Signal};
use otlp_service::{
    AdaptiveBatchConfig, AdaptiveBatchProcessor, AttemptFeedback, BatchConfig, BatchProcessor, BatchStats,
    Destination, ExponentialBackoffRetry, ExporterSpec, ExporterStats, FanOut, Gateway, Ledger, MemoryQueue,
    OnFull, PipelineSpec, Queue, QueueConfig, Registry,
};
use otlp_transport::{Attempt, BoxAttempt, Export, ExportError, ExportResult, TokioClock};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A destination that takes 1 ms and a time for each item.
#[derive(Clone, Default)]
struct Linear(Arc<LinearState>);

#[derive(Default)]
struct LinearState {
    /// Times for an item in microseconds, each for so many attempts; the last one stays.
    costs: Vec<(usize, u64)>,
    started: AtomicU64,
    /// In the order in which they ended.
    attempts: Mutex<Vec<Measured>>,
}

#[derive(Clone, Copy)]
struct Measured {
    /// Position in the order in which attempts started.
    number: usize,
    ended: Instant,
    items: u64,
    latency: Duration,
}

/// What a destination saw of some attempts in a row.
struct Window {
    p95: Duration,
    least_items: u64,
    most_items: u64,
    items_per_second: f64,
}

impl Linear {
    fn new(costs: Vec<(usize, u64)>) -> Self {
        Self(Arc::new(LinearState { costs, ..LinearState::default() }))
    }

    fn cost(&self, number: usize) -> u64 {
        let mut end = 0;
        let found = self.0.costs.iter().find(|(attempts, _)| {
            end += attempts;
            number < end
        });
        found.or(self.0.costs.last()).map_or(0, |(_, cost)| *cost)
    }

    fn ended(&self) -> usize {
        self.0.attempts.lock().len()
    }

    /// The attempts by the order of their start.
    fn window(&self, numbers: std::ops::Range<usize>) -> Window {
        let attempts = self.0.attempts.lock();
        let within: Vec<_> = attempts.iter().filter(|attempt| numbers.contains(&attempt.number)).collect();
        let mut latencies: Vec<_> = within.iter().map(|attempt| attempt.latency).collect();
        latencies.sort_unstable();
        let items = within.iter().map(|attempt| attempt.items);
        let (first, last) = (within.first().unwrap(), within.last().unwrap());
        // Those that ended with the first began before the time that is measured.
        let later = within.iter().filter(|attempt| attempt.ended > first.ended);
        let sent: u64 = later.map(|attempt| attempt.items).sum();
        Window {
            p95: latencies[latencies.len() * 95 / 100],
            least_items: items.clone().min().unwrap(),
            most_items: items.max().unwrap(),
            items_per_second: sent as f64 / (last.ended - first.ended).as_secs_f64(),
        }
    }
}

impl Attempt for Linear {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        let number = self.0.started.fetch_add(1, Ordering::Relaxed) as usize;
        let (items, started) = (batch.items(), now());
        pass(Duration::from_micros(1000 + items * self.cost(number))).await;
        let ended = now();
        self.0.attempts.lock().push(Measured { number, ended, items, latency: ended - started });
        Ok(Accepted::FULL)
    }
}

/// A request of log records whose bodies are left out, since nobody looks into them.
fn request(items: u64) -> Batch {
    Batch::unchecked(Signal::LOGS, vec![], Count { items, entries: items }, true, Charge::none())
}

/// A fan-out to a destination behind a queue of two batches.
fn queued(destination: &Linear, consumers: usize) -> (FanOut, Arc<MemoryQueue>) {
    let clock = Arc::new(TokioClock);
    let mut config = queue(2, consumers);
    config.on_full = OnFull::Block;
    let feedback = AttemptFeedback::new();
    let attempt = feedback.measure(destination.clone(), clock.clone());
    let retry = ExponentialBackoffRetry::new(no_retry(), clock.clone(), attempt);
    let stats = ExporterStats::new(&Registry::new(), "out", Signal::LOGS);
    let queue = MemoryQueue::start(config, stats, retry, clock.clone());
    let account = Ledger::new().account("logs", "out");
    let destination = Destination::queued(account, queue.clone()).with_feedback(feedback);
    (FanOut::new(vec![destination], clock), queue)
}

/// Sends requests of 128 items as fast as they are taken, until `attempts` have ended.
async fn saturate(config: BatchConfig, destination: &Linear, consumers: usize, attempts: usize) {
    let (fanout, queue) = queued(destination, consumers);
    let batcher = BatchProcessor::start_before(config, &fanout, clock(), BatchStats::default());
    while destination.ended() < attempts {
        batcher.export(request(128)).await.unwrap();
    }
    drop((batcher, queue));
}

fn adaptive() -> BatchConfig {
    let mut config = BatchConfig::default();
    config.adaptive = Some(AdaptiveBatchConfig::default());
    config
}

fn fixed(size: u64) -> BatchConfig {
    let mut config = BatchConfig::default();
    (config.send_batch_size, config.send_batch_max_size) = (size, size);
    config
}

/// The throughput of the best fixed size, in items a second.
async fn best_fixed(cost: u64, consumers: usize) -> (u64, f64) {
    let mut best = (0, 0.0);
    for size in [512, 1024, 1280, 2048, 8192] {
        let destination = Linear::new(vec![(0, cost)]);
        saturate(fixed(size), &destination, consumers, SETTLING + WINDOW).await;
        let window = destination.window(SETTLING + WINDOW / 2..SETTLING + WINDOW);
        if window.items_per_second > best.1 {
            best = (size, window.items_per_second);
        }
    }
    best
}

/// Attempts after a step before they are measured, and those that are.
const SETTLING: usize = 20;
const WINDOW: usize = 200;

#[tokio::test(start_paused = true)]
async fn after_a_step_of_the_destination_the_latency_is_back_within_twenty_batches() {
    let target = AdaptiveBatchConfig::default().target_latency;
    for consumers in [1, 4, 8] {
        let costs = [2, 40, 2];
        let destination = Linear::new(costs.map(|cost| (SETTLING + WINDOW, cost)).to_vec());
        saturate(adaptive(), &destination, consumers, costs.len() * (SETTLING + WINDOW)).await;
        for (phase, cost) in costs.into_iter().enumerate() {
            let first = phase * (SETTLING + WINDOW) + SETTLING;
            let window = destination.window(first..first + WINDOW);
            let (best_size, best) = best_fixed(cost, consumers).await;
            // The consumers that still had large batches have long sent them.
            let settled = destination.window(first + WINDOW / 2..first + WINDOW);
            let share = settled.items_per_second / best;
            println!(
                "{consumers} consumers, {cost} µs an item: p95 {:?}, batches of {} to {} items, {share:.3} of the throughput \
                 with the best fixed size, {best_size}",
                window.p95, window.least_items, window.most_items
            );
            assert!(window.p95 <= target.mul_f64(1.3), "{:?}", window.p95);
            // No cycle: all batches have one size, but for the request that did not fit.
            assert!(window.most_items - window.least_items <= 128);
            assert!(share >= 0.95, "{share}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_larger_request_is_cut_to_the_size() {
    let destination = Linear::new(vec![(0, 40)]);
    let (fanout, queue) = queued(&destination, 1);
    let batcher = AdaptiveBatchProcessor::start_before(adaptive(), &fanout, clock(), BatchStats::default());
    for _ in 0..10 {
        batcher.export(logs(8192)).await.unwrap();
        pass(seconds(1)).await;
    }
    let (size, before) = (batcher.batch_size(), destination.ended());
    assert!((600..1300).contains(&size), "{size}");
    batcher.export(logs(8192)).await.unwrap();
    batcher.drain(now() + seconds(60)).await;
    queue.drain(now() + seconds(60)).await;
    let attempts = destination.0.attempts.lock();
    assert_eq!(attempts.iter().map(|attempt| attempt.items).sum::<u64>(), 11 * 8192);
    let parts: Vec<_> = attempts[before..].iter().map(|attempt| attempt.items).collect();
    let full = (8192 / size) as usize;
    assert!(parts[..full].iter().all(|&items| items == size) && parts.len() == full + 1, "{parts:?}");
}

#[tokio::test(start_paused = true)]
async fn in_front_of_any_export_the_processor_measures_itself() {
    let destination = Linear::new(vec![(0, 40)]);
    let mut config = adaptive();
    config.adaptive.as_mut().unwrap().max_batch_size = 4096;
    let batcher = Arc::new(AdaptiveBatchProcessor::start(config, destination.clone(), clock()));
    assert_eq!(batcher.batch_size(), 4096);
    for _ in 0..20 {
        let senders: Vec<_> = (0..64).map(|_| send(&batcher, request(128))).collect();
        for sender in senders {
            sender.await.unwrap().unwrap();
        }
    }
    let size = batcher.batch_size();
    assert!((600..1300).contains(&size), "{size}");
    assert_eq!(destination.0.attempts.lock().iter().map(|attempt| attempt.items).sum::<u64>(), 20 * 64 * 128);
}

/// Fails every attempt after a while.
struct Failing(ErrorKind, Duration);

impl Export for Failing {
    async fn export(&self, _: Batch) -> ExportResult {
        pass(self.1).await;
        Err(ExportError::new(self.0, Retry::Backoff, "out of order"))
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_nothing_and_a_time_out_that_batches_are_too_large() {
    let table = [
        (ErrorKind::Unavailable, Duration::ZERO, 8192),
        (ErrorKind::Unavailable, seconds(5), 8192),
        (ErrorKind::InvalidData, seconds(5), 8192),
        (ErrorKind::Timeout, seconds(5), 6553),
    ];
    for (kind, after, expect) in table {
        let batcher = AdaptiveBatchProcessor::start(adaptive(), Failing(kind, after), clock());
        assert!(batcher.export(request(8192)).await.is_err());
        assert_eq!(batcher.batch_size(), expect, "{kind:?} after {after:?}");
    }
}

/// An exporter of a gateway.
fn exporter(id: &str, destination: &Linear) -> ExporterSpec {
    let mut exporter = ExporterSpec::new(id, BoxAttempt::new(destination.clone()));
    exporter.queue = QueueConfig::default();
    exporter.retry = no_retry();
    exporter.with_settings(crate::reload::of("a"))
}

fn batched(id: &str, exporters: &[&str]) -> PipelineSpec {
    PipelineSpec { stages: vec![batch_stage(adaptive(), "b")], ..pipeline(id, &[], exporters) }
}

/// Scenario: processors stand between the batch processor and a queue, which takes batches at once. Guarantee: the attempts
/// count, not the time until the queue has a batch.
#[tokio::test(start_paused = true)]
async fn processors_behind_the_batch_processor_do_not_hide_the_exporters() {
    let slow = Linear::new(vec![(0, 40)]);
    let mut pipeline = batched("logs", &["slow"]);
    pipeline.stages.push(crate::observers::deleting_stage("attributes"));
    let gateway = start(spec(vec![exporter("slow", &slow)], vec![pipeline])).await;
    let inlet = gateway.inlet("logs").unwrap();
    for _ in 0..30 {
        inlet.export(logs(8192)).await.unwrap();
        pass(seconds(1)).await;
    }
    let labels = [("processor", "batch"), ("pipeline", "logs"), ("otel_signal", "logs")];
    let size = gateway.metrics().get("otlp_processor_batch_adaptive_size", &labels).unwrap();
    assert!((600.0..1300.0).contains(&size), "{size}");
    gateway.drain(now() + seconds(60)).await.ledger.check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn in_a_gateway_the_slowest_exporter_counts_for_all_pipelines_that_use_it() {
    let (quick, slow) = (Linear::new(vec![(0, 1)]), Linear::new(vec![(0, 40)]));
    let exporters = || vec![exporter("quick", &quick), exporter("slow", &slow)];
    let pipelines = vec![
        batched("logs/quick", &["quick"]),
        batched("logs/both", &["quick", "slow"]),
        batched("logs/idle", &["slow"]),
    ];
    let mut gateway = start(spec(exporters(), pipelines.clone())).await;
    let size = |gateway: &Gateway, pipeline: &str| {
        let labels = [("processor", "batch"), ("pipeline", pipeline), ("otel_signal", "logs")];
        gateway.metrics().get("otlp_processor_batch_adaptive_size", &labels).unwrap()
    };
    assert_eq!(size(&gateway, "logs/both"), 8192.0);
    let (both, only_quick) = (gateway.inlet("logs/both").unwrap(), gateway.inlet("logs/quick").unwrap());
    for _ in 0..30 {
        both.export(logs(8192)).await.unwrap();
        only_quick.export(logs(8192)).await.unwrap();
        pass(seconds(1)).await;
    }
    assert_eq!(size(&gateway, "logs/quick"), 8192.0);
    let slowed = size(&gateway, "logs/both");
    assert!((600.0..1300.0).contains(&slowed), "{slowed}");
    assert_eq!(size(&gateway, "logs/idle"), slowed, "its exporter told it too");

    // A reload that changes neither the batch processor nor what is behind it keeps the size.
    let mut more = pipelines;
    more.push(batched("logs/more", &["slow"]));
    gateway.reload(spec(exporters(), more)).await.unwrap();
    assert_eq!((size(&gateway, "logs/both"), size(&gateway, "logs/more")), (slowed, 8192.0));
    // A batch processor that came with the reload is told as well, and one that went is forgotten.
    let more = gateway.inlet("logs/more").unwrap();
    for _ in 0..30 {
        more.export(logs(8192)).await.unwrap();
        pass(seconds(1)).await;
    }
    assert!(size(&gateway, "logs/more") < 1300.0);
    gateway.reload(spec(exporters(), vec![batched("logs/more", &["slow"])])).await.unwrap();
    more.export(logs(8192)).await.unwrap();
    pass(seconds(10)).await;
    let labels = [("pipeline", "logs/both")];
    assert_eq!(gateway.metrics().get("otlp_processor_batch_adaptive_size", &labels), None);
    gateway.drain(now() + seconds(60)).await.ledger.check().unwrap();
}
