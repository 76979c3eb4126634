use super::*;
use crate::commands::send::generate::Generator;
use otlp_protocol::{Accepted, Signal};
use otlp_transport::{BoxAttempt, ExportError, Sleep};
use std::collections::VecDeque;
use std::time::SystemTime;

/// Time that passes only while somebody sleeps, at once.
#[derive(Debug)]
struct Simulated {
    start: Instant,
    passed: Mutex<Duration>,
}

impl Simulated {
    #[expect(clippy::disallowed_methods, reason = "an instant to start from: no test looks at it")]
    fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), passed: Mutex::default() })
    }

    fn pass(&self, duration: Duration) {
        *self.passed.lock() += duration;
    }
}

impl Clock for Simulated {
    fn now(&self) -> Instant {
        self.start + *self.passed.lock()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) + *self.passed.lock()
    }

    fn sleep_until(&self, instant: Instant) -> Sleep {
        let mut passed = self.passed.lock();
        *passed = (*passed).max(instant.saturating_duration_since(self.start));
        Box::pin(std::future::ready(()))
    }
}

const PACE: Pace = Pace { count: None, duration: None, rate: None, retries: 0 };

/// Sends generated logs by one worker. Each attempt takes `latency` and has the next of `answers`, then full success.
/// Returns the counts, and the time that passed.
fn sent(pace: Pace, latency: Duration, answers: Vec<ExportResult>) -> (Tally, Duration) {
    let clock = Simulated::new();
    let source = Source::Generated(Generator::new(vec![Signal::ALL[2]], 10, 1, 0));
    let driver = Arc::new(Driver::new(source, pace, clock.clone()));
    let answers = Mutex::new(VecDeque::from(answers));
    let passing = clock.clone();
    let client = BoxAttempt::from_fn(move |_| {
        passing.pass(latency);
        let answer = answers.lock().pop_front().unwrap_or(Ok(Accepted::FULL));
        async move { answer }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(driver.run(&[client], 1));
    (driver.tally(), driver.elapsed())
}

fn unavailable() -> ExportResult {
    Err(ExportError::new(ErrorKind::Unavailable, Retry::Backoff, "connection refused"))
}

const MS: Duration = Duration::from_millis(1);

#[test]
fn the_count_the_time_and_the_rate_bound_the_requests() {
    let (tally, elapsed) = sent(Pace { count: Some(5), ..PACE }, 10 * MS, Vec::new());
    assert_eq!((tally.requests, tally.accepted_items(), elapsed), (5, 50, 50 * MS));
    let (tally, elapsed) = sent(Pace { duration: Some(1_000 * MS), ..PACE }, 10 * MS, Vec::new());
    assert_eq!((tally.requests, elapsed), (100, 1_000 * MS));
    // A request is due at once and then each 100 ms.
    let rate = Pace { rate: Some(10.0), ..PACE };
    let (tally, elapsed) = sent(Pace { duration: Some(1_000 * MS), ..rate }, 10 * MS, Vec::new());
    assert_eq!((tally.requests, elapsed), (10, 1_000 * MS));
    let (tally, elapsed) = sent(Pace { count: Some(3), ..rate }, 10 * MS, Vec::new());
    assert_eq!((tally.requests, elapsed), (3, 210 * MS));
    // Requests that were late are made up for.
    let (tally, elapsed) = sent(Pace { count: Some(4), ..rate }, 150 * MS, Vec::new());
    assert_eq!((tally.requests, elapsed), (4, 600 * MS));
}

#[test]
fn what_may_be_sent_again_is_sent_again_as_often_as_allowed() {
    let later = || Err(ExportError::new(ErrorKind::Exhausted, Retry::After(Duration::from_secs(2)), "full"));
    let one = Pace { count: Some(1), rate: Some(1.0), ..PACE };
    let (tally, elapsed) = sent(Pace { retries: 3, ..one }, MS, vec![unavailable(), unavailable(), later()]);
    assert_eq!((tally.requests, tally.accepted_requests, tally.retries), (1, 1, 3));
    assert_eq!(elapsed, 4 * MS + 100 * MS + 200 * MS + 2_000 * MS);
    let (tally, _) = sent(Pace { retries: 1, ..one }, MS, vec![unavailable(), unavailable()]);
    assert_eq!((tally.accepted_requests, tally.failed_requests(), tally.retries), (0, 1, 1));
    let never = Err(ExportError::new(ErrorKind::InvalidData, Retry::Never, "no"));
    let (tally, _) = sent(Pace { retries: 9, ..one }, MS, vec![never]);
    assert_eq!((tally.failed_requests(), tally.retries), (1, 0));
}

#[test]
fn a_destination_that_is_unreachable_is_not_asked_as_fast_as_possible() {
    let answers = std::iter::repeat_with(unavailable).take(1_000).collect();
    let (tally, _) = sent(Pace { duration: Some(1_000 * MS), ..PACE }, Duration::ZERO, answers);
    assert_eq!((tally.requests, tally.failed_requests()), (10, 10));
    assert_eq!(tally.failures.keys().collect::<Vec<_>>(), ["unavailable: connection refused"]);
}

#[test]
fn premade_requests_are_sent_in_turn() {
    let generator = Generator::new(vec![Signal::ALL[2]], 10, 1, 0);
    let bodies: Vec<_> = (0..3).map(|number| generator.request(number, 5)).collect();
    let source = Source::Premade(bodies.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (number, expected) in bodies.iter().cycle().take(7).enumerate() {
        let next = runtime.block_on(source.next(number as u64, &*Simulated::new()));
        assert_eq!(next.unwrap().unwrap().body().to_bytes(), expected.to_bytes());
    }
    assert!(runtime.block_on(Source::Premade(Vec::new()).next(0, &*Simulated::new())).is_none());
}

#[test]
fn latencies_are_those_of_the_answers() {
    let (tally, _) = sent(Pace { count: Some(20), ..PACE }, 7 * MS, Vec::new());
    assert_eq!((tally.latencies.quantile(0.5), tally.latencies.max()), (7 * MS, 7 * MS));
}
