//! Measures the cost of a measurement, alone and while a second thread on another core makes the same measurement.
//! Nanoseconds of the thread's CPU time for each: the median and, in brackets, the lowest of many short passes (Linux, two cores):
//! `cargo run --release -p otlp-benches --bin client_metrics`. A text as argument selects the rows that contain the text.
#![expect(clippy::unwrap_used, reason = "a measurement, run by hand")]

use otlp_service::client::{HistogramAggregation, MeterSettings, Meters};
use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Passes of a row, each short, so that many are not interrupted.
const PASSES: usize = 101;
const MAX_PASSES: usize = 20_000;
const MEASUREMENTS: u32 = 20_000;
const CALLS_BETWEEN_LOOKS: u32 = 1_000;

/// Attributes of a request, as a call gives them.
macro_rules! attributes {
    () => {
        (
            ("http.request.method", black_box("GET")),
            ("http.route", black_box("/cart/{id}")),
            ("http.response.status_code", black_box(200)),
        )
    };
}

/// Binds this thread to a core, if the system allows that.
fn bind(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core);
    let _ = sched_setaffinity(None, &cores);
}

/// CPU time of this thread, in nanoseconds.
fn cpu_nanos() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Median and lowest cost of a call, in nanoseconds, in the passes that `counts` accepts.
fn cost(call: &impl Fn(u32), counts: &mut dyn FnMut() -> bool) -> Option<[f64; 2]> {
    let mut passes = Vec::with_capacity(PASSES);
    for _ in 0..MAX_PASSES {
        let begin = cpu_nanos();
        for turn in 0..MEASUREMENTS {
            call(turn);
        }
        let pass = (cpu_nanos() - begin) as f64 / f64::from(MEASUREMENTS);
        if counts() {
            passes.push(pass);
        }
        if passes.len() == PASSES {
            passes.sort_by(f64::total_cmp);
            return Some([passes[PASSES / 2], passes[0]]);
        }
    }
    None
}

/// Prints the cost of a call, alone and in the passes in which a second thread made about as many of the same calls.
fn row(name: &str, call: impl Fn(u32) + Sync) {
    if std::env::args().nth(1).is_some_and(|part| !name.contains(&part)) {
        return;
    }
    let alone = cost(&call, &mut || true);
    let (is_done, calls) = (AtomicBool::new(false), AtomicU64::new(0));
    let together = std::thread::scope(|scope| {
        scope.spawn(|| {
            bind(0);
            while !is_done.load(Ordering::Relaxed) {
                for turn in 0..CALLS_BETWEEN_LOOKS {
                    call(turn);
                }
                calls.fetch_add(CALLS_BETWEEN_LOOKS.into(), Ordering::Relaxed);
            }
        });
        let mut before = 0;
        let together = cost(&call, &mut || {
            let now = calls.load(Ordering::Relaxed);
            let others = now - std::mem::replace(&mut before, now);
            let expected = u64::from(MEASUREMENTS);
            (expected / 3..expected * 3).contains(&others)
        });
        is_done.store(true, Ordering::Relaxed);
        together
    });
    let show = |cost: Option<[f64; 2]>| {
        cost.map_or("never".to_owned(), |[median, lowest]| format!("{median:.1} ns ({lowest:.1})"))
    };
    let ratio = together.zip(alone).map_or(f64::NAN, |(together, alone)| together[0] / alone[0]);
    let mut out = std::io::stdout();
    writeln!(out, "{name:<40} {:>18} alone, {:>18} together, {ratio:.2}x", show(alone), show(together))
        .unwrap();
}

fn counters(meters: &Meters) {
    let shared = AtomicU64::new(0);
    row("to compare: one shared atomic", |_| {
        shared.fetch_add(1, Ordering::Relaxed);
    });
    let counter = meters.counter::<u64>("requests").build();
    let bound = counter.bind(attributes!());
    row("counter, bound", |_| bound.add(1));
    row("counter, 3 attributes", |_| counter.add(1, attributes!()));
    row("counter, 3 attributes in another order", |_| {
        let (method, route, status) = attributes!();
        counter.add(1, (status, route, method));
    });
    let routes: Vec<String> = (0..64).map(|id| format!("/cart/{id}/items")).collect();
    row("counter, 3 attributes, 64 sets", |turn| {
        let (method, (key, _), status) = attributes!();
        counter.add(1, (method, (key, &routes[turn as usize % 64]), status));
    });
    row("counter, 3 attributes, 1,500 sets", |turn| {
        let (method, route, (key, _)) = attributes!();
        counter.add(1, (method, route, (key, turn % 1_500)));
    });
    let doubles = meters.counter::<f64>("seconds").build();
    let bound = doubles.bind(attributes!());
    row("counter of doubles, bound", |_| bound.add(0.5));
    row("counter of doubles, 3 attributes", |_| doubles.add(0.5, attributes!()));
    let gauge = meters.gauge::<i64>("level").build();
    let bound = gauge.bind(attributes!());
    row("gauge, bound", |turn| bound.record(i64::from(turn)));
}

fn histograms(meters: &Meters, name: &str) {
    let histogram = meters.histogram::<f64>("duration").build();
    let bound = histogram.bind(attributes!());
    row(&format!("{name}, bound"), |turn| bound.record(f64::from(turn % 8_192)));
    row(&format!("{name}, 3 attributes"), |turn| histogram.record(f64::from(turn % 8_192), attributes!()));
}

fn main() {
    bind(1);
    let mut settings = MeterSettings::default();
    counters(&Meters::new(settings.clone(), 0, |_| ()));
    histograms(&Meters::new(settings.clone(), 0, |_| ()), "histogram");
    settings.histogram_aggregation = HistogramAggregation::Base2Exponential;
    histograms(&Meters::new(settings, 0, |_| ()), "exponential histogram");
}
