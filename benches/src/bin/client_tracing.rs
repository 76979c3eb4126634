//! Measures the cost of spans and log records of `tracing` in the client's layer and subscriber. A trace of 100 spans, each with five fields and
//! an event with one field; and log records with five fields: `cargo run --release -p otlp-benches --bin client_tracing DOOR`.
//!
//! A process has one global default subscriber, so the door is an argument: `subscriber`, `layer`, `registry` (a registry alone) or
//! `none`. The client sends to an exporter that counts; the program fails unless everything arrives. Times are CPU times of the
//! thread that records, without the flushes between the bursts (Linux). Run it pinned to one core, several times, and take turns
//! with what it is compared with: `taskset -c 1`.
#![expect(clippy::unwrap_used, reason = "a measurement, run by hand")]

use otlp_protocol::{Accepted, Batch, Signal, count};
use otlp_service::client::{ClientStats, OtlpClient, TracingOptions};
use otlp_transport::BoxExport;
use rustix::time::{ClockId, clock_gettime};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tracing_subscriber::layer::SubscriberExt as _;

/// Passes; the median counts.
const PASSES: usize = 15;
/// Bursts of a pass.
const BURSTS: usize = 40;
/// Traces of a burst, of 100 spans each; and a tenth of the log records of a burst.
const TRACES: usize = 10;
const SPANS: usize = 100;

#[inline(never)]
fn trace() {
    let root = tracing::info_span!(
        "GET /cart",
        otel.kind = "server",
        http.request.method = "GET",
        url.path = "/cart/00000000",
        http.response.status_code = 200i64,
        server.load = 0.25f64,
        cache.hit = true
    );
    let _in_root = root.enter();
    tracing::info!(cache.key = "k1", "cache lookup");
    for _ in 1..SPANS {
        let span = tracing::info_span!(
            "load item",
            http.request.method = "GET",
            url.path = "/cart/00000000",
            http.response.status_code = 200i64,
            server.load = 0.25f64,
            cache.hit = true
        );
        let _in_span = span.enter();
        tracing::info!(cache.key = "k1", "cache lookup");
    }
}

#[inline(never)]
fn logs() {
    for _ in 0..SPANS {
        tracing::info!(
            http.request.method = "GET",
            url.path = "/cart/00000000",
            http.response.status_code = 200i64,
            server.load = 0.25f64,
            cache.hit = true,
            "request done"
        );
    }
}

/// CPU time of this thread, in nanoseconds.
fn cpu_nanos() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Nanoseconds an item, of each pass, sorted.
fn measure(client: &OtlpClient, record: fn()) -> Vec<f64> {
    let pass = || {
        let mut spent = 0;
        for _ in 0..BURSTS {
            let begin = cpu_nanos();
            (0..TRACES).for_each(|_| record());
            spent += cpu_nanos() - begin;
            client.force_flush(Duration::from_secs(10)).unwrap();
        }
        spent as f64 / (BURSTS * TRACES * SPANS) as f64
    };
    pass();
    let mut passes: Vec<f64> = (0..PASSES).map(|_| pass()).collect();
    passes.sort_by(f64::total_cmp);
    passes
}

fn main() {
    let door = std::env::args().nth(1).unwrap_or_default();
    let lean = std::env::args().nth(2).is_some_and(|argument| argument == "lean");
    let arrived = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let counter = arrived.clone();
    let client = OtlpClient::with_exporter(BoxExport::from_fn(move |batch: Batch| {
        let counter = counter.clone();
        async move {
            let body = batch.body().plain().to_contiguous();
            let items = count(batch.signal(), &body).unwrap().items;
            counter[usize::from(batch.signal() == Signal::LOGS)].fetch_add(items, Ordering::Relaxed);
            Ok(Accepted::FULL)
        }
    }));
    let client = client.unwrap();
    let mut options = TracingOptions::default();
    if lean {
        (options.location, options.threads, options.targets) = (false, false, false);
    }
    let subscriber = client.tracing_subscriber().with_options(options.clone());
    let registry = tracing_subscriber::registry();
    let layer = client.tracing_layer().with_options(options);
    match door.as_str() {
        "subscriber" => tracing::subscriber::set_global_default(subscriber),
        "layer" => tracing::subscriber::set_global_default(registry.with(layer)),
        "registry" => tracing::subscriber::set_global_default(registry),
        _ => Ok(()),
    }
    .unwrap();
    let mut out = std::io::stdout().lock();
    for (name, record) in [("span", trace as fn()), ("log", logs)] {
        let passes = measure(&client, record);
        let (low, median, high) = (passes[0], passes[passes.len() / 2], passes[passes.len() - 1]);
        writeln!(out, "{door:<10} {name:<4} median {median:6.1} ns, min {low:6.1}, max {high:6.1}").unwrap();
    }
    let made = ((PASSES + 1) * BURSTS * TRACES * SPANS) as u64;
    let made = if matches!(door.as_str(), "subscriber" | "layer") { made } else { 0 };
    let ClientStats { spans, logs, .. } = client.stats();
    let [span_count, log_count] = [0, 1].map(|index| arrived[index].load(Ordering::Relaxed));
    writeln!(out, "made {made} of each; arrived {span_count} spans, {log_count} logs; {spans:?} {logs:?}")
        .unwrap();
    assert_eq!((span_count, log_count), (made, made));
}
