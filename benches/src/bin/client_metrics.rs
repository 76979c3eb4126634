//! What does a measurement of the client cost, alone and while a second thread measures the same? Nanoseconds of the thread's CPU time
//! for each measurement, the median and, in brackets, the lowest of many short passes: `cargo run --release -p otlp-benches --bin client_metrics`. For the rows
//! of one thread alone, bind the program to one core (`taskset -c 1`); those of two threads need two cores. A text as argument
//! selects the rows that contain the text.
#![expect(clippy::unwrap_used, reason = "a measurement, run by hand")]

use otlp_service::client::{HistogramAggregation, MeterSettings, Meters};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Passes of a row, each short, so that many are not interrupted.
const PASSES: usize = 201;
const MEASUREMENTS: u32 = 20_000;

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

/// CPU time of this thread, in nanoseconds.
fn cpu_nanos() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Median and lowest cost of a call, in nanoseconds.
fn cost(call: &impl Fn(u32)) -> [f64; 2] {
    let mut passes = [0.0; PASSES];
    for pass in &mut passes {
        let begin = cpu_nanos();
        for turn in 0..MEASUREMENTS {
            call(turn);
        }
        *pass = (cpu_nanos() - begin) as f64 / f64::from(MEASUREMENTS);
    }
    passes.sort_by(f64::total_cmp);
    [passes[PASSES / 2], passes[0]]
}

/// Prints the cost of a call, alone and beside a second thread that makes the same calls.
fn row(name: &str, call: impl Fn(u32) + Sync) {
    if std::env::args().nth(1).is_some_and(|part| !name.contains(&part)) {
        return;
    }
    let alone = cost(&call);
    let is_done = AtomicBool::new(false);
    let together = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                for turn in 0..1_000 {
                    call(turn);
                }
            }
        });
        let together = cost(&call);
        is_done.store(true, Ordering::Relaxed);
        together
    });
    let ratio = together[0] / alone[0];
    let [alone, together] =
        [alone, together].map(|[median, lowest]| format!("{median:6.1} ns ({lowest:.1})"));
    let mut out = std::io::stdout();
    writeln!(out, "{name:<40} {alone:>18} alone, {together:>18} together, {ratio:.2}x").unwrap();
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
    let mut settings = MeterSettings::default();
    counters(&Meters::new(settings.clone(), 0, |_| ()));
    histograms(&Meters::new(settings.clone(), 0, |_| ()), "histogram");
    settings.histogram_aggregation = HistogramAggregation::Base2Exponential;
    histograms(&Meters::new(settings, 0, |_| ()), "exponential histogram");
}
