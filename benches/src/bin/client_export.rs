//! Measures the CPU time of exporting spans, without the thread that records the spans. A million spans at a steady rate, in traces of
//! 100, each span with five attributes and an event, through `OtlpClient` to a sink in another process:
//!
//! ```text
//! cargo run --release -p otlp-benches --bin client_export sink 127.0.0.1:4317
//! cargo run --release -p otlp-benches --bin client_export send 127.0.0.1:4317 [grpc|http] [none|gzip] [SPANS-A-SECOND] [SPANS]
//! ```
//!
//! Prints real time, CPU times of the recording thread and of the client's threads for each span (Linux), and the numbers of spans
//! that were made, delivered and lost by reason; fails if one is not accounted for. The sink prints what it received once nothing
//! comes any more. Pin the two to different cores (`taskset`), and take turns with what the client is compared with.
#![expect(clippy::unwrap_used, reason = "a measurement, run by hand")]

use otlp_protocol::{Accepted, Batch, SpanKind};
use otlp_service::client::{OtlpClient, OtlpConfig, Protocol};
use otlp_service::key;
use otlp_transport::{
    BoxExport, Clock as _, Compression, MultiplexTransportStrategy, Routes, ServerConfig,
    ServerStrategy as _, TokioClock, TransportContext,
};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Spans of a trace.
const TRACE: u64 = 100;
/// Traces that are recorded without a pause.
const BURST: u64 = 10;
/// Time between two looks at what the sink received.
const QUIET: Duration = Duration::from_millis(500);

#[inline(never)]
fn trace(client: &OtlpClient) {
    let root = client
        .send_trace("GET /cart")
        .root()
        .kind(SpanKind::Server)
        .attribute(key!("http.request.method"), "GET")
        .attribute(key!("url.path"), "/cart/00000000")
        .attribute(key!("http.response.status_code"), 200)
        .attribute(key!("server.load"), 0.25)
        .attribute(key!("cache.hit"), true)
        .start();
    for _ in 1..TRACE {
        root.child("load item")
            .kind(SpanKind::Internal)
            .attribute(key!("http.request.method"), "GET")
            .attribute(key!("url.path"), "/cart/00000000")
            .attribute(key!("http.response.status_code"), 200)
            .attribute(key!("server.load"), 0.25)
            .attribute(key!("cache.hit"), true)
            .event("cache lookup", |event| {
                event.attribute(key!("cache.key"), "k1");
            })
            .finish();
    }
}

/// CPU time of a thread; zero where the system does not tell.
fn cpu_time(thread: &str) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{thread}/schedstat")).unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default())
}

/// CPU time of all threads.
fn cpu_time_in_all() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    threads.map(|thread| cpu_time(&format!("self/task/{}", thread.file_name().display()))).sum()
}

fn send(arguments: &[String]) {
    let argument = |index: usize, default: &'static str| arguments.get(index).map_or(default, String::as_str);
    let (protocol, compression) = (argument(1, "grpc"), argument(2, "none"));
    let rate: u64 = argument(3, "200000").parse().unwrap();
    let total: u64 = argument(4, "1000000").parse().unwrap();
    let client = OtlpClient::new(
        OtlpConfig::default()
            .with_endpoint(format!("http://{}", argument(0, "127.0.0.1:4317")))
            .with_protocol(if protocol == "http" { Protocol::HttpProtobuf } else { Protocol::Grpc })
            .with_compression(if compression == "gzip" { Compression::Gzip } else { Compression::None })
            .with_service_name("client-export"),
    );
    let client = client.unwrap();
    let (begin, own_begin, all_begin) = (TokioClock.now(), cpu_time("thread-self"), cpu_time_in_all());
    let mut made = 0;
    while made < total {
        (0..BURST).for_each(|_| trace(&client));
        made += BURST * TRACE;
        let due = Duration::from_nanos(made * 1_000_000_000 / rate);
        std::thread::sleep(due.saturating_sub(TokioClock.now() - begin));
    }
    let own = cpu_time("thread-self") - own_begin;
    let flushed = client.force_flush(Duration::from_secs(30));
    // The flush is the recording thread's: it waits.
    let all = cpu_time_in_all() - all_begin;
    let wall = TokioClock.now() - begin;
    let nanos = |time: Duration| time.as_nanos() as f64 / made as f64;
    let spans = client.stats().spans;
    writeln!(
        std::io::stdout().lock(),
        "otlp {protocol} {compression} {rate}/s: {:.2} s | recording {:.0} ns/span | other threads {:.0} ns/span | \
         made {made}, delivered {}, lost {}: {spans:?} | flush {flushed:?}",
        wall.as_secs_f64(),
        nanos(own),
        nanos(all.saturating_sub(own)),
        spans.sent(),
        spans.lost_in_all(),
    )
    .unwrap();
    assert_eq!(spans.sent() + spans.lost_in_all(), made);
}

async fn sink(address: &str) {
    let received = Arc::new(AtomicU64::new(0));
    let counter = received.clone();
    let count = BoxExport::from_fn(move |batch: Batch| {
        counter.fetch_add(batch.items(), Ordering::Relaxed);
        async { Ok(Accepted::FULL) }
    });
    let context = TransportContext::tcp(256 << 20);
    let server = MultiplexTransportStrategy.bind(&context, ServerConfig::new(address), Routes::all(count));
    let server = server.await.unwrap();
    writeln!(std::io::stdout().lock(), "sink at {}", server.local_addr()).unwrap();
    let mut before = 0;
    loop {
        TokioClock.sleep(QUIET).await;
        let now = received.load(Ordering::Relaxed);
        if now > 0 && now == before {
            received.store(0, Ordering::Relaxed);
            writeln!(std::io::stdout().lock(), "received {now}").unwrap();
        }
        before = now;
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((mode, rest)) if mode == "send" => send(rest),
        Some((mode, rest)) if mode == "sink" => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(sink(rest.first().map_or("127.0.0.1:4317", String::as_str)));
        }
        _ => {
            let usage =
                "usage: client_export sink ADDRESS | send ADDRESS [grpc|http] [none|gzip] [RATE] [SPANS]\n";
            std::io::stderr().write_all(usage.as_bytes()).unwrap();
        }
    }
}
