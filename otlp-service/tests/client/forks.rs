//! Forks: a child process sends what it records itself, and counts what its parent recorded.
//!
//! Each test forks in a process of its own, with few threads: this test's own binary.
#![expect(unsafe_code, reason = "fork is a function of C")]

use otlp_protocol::bytes::Bytes;
use otlp_protocol::view::{AnyValue, DataPoint, Number, RequestView};
use otlp_protocol::{Accepted, Batch, SeverityNumber, Signal};
use otlp_service::client::{LossReason, OtlpClient, OtlpConfig};
use otlp_transport::{BoxExport, Clock as _, TokioClock};
use parking_lot::Mutex;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

const WAIT: Duration = Duration::from_secs(60);

/// The variable that makes [`process`] do something: the name of the work.
const WORK: &str = "OTLP_TEST_FORKS";

const WORKS: &[(&str, fn())] = &[
    ("logs", logs),
    ("spans", spans),
    ("metrics", metrics),
    ("other threads", other_threads),
    ("grandchildren", grandchildren),
    ("nothing", nothing),
    ("after a shutdown", after_a_shutdown),
    ("busy threads", busy_threads),
    #[cfg(feature = "tracing")]
    ("tracing", traced::tracing),
];

/// The work of other processes; nothing in this one.
#[test]
fn process() {
    let Ok(name) = env::var(WORK) else { return };
    let work = WORKS.iter().find(|(known, _)| *known == name).unwrap().1;
    work();
}

/// Does a work in a process of its own.
fn run(name: &str) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "forks::process", "--nocapture"]).env(WORK, name).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_child_that_logs_counts_its_parents_records() {
    run("logs");
}

#[test]
fn a_child_that_makes_spans_in_its_parents_span_counts_its_parents_spans() {
    run("spans");
}

#[test]
fn metrics_of_a_child_begin_at_zero() {
    run("metrics");
}

#[test]
fn threads_that_a_child_starts_record_before_the_thread_that_forked() {
    run("other threads");
}

#[test]
fn grandchildren_begin_anew() {
    run("grandchildren");
}

#[test]
fn a_child_that_records_nothing_starts_no_thread() {
    run("nothing");
}

#[test]
fn a_client_that_was_shut_down_stays_shut_down_in_a_child() {
    run("after a shutdown");
}

#[test]
fn forks_while_other_threads_record_leave_clients_that_work() {
    run("busy threads");
}

unsafe extern "C" {
    fn fork() -> i32;
    fn waitpid(process: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(status: i32) -> !;
}

/// Does `work` in a child process, and waits until the child has ended.
pub(crate) fn in_child(work: impl FnOnce()) {
    // SAFETY: the child does what a program with several threads may do after a fork with glibc and musl, whose allocators allow it.
    let child = unsafe { fork() };
    assert!(child >= 0);
    if child == 0 {
        let result = catch_unwind(AssertUnwindSafe(work));
        // SAFETY: ends the process.
        unsafe { _exit(i32::from(result.is_err())) };
    }
    let mut status = -1;
    // SAFETY: `status` lives until the call returns.
    assert_eq!(unsafe { waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child failed");
}

/// Requests of this process by signal.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<(Signal, Bytes)>>>);

impl Kept {
    fn client(&self) -> OtlpClient {
        let kept = self.clone();
        let export = BoxExport::from_fn(move |batch: Batch| {
            kept.0.lock().push((batch.signal(), batch.body().plain().to_contiguous()));
            async { Ok(Accepted::FULL) }
        });
        OtlpClient::new(OtlpConfig::default().with_exporter(export).with_error_hook(|_| {})).unwrap()
    }

    fn take(&self, signal: Signal) -> Vec<Bytes> {
        self.0.lock().extract_if(.., |(of, _)| *of == signal).map(|(_, body)| body).collect()
    }

    fn spans(&self) -> Vec<String> {
        let bodies = self.take(Signal::TRACES);
        let names = |body: &Bytes| -> Vec<String> {
            RequestView::new(Signal::TRACES, body).spans().map(|span| span.name().to_owned()).collect()
        };
        bodies.iter().flat_map(names).collect()
    }

    fn logs(&self) -> Vec<i64> {
        let bodies = self.take(Signal::LOGS);
        let numbers = |body: &Bytes| -> Vec<i64> {
            let records = RequestView::new(Signal::LOGS, body);
            let number = |value| if let AnyValue::Int(number) = value { number } else { -1 };
            records.log_records().map(|record| number(record.body())).collect()
        };
        bodies.iter().flat_map(numbers).collect()
    }
}

fn log(client: &OtlpClient, number: i64) {
    client.send_log(SeverityNumber::Info).body(number).emit();
}

fn logs() {
    let kept = Kept::default();
    let client = kept.client();
    (1..=3).for_each(|number| log(&client, number));
    in_child(|| {
        log(&client, 4);
        log(&client, 5);
        client.force_flush(WAIT).unwrap();
        assert_eq!(kept.logs(), [4, 5]);
        let stats = client.stats().logs;
        assert_eq!((stats.sent(), stats.lost(LossReason::Fork), stats.lost_in_all()), (2, 3, 3));
        client.shutdown(WAIT).unwrap();
    });
    client.force_flush(WAIT).unwrap();
    assert_eq!(kept.logs(), [1, 2, 3]);
    assert_eq!(client.stats().logs.lost_in_all(), 0);
}

fn spans() {
    let kept = Kept::default();
    let client = kept.client();
    client.send_trace("of the parent").finish();
    let open = client.send_trace("open").start();
    in_child(|| {
        let child = open.child("of the child").finish();
        assert_eq!(child.trace_id, open.context().trace_id);
        client.force_flush(WAIT).unwrap();
        assert_eq!(kept.spans(), ["of the child"]);
        let stats = client.stats().spans;
        assert_eq!((stats.sent(), stats.lost(LossReason::Fork), stats.lost_in_all()), (1, 1, 1));
    });
    drop(open);
    client.force_flush(WAIT).unwrap();
    assert_eq!(kept.spans(), ["of the parent", "open"]);
}

/// Values and start times of the sums that were collected last, and the number of other points.
fn collected(kept: &Kept) -> (Vec<(i64, u64)>, usize) {
    let bodies = kept.take(Signal::METRICS);
    let (mut sums, mut others) = (Vec::new(), 0);
    for metric in RequestView::new(Signal::METRICS, bodies.last().unwrap()).metrics() {
        for point in metric.points() {
            let value =
                if let DataPoint::Number(number) = &point { number.value() } else { Number::Double(0.0) };
            match value {
                Number::Int(value) => sums.push((value, point.start_time_unix_nano())),
                _ => others += 1,
            }
        }
    }
    (sums, others)
}

fn metrics() {
    let kept = Kept::default();
    let client = kept.client();
    let counter = client.counter::<u64>("counter").build();
    let bound = counter.bind([("bound", true)]);
    let gauge = client.gauge::<f64>("gauge").build();
    let histogram = client.histogram::<f64>("histogram").build().bind(());
    counter.add(5, ());
    bound.add(7);
    gauge.record(1.0, ());
    histogram.record(1.0);
    let before = u64::try_from(TokioClock.wall().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap();
    in_child(|| {
        // The first measurement is that of a bound instrument, which finds its cells without a look at anything else.
        bound.add(2);
        counter.add(3, ());
        client.force_flush(WAIT).unwrap();
        let (mut sums, others) = collected(&kept);
        sums.sort_unstable();
        assert_eq!(sums.iter().map(|(value, _)| *value).collect::<Vec<_>>(), [2, 3]);
        assert!(sums.iter().all(|(_, start)| *start >= before), "{sums:?}, forked after {before}");
        assert_eq!(others, 0);
        gauge.record(2.0, ());
        histogram.record(2.0);
        client.shutdown(WAIT).unwrap();
        assert_eq!(collected(&kept).1, 2);
    });
    client.force_flush(WAIT).unwrap();
    let (mut sums, others) = collected(&kept);
    sums.sort_unstable();
    assert!(sums.iter().map(|(value, _)| *value).eq([5, 7]) && sums.iter().all(|(_, start)| *start < before));
    assert_eq!(others, 2);
}

fn other_threads() {
    let kept = Kept::default();
    let client = kept.client();
    let counter = client.counter::<u64>("counter").build().bind(());
    counter.add(1);
    log(&client, 1);
    in_child(|| {
        thread::scope(|scope| {
            scope.spawn(|| {
                log(&client, 2);
                counter.add(10);
            });
        });
        log(&client, 3);
        counter.add(10);
        client.force_flush(WAIT).unwrap();
        let mut logs = kept.logs();
        logs.sort_unstable();
        assert_eq!(logs, [2, 3]);
        assert_eq!(client.stats().logs.lost(LossReason::Fork), 1);
        assert_eq!(collected(&kept).0[0].0, 20);
    });
}

fn grandchildren() {
    let kept = Kept::default();
    let client = kept.client();
    let counter = client.counter::<u64>("counter").build().bind(());
    counter.add(1);
    log(&client, 1);
    in_child(|| {
        counter.add(10);
        log(&client, 2);
        in_child(|| {
            counter.add(100);
            log(&client, 3);
            client.force_flush(WAIT).unwrap();
            assert_eq!(kept.logs(), [3]);
            assert_eq!(client.stats().logs.lost(LossReason::Fork), 1);
            assert_eq!(collected(&kept).0[0].0, 100);
        });
        client.shutdown(WAIT).unwrap();
        assert_eq!(kept.logs(), [2]);
        assert_eq!(collected(&kept).0[0].0, 10);
    });
    client.shutdown(WAIT).unwrap();
    assert_eq!(kept.logs(), [1]);
    assert_eq!(collected(&kept).0[0].0, 1);
}

fn nothing() {
    let kept = Kept::default();
    let client = kept.client();
    log(&client, 1);
    in_child(|| {
        client.shutdown(WAIT).unwrap();
        drop(client.clone());
        assert_eq!(client.stats().logs.sent(), 0);
        #[cfg(target_os = "linux")]
        assert_eq!(std::fs::read_dir("/proc/self/task").unwrap().count(), 1);
    });
}

fn after_a_shutdown() {
    let kept = Kept::default();
    let client = kept.client();
    log(&client, 1);
    client.shutdown(WAIT).unwrap();
    in_child(|| {
        kept.logs();
        log(&client, 2);
        client.force_flush(WAIT).unwrap_err();
        assert_eq!((kept.logs(), client.stats().logs.lost(LossReason::Shutdown)), (Vec::new(), 1));
    });
}

fn busy_threads() {
    // Without a lock, which the parent's thread could hold at a fork.
    let export = BoxExport::from_fn(|_| async { Ok(Accepted::FULL) });
    let client =
        OtlpClient::new(OtlpConfig::default().with_exporter(export).with_error_hook(|_| {})).unwrap();
    let counter = client.counter::<u64>("counter").build();
    let histogram = client.histogram::<f64>("histogram").build().bind(());
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for thread in 0..3 {
            let (client, counter, histogram, is_over) = (&client, &counter, &histogram, &is_over);
            scope.spawn(move || {
                let mut number = 0;
                while !is_over.load(Ordering::Relaxed) {
                    number += 1;
                    drop(client.send_trace("busy").start());
                    log(client, number);
                    counter.add(1, [("number", number % 1_000)]);
                    histogram.record(1.0);
                    if thread == 0 && number % 64 == 0 {
                        let _ = client.force_flush(WAIT);
                    }
                }
            });
        }
        for _ in 0..3 {
            in_child(|| {
                log(&client, 1);
                client.send_trace("of the child").finish();
                counter.add(1, [("child", true)]);
                histogram.record(1.0);
                // What the thread recorded before its fork is none here.
                client.force_flush(WAIT).unwrap();
                let stats = client.stats();
                assert_eq!((stats.spans.sent(), stats.logs.sent()), (1, 1));
                client.shutdown(WAIT).unwrap();
            });
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

#[cfg(feature = "tracing")]
mod traced {
    use super::{Kept, WAIT, in_child, run};
    use otlp_service::client::LossReason;
    use tracing::{info, info_span, subscriber};

    #[test]
    fn a_child_that_uses_tracing_counts_its_parents_spans() {
        run("tracing");
    }

    pub(super) fn tracing() {
        let kept = Kept::default();
        let client = kept.client();
        subscriber::with_default(client.tracing_subscriber(), || {
            info_span!("of the parent").in_scope(|| {});
            let open = info_span!("open").entered();
            in_child(|| {
                info_span!("of the child").in_scope(|| info!("an event"));
                client.force_flush(WAIT).unwrap();
                assert_eq!(kept.spans(), ["of the child"]);
                let stats = client.stats().spans;
                assert_eq!((stats.sent(), stats.lost(LossReason::Fork)), (1, 1));
            });
            drop(open);
            client.force_flush(WAIT).unwrap();
            assert_eq!(kept.spans(), ["of the parent", "open"]);
        });
    }
}
