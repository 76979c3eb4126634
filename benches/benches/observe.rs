//! CPU time of an edge for each request, without an observer and with one.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use criterion::{Criterion, criterion_group, criterion_main};
use otlp_protocol::{Batch, Body, Charge, Signal, ValidateLimits};
use otlp_service::{Observed, Registry, Subscription, TelemetryObserver, TelemetrySubject};
use std::hint::black_box;
use std::time::Duration;

/// Takes a copy, and waits: almost every further copy is lost.
struct Slow;

/// Takes each copy at once.
struct Quick;

impl TelemetryObserver for Slow {
    fn on_batch(&self, _: &Observed) {
        std::thread::sleep(Duration::from_millis(100));
    }
}

impl TelemetryObserver for Quick {
    fn on_batch(&self, observed: &Observed) {
        black_box(observed.batch().items());
    }
}

fn edges(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let _inside = runtime.enter();
    let body = Body::check(Signal::TRACES, otlp_benches::spans(1), &ValidateLimits::default()).unwrap();
    let mut batch = Batch::new(body, Charge::none());
    let mut group = criterion.benchmark_group("a batch at an edge");
    group.bench_function("without an edge", |bencher| {
        bencher.iter(|| {
            black_box(black_box(&mut batch));
        })
    });
    let subject = TelemetrySubject::new(&Registry::new());
    let edge = subject.edge("edge");
    group.bench_function("nobody listens", |bencher| {
        bencher.iter(|| black_box(&edge).observe(black_box(&mut batch)));
    });
    let slow = subject.subscribe(Subscription::default(), Slow).unwrap();
    group.bench_function("a slow observer, whose queue is full", |bencher| {
        bencher.iter(|| black_box(&edge).observe(black_box(&mut batch)));
    });
    drop(slow);
    let quick = subject.subscribe(Subscription::default(), Quick).unwrap();
    group.bench_function("a quick observer", |bencher| {
        bencher.iter(|| black_box(&edge).observe(black_box(&mut batch)));
    });
    drop(quick);
    group.finish();
}

criterion_group!(benches, edges);
criterion_main!(benches);
