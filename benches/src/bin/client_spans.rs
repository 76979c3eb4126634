//! Measures the cost of a span of the client: nanoseconds of the recording thread's CPU time for each span, and bytes allocated by the
//! whole program: `cargo build --release -p otlp-benches --bin client_spans`, and the program bound to one core
//! (`taskset -c 1`). A text as argument selects the rows that contain the text.
//!
//! Traces have 100 spans; limits and the sampler are on, and an exporter is attached, which counts and discards. After each pass
//! the client is flushed, outside of the measured time: the program fails unless everything that was recorded was exported.
#![expect(clippy::unwrap_used, reason = "a measurement, run by hand")]

use cap::Cap;
use otlp_protocol::{Accepted, Batch, SeverityNumber};
use otlp_service::client::OtlpClient;
use otlp_service::key;
use otlp_transport::BoxExport;
use rustix::time::{ClockId, clock_gettime};
use std::alloc::System;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[global_allocator]
static ALLOCATED: Cap<System> = Cap::new(System, usize::MAX);

/// Passes of a row.
const PASSES: usize = 51;
/// Traces of a pass, each with 100 spans; for log records the same number of records.
const TRACES: u64 = 200;
/// Spans after the first span of a trace.
const CHILDREN: u64 = 99;

/// CPU time of this thread, in nanoseconds.
fn cpu_nanos() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// A client and the number of items that its exporter has counted.
struct Measured {
    client: OtlpClient,
    exported: Arc<AtomicU64>,
}

impl Measured {
    fn new() -> Self {
        let exported = Arc::new(AtomicU64::new(0));
        let count = exported.clone();
        let export = BoxExport::from_fn(move |batch: Batch| {
            count.fetch_add(batch.items(), Ordering::Relaxed);
            async { Ok(Accepted::FULL) }
        });
        Self { client: OtlpClient::with_exporter(export).unwrap(), exported }
    }

    fn flush(&self) {
        self.client.force_flush(Duration::from_secs(60)).unwrap();
    }

    /// Prints the cost of an item; `trace` records 100 items.
    fn row(&self, name: &str, trace: impl Fn(&OtlpClient)) {
        if std::env::args().nth(1).is_some_and(|part| !name.contains(&part)) {
            return;
        }
        let items = TRACES * (CHILDREN + 1);
        let pass = || {
            let begin = cpu_nanos();
            (0..TRACES).for_each(|_| trace(&self.client));
            (cpu_nanos() - begin) as f64 / items as f64
        };
        pass();
        self.flush();
        let (exported, allocated) = (self.exported.load(Ordering::Relaxed), ALLOCATED.total_allocated());
        let mut passes = [0.0; PASSES];
        for time in &mut passes {
            *time = pass();
            self.flush();
        }
        let allocated = ALLOCATED.total_allocated() - allocated;
        let recorded = items * PASSES as u64;
        assert_eq!(self.exported.load(Ordering::Relaxed) - exported, recorded, "exported and recorded");
        passes.sort_by(f64::total_cmp);
        let (median, lowest) = (passes[PASSES / 2], passes[0]);
        let bytes = allocated as f64 / recorded as f64;
        let mut out = std::io::stdout();
        writeln!(out, "{name:<32} {median:6.1} ns ({lowest:.1}), {bytes:6.2} bytes allocated").unwrap();
    }
}

/// 5 attributes and an event, recorded at once.
fn record(client: &OtlpClient) {
    let root = client.send_trace("handle request").finish();
    for _ in 0..CHILDREN {
        let span = client.send_trace("load item").parent(&root);
        let span = span.attribute(key!("http.request.method"), "GET");
        let span = span.attribute(key!("url.path"), "/cart/12345678");
        let span = span.attribute(key!("http.response.status_code"), 200);
        let span = span.attribute(key!("server.load"), 0.25).attribute(key!("cache.hit"), true);
        let span = span.event("cache lookup", |event| {
            event.attribute(key!("cache.key"), "item");
        });
        span.finish();
    }
}

/// The same in started spans.
fn start(client: &OtlpClient) {
    let root = client.send_trace("handle request").start();
    for _ in 0..CHILDREN {
        let mut span = root.child("load item").start();
        span.attribute(key!("http.request.method"), "GET").attribute(key!("url.path"), "/cart/12345678");
        span.attribute(key!("http.response.status_code"), 200);
        span.attribute(key!("server.load"), 0.25).attribute(key!("cache.hit"), true);
        span.event("cache lookup", |event| {
            event.attribute(key!("cache.key"), "item");
        });
    }
}

/// The same with keys that are encoded for each span.
fn record_texts(client: &OtlpClient) {
    let root = client.send_trace("handle request").finish();
    for _ in 0..CHILDREN {
        let span = client.send_trace("load item").parent(&root);
        let span = span.attribute("http.request.method", "GET").attribute("url.path", "/cart/12345678");
        let span = span.attribute("http.response.status_code", 200);
        let span = span.attribute("server.load", 0.25).attribute("cache.hit", true);
        let span = span.event("cache lookup", |event| {
            event.attribute("cache.key", "item");
        });
        span.finish();
    }
}

fn record_bare(client: &OtlpClient) {
    let root = client.send_trace("handle request").finish();
    for _ in 0..CHILDREN {
        client.send_trace("load item").parent(&root).finish();
    }
}

fn record_logs(client: &OtlpClient) {
    for _ in 0..=CHILDREN {
        let log = client.send_log(SeverityNumber::Info).body("handled a request");
        let log = log.attribute(key!("http.request.method"), "GET");
        let log = log.attribute(key!("url.path"), "/cart/12345678");
        let log = log.attribute(key!("http.response.status_code"), 200);
        log.attribute(key!("server.load"), 0.25).attribute(key!("cache.hit"), true).emit();
    }
}

fn main() {
    let measured = Measured::new();
    measured.row("span", record);
    measured.row("span, started", start);
    measured.row("span, keys as text", record_texts);
    measured.row("span, bare", record_bare);
    measured.row("log record", record_logs);
}
