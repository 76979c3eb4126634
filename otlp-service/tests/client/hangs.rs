//! No destination holds up the program: whatever the destination does, and wherever the program flushes, shuts down or drops the
//! client, the call ends at its time limit, tells the failure, and all items are accounted for.
//!
//! Each place runs against each destination of [`targets`], over gRPC and over HTTP, on a thread of its own. The tests wait much
//! longer than the calls may take: they tell a hang from an answer, and measure nothing.

mod children;
mod deadlines;
mod own_thread;
mod panic_hook;
mod places;
mod targets;

use otlp_protocol::SeverityNumber;
use otlp_service::client::{ItemStats, LossReason, OtlpClient, OtlpConfig, Protocol};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use targets::{Target, Targets};

/// Time limit of the calls.
const LIMIT: Duration = Duration::from_millis(200);

/// A call that takes longer hangs.
const HANG: Duration = Duration::from_secs(60);

/// Spans of [`record`], and log records.
const ITEMS: u64 = 10;

/// Items of [`record`]: spans, log records, and the point of a counter, which each flush and the shutdown collect.
const ALL_ITEMS: u64 = 2 * ITEMS + 1;

/// A destination and a protocol.
#[derive(Clone, Debug)]
struct Case {
    target: Target,
    protocol: Protocol,
}

impl Case {
    fn all(targets: &[Target]) -> Vec<Self> {
        let of = |protocol| targets.iter().map(move |target| Self { target: target.clone(), protocol });
        of(Protocol::Grpc).chain(of(Protocol::HttpProtobuf)).collect()
    }

    fn name(&self) -> String {
        format!("{} over {:?}", self.target.name, self.protocol)
    }

    fn config(&self) -> OtlpConfig {
        let mut config =
            OtlpConfig::default().with_endpoint(self.target.endpoint.as_str()).with_protocol(self.protocol);
        config.shutdown_timeout = LIMIT;
        config.with_error_hook(|_| {})
    }

    fn client(&self) -> OtlpClient {
        OtlpClient::new(self.config()).unwrap()
    }
}

/// Does `work` for each destination and protocol, at the same time.
fn in_each_case(work: impl Fn(&Case) + Clone + Send + 'static) {
    let targets = Targets::start();
    in_cases(Case::all(&targets.all), work);
}

fn in_cases(cases: Vec<Case>, work: impl Fn(&Case) + Clone + Send + 'static) {
    let mut running: Vec<String> = cases.iter().map(Case::name).collect();
    let (done, ended) = mpsc::channel();
    for case in cases {
        let (work, done) = (work.clone(), done.clone());
        thread::spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(|| work(&case)));
            done.send((case.name(), result.is_ok()))
        });
    }
    while !running.is_empty() {
        let (name, is_ok) = ended.recv_timeout(HANG).unwrap_or_else(|_| (running.join(", "), false));
        assert!(is_ok, "fails or hangs: {name}");
        running.retain(|other| *other != name);
    }
}

/// Records [`ITEMS`] spans and log records, and counts them by a metric.
fn record(client: &OtlpClient) {
    for index in 0..ITEMS {
        let context = client.send_trace("work").attribute("index", index).finish();
        client.send_log(SeverityNumber::Info).body("done").context(&context).emit();
    }
    client.counter::<u64>("work").build().add(ITEMS, ());
}

/// Flushes and shuts down, both with items to send.
fn flush_and_shut_down(client: &OtlpClient) {
    record(client);
    client.force_flush(LIMIT).unwrap_err();
    record(client);
    client.shutdown(LIMIT).unwrap_err();
    all_are_lost(client, 2 * ITEMS);
    // What comes after the shutdown is counted at once, and a second shutdown does not wait.
    let before = client.stats().spans.lost(LossReason::Shutdown);
    client.send_trace("late").finish();
    assert_eq!(client.stats().spans.lost(LossReason::Shutdown), before + 1);
    client.shutdown(HANG).unwrap_err();
}

/// Waits until so many spans and log records are counted as lost, each for one reason, and none is counted twice. Of metric points,
/// a number that depends on the collections is lost.
fn all_are_lost(client: &OtlpClient, items: u64) {
    until("all items are counted", || {
        let stats = client.stats();
        let points = stats.points.lost_in_all();
        stats.spans.lost_in_all() >= items && stats.logs.lost_in_all() >= items && points > 0
    });
    let stats = client.stats();
    assert_eq!(
        (stats.points.sent(), lost_to_the_destination(&stats.points)),
        (0, stats.points.lost_in_all())
    );
    for kind in [stats.spans, stats.logs] {
        assert_eq!((kind.sent(), kind.lost_in_all()), (0, items), "{kind:?}");
        assert_eq!(lost_to_the_destination(&kind), items, "{kind:?}");
    }
}

/// Items that were lost for reasons that a destination causes.
fn lost_to_the_destination(items: &ItemStats) -> u64 {
    let reasons = [LossReason::SendFailed, LossReason::Refused, LossReason::TimedOut, LossReason::Shutdown];
    reasons.into_iter().map(|reason| items.lost(reason)).sum()
}

/// Waits until a condition holds.
fn until(what: &str, holds: impl Fn() -> bool) {
    let step = Duration::from_millis(5);
    let mut waited = Duration::ZERO;
    while !holds() {
        assert!(waited < HANG, "not after {HANG:?}: {what}");
        thread::sleep(step);
        waited += step;
    }
}
