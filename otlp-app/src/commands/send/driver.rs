//! Sending: a number of workers take requests in turn, each when the rate allows it, and count the answers.

use super::source::Source;
use super::tally::Tally;
use otlp_protocol::{Batch, ErrorKind, Retry};
use otlp_transport::{Attempt, Clock, ExportResult};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Number and pace of the requests.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    /// Number of requests; `None`: until the source or the time ends.
    pub(super) count: Option<u64>,
    /// Time after which no request is started.
    pub(super) duration: Option<Duration>,
    /// Requests in a second.
    pub(super) rate: Option<f64>,
    /// Times that a request is sent again if the destination cannot take it for the moment.
    pub(super) retries: u32,
}

/// State that all workers share.
pub(super) struct Driver {
    source: Source,
    pace: Pace,
    clock: Arc<dyn Clock>,
    started: Instant,
    /// Number of requests that were taken.
    taken: AtomicU64,
    is_stopped: watch::Sender<bool>,
    tally: Mutex<Tally>,
    /// The first faults of files, which are written to stderr.
    faults: Mutex<Vec<String>>,
}

// === impl Driver ===

impl Driver {
    pub(super) fn new(source: Source, pace: Pace, clock: Arc<dyn Clock>) -> Self {
        Self {
            source,
            pace,
            started: clock.now(),
            clock,
            taken: AtomicU64::new(0),
            is_stopped: watch::Sender::new(false),
            tally: Mutex::new(Tally::new()),
            faults: Mutex::default(),
        }
    }

    /// Sends requests by `concurrency` workers until all are sent, or [`stop`](Self::stop) is called, and the last answer has
    /// arrived.
    pub(super) async fn run<A: Attempt + Clone>(self: &Arc<Self>, clients: &[A], concurrency: usize) {
        let mut workers = JoinSet::new();
        for client in clients.iter().cycle().take(concurrency) {
            let (driver, client) = (self.clone(), client.clone());
            workers.spawn(async move { driver.work(&client).await });
        }
        workers.join_all().await;
    }

    /// Starts no further request.
    pub(super) fn stop(&self) {
        self.is_stopped.send_replace(true);
    }

    /// Returns the time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.clock.now().saturating_duration_since(self.started)
    }

    /// Returns the counts so far.
    pub(super) fn tally(&self) -> Tally {
        self.tally.lock().clone()
    }

    /// Takes the faults of files that are not yet written.
    pub(super) fn take_faults(&self) -> Vec<String> {
        std::mem::take(&mut *self.faults.lock())
    }

    /// Returns the part of all requests that has been sent, from 0 to 1, if the end is known.
    pub(super) fn progress(&self) -> Option<f64> {
        let by_count = self.pace.count.map(|count| self.tally.lock().requests as f64 / count.max(1) as f64);
        let by_time = self.pace.duration.map(|duration| self.elapsed().div_duration_f64(duration));
        let progress = by_count.into_iter().chain(by_time).reduce(f64::max);
        progress.map(|progress| progress.min(1.0))
    }

    async fn work(&self, client: &impl Attempt) {
        while let Some(number) = self.turn().await {
            let next = tokio::select! {
                biased;
                next = self.source.next(number, &*self.clock) => next,
                () = self.stopped() => return,
            };
            let batch = match next {
                Some(Ok(batch)) => batch,
                Some(Err(fault)) => {
                    self.add_fault(fault);
                    continue;
                }
                None => return,
            };
            self.tally.lock().begin(&batch);
            let (answer, latency) = self.send(client, &batch).await;
            self.tally.lock().add(&batch, &answer, latency);
            // An unreachable destination is not asked as fast as possible.
            if answer.is_err_and(|error| error.kind() == ErrorKind::Unavailable) && self.pace.rate.is_none() {
                self.sleep(UNREACHABLE_DELAY).await;
            }
        }
    }

    /// Waits until the next request is due, and returns its number; `None` if no further request is to be sent.
    async fn turn(&self) -> Option<u64> {
        let number = self.taken.fetch_add(1, Relaxed);
        if *self.is_stopped.borrow() || self.pace.count.is_some_and(|count| number >= count) {
            return None;
        }
        let end = self.pace.duration.map(|duration| self.started + duration);
        let due = self.pace.rate.map(|rate| {
            let after = Duration::try_from_secs_f64(number as f64 / rate).unwrap_or(Duration::MAX);
            self.started.checked_add(after).unwrap_or_else(|| self.started + FOREVER)
        });
        let now = self.clock.now();
        let begin = due.unwrap_or(now).max(now);
        if end.is_some_and(|end| begin >= end) {
            // The time that is left passes, so that the rates are of the whole time.
            self.sleep(end.map_or(Duration::ZERO, |end| end.saturating_duration_since(now))).await;
            return None;
        }
        if begin > now {
            self.sleep(begin - now).await;
        }
        (!*self.is_stopped.borrow()).then_some(number)
    }

    /// Sends a request, and again as often as retries are allowed. Returns the last answer and the latency of its attempt.
    async fn send(&self, client: &impl Attempt, batch: &Batch) -> (ExportResult, Duration) {
        let mut retries = 0;
        loop {
            let started = self.clock.now();
            let answer = client.attempt(batch).await;
            let latency = self.clock.now().saturating_duration_since(started);
            let delay = match answer.as_ref().map_err(|error| error.retry()) {
                Err(Retry::Backoff) => RETRY_DELAY * 2_u32.pow(retries.min(MAX_DOUBLINGS)),
                Err(Retry::After(delay)) => delay.min(MAX_RETRY_DELAY),
                Ok(_) | Err(Retry::Never) => return (answer, latency),
            };
            if retries >= self.pace.retries || *self.is_stopped.borrow() {
                return (answer, latency);
            }
            retries += 1;
            self.tally.lock().retries += 1;
            self.sleep(delay).await;
        }
    }

    /// Sleeps until a time has passed or the driver is stopped.
    async fn sleep(&self, duration: Duration) {
        tokio::select! {
            () = self.clock.sleep(duration) => {}
            () = self.stopped() => {}
        }
    }

    async fn stopped(&self) {
        let _ = self.is_stopped.subscribe().wait_for(|is_stopped| *is_stopped).await;
    }

    fn add_fault(&self, fault: String) {
        self.tally.lock().unreadable += 1;
        let mut faults = self.faults.lock();
        if faults.len() < MAX_FAULTS {
            faults.push(fault);
        }
    }
}

/// Pause of a worker after a request that did not reach the destination.
const UNREACHABLE_DELAY: Duration = Duration::from_millis(100);
/// Pause before the first retry; doubled with each further retry.
const RETRY_DELAY: Duration = Duration::from_millis(100);
const MAX_DOUBLINGS: u32 = 6;
const MAX_RETRY_DELAY: Duration = Duration::from_secs(30);
/// A time that no request waits for.
const FOREVER: Duration = Duration::from_secs(1 << 30);
/// Faults of files that wait to be written; further faults are only counted.
const MAX_FAULTS: usize = 100;

#[cfg(test)]
mod tests;
