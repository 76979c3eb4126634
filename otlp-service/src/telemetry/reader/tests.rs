use super::*;
use otlp_protocol::view::{DataPoint, Number, RequestView};
use otlp_protocol::{Accepted, Signal};
use otlp_transport::{BoxExport, TokioClock};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// A destination that keeps the values of `served` with the time of each push.
#[derive(Clone, Default)]
struct Destination {
    pushes: Arc<Mutex<Vec<(Duration, i64)>>>,
    in_flight: Arc<AtomicU64>,
    answers_after: Duration,
    fails: bool,
}

impl Destination {
    fn export(&self, started: Instant) -> BoxExport {
        let destination = self.clone();
        BoxExport::from_fn(move |batch: Batch| {
            let destination = destination.clone();
            async move {
                assert_eq!(destination.in_flight.fetch_add(1, Ordering::Relaxed), 0, "two pushes at a time");
                let (body, clock) = (batch.body().to_bytes(), TokioClock);
                destination.pushes.lock().push((clock.now() - started, served(&body)));
                clock.sleep(destination.answers_after).await;
                destination.in_flight.fetch_sub(1, Ordering::Relaxed);
                match destination.fails {
                    true => Err(ExportError::refused(ErrorKind::Unavailable, "down")),
                    false => Ok(Accepted { rejected: 1, ..Accepted::FULL }),
                }
            }
        })
    }
}

fn served(body: &[u8]) -> i64 {
    let view = RequestView::new(SIGNAL, body);
    let metric = view.metrics().find(|metric| metric.name() == "served").unwrap();
    match metric.points().next() {
        Some(DataPoint::Number(point)) => match point.value() {
            Number::Int(value) => value,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn start(registry: &Registry, export: BoxExport, interval: u64, timeout: u64) -> MetricsReader {
    let config = MetricsReaderConfig {
        interval: Duration::from_secs(interval),
        timeout: Duration::from_secs(timeout),
        ..MetricsReaderConfig::default()
    };
    MetricsReader::start(registry.clone(), config, Vec::new(), export, Arc::new(TokioClock))
}

fn pushes(registry: &Registry, outcome: &str) -> f64 {
    registry.snapshot().get("otlp_own_metrics_pushes", &[("outcome", outcome)]).unwrap()
}

const SIGNAL: Signal = Signal::METRICS;

#[tokio::test(start_paused = true)]
async fn values_are_pushed_at_the_interval_and_at_the_end() {
    let (registry, clock) = (Registry::new(), TokioClock);
    let counter = registry.counter("served", "Orders served.", &[]);
    let destination = Destination::default();
    let reader = start(&registry, destination.export(clock.now()), 60, 30);
    counter.add(1);
    clock.sleep(Duration::from_secs(61)).await;
    counter.add(1);
    clock.sleep(Duration::from_secs(60)).await;
    counter.add(5);
    assert_eq!(pushes(&registry, "success"), 2.0);
    assert_eq!(registry.snapshot().get("otlp_own_metrics_rejected_points", &[]), Some(2.0));
    reader.drain(clock.now() + Duration::from_secs(5)).await;
    let seconds = Duration::from_secs;
    assert_eq!(*destination.pushes.lock(), [(seconds(60), 1), (seconds(120), 2), (seconds(121), 7)]);
    clock.sleep(seconds(600)).await;
    assert_eq!(destination.pushes.lock().len(), 3);
}

/// A slow destination delays the next push, and a push that takes too long fails. Nothing waits behind either.
#[tokio::test(start_paused = true)]
async fn one_push_at_a_time() {
    let (registry, clock) = (Registry::new(), TokioClock);
    let _counter = registry.counter("served", "Orders served.", &[]);
    let slow = Destination { answers_after: Duration::from_secs(25), ..Destination::default() };
    let reader = start(&registry, slow.export(clock.now()), 10, 30);
    clock.sleep(Duration::from_secs(100)).await;
    let at: Vec<_> = slow.pushes.lock().iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(at, [10, 35, 60, 85]);
    assert_eq!((pushes(&registry, "success"), pushes(&registry, "failure")), (3.0, 0.0));
    drop(reader);
    // A time-out gives up the push: nothing of it is left in flight.
    let stuck = Destination { answers_after: Duration::from_secs(3600), ..Destination::default() };
    let export = BoxExport::from_fn(move |batch: Batch| {
        stuck.in_flight.store(0, Ordering::Relaxed);
        let export = stuck.export(TokioClock.now());
        async move { export.export(batch).await }
    });
    let reader = start(&registry, export, 10, 4);
    clock.sleep(Duration::from_secs(35)).await;
    assert_eq!(pushes(&registry, "failure"), 3.0);
    let deadline = clock.now() + Duration::from_secs(2);
    reader.drain(deadline).await;
    assert_eq!(clock.now(), deadline);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_counted_and_the_longest_times_do_not_overflow() {
    let (registry, clock) = (Registry::new(), TokioClock);
    let _counter = registry.counter("served", "Orders served.", &[]);
    let down = Destination { fails: true, ..Destination::default() };
    let reader = start(&registry, down.export(clock.now()), u64::MAX, u64::MAX);
    clock.sleep(Duration::from_secs(366 * 24 * 3600)).await;
    assert_eq!(pushes(&registry, "failure"), 1.0);
    reader.drain(clock.now() + Duration::from_secs(1)).await;
    assert_eq!(down.pushes.lock().len(), 2);
    // Level none pushes nothing.
    let config = MetricsReaderConfig { level: MetricsLevel::None, ..MetricsReaderConfig::default() };
    let clock: Arc<dyn Clock> = Arc::new(clock);
    let export = down.export(clock.now());
    let reader = MetricsReader::start(registry.clone(), config, Vec::new(), export, clock.clone());
    reader.drain(clock.now() + Duration::from_secs(1)).await;
    assert_eq!(down.pushes.lock().len(), 2);
}

/// A reload starts a reader while the one before pushes its last values.
#[tokio::test(start_paused = true)]
async fn a_later_reader_does_not_push_again_what_was_pushed() {
    let registry = Registry::new();
    let clock: Arc<dyn Clock> = Arc::new(TokioClock);
    let counter = registry.counter("served", "Orders served.", &[]);
    let destination = Destination::default();
    for round in 1..=2 {
        let config =
            MetricsReaderConfig { temporality: Temporality::Delta, ..MetricsReaderConfig::default() };
        let export = destination.export(clock.now());
        let reader = MetricsReader::start(registry.clone(), config, Vec::new(), export, clock.clone());
        counter.add(10 * round);
        reader.drain(clock.now() + Duration::from_secs(1)).await;
    }
    let pushed: Vec<_> = destination.pushes.lock().iter().map(|(_, served)| *served).collect();
    assert_eq!(pushed, [10, 20]);
}

/// The start says since when the value counts, so that a receiver does not take the value as counted since the reload.
#[tokio::test(start_paused = true)]
async fn cumulative_values_count_since_the_registry_was_made() {
    let registry = Registry::new();
    let _served = registry.counter("served", "Orders served.", &[]);
    let clock: Arc<dyn Clock> = Arc::new(TokioClock);
    let starts = Arc::new(Mutex::new(Vec::new()));
    let kept = starts.clone();
    let export = BoxExport::from_fn(move |batch: Batch| {
        let body = batch.body().to_bytes();
        let view = RequestView::new(SIGNAL, &body);
        let metric = view.metrics().find(|metric| metric.name() == "served").unwrap();
        let Some(DataPoint::Number(point)) = metric.points().next() else { panic!("a number") };
        kept.lock().push(point.start_time_unix_nano());
        async { Ok(Accepted::FULL) }
    });
    for _ in 0..2 {
        let config = MetricsReaderConfig::default();
        let reader =
            MetricsReader::start(registry.clone(), config, Vec::new(), export.clone(), clock.clone());
        reader.drain(clock.now() + Duration::from_secs(1)).await;
    }
    let starts = starts.lock();
    assert_eq!(starts[0], starts[1]);
}
