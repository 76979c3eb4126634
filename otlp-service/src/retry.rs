//! Retry: the attempts that follow one that failed.
//!
//! A wait is the longer of the backoff and the delay the destination asked for. A delay applies to the destination, not
//! to the batch: no attempt of any batch starts before it is over (OTLP §OTLP/gRPC Throttling, §OTLP/HTTP Throttling).
//! Partial success is never retried. A batch that is refused for good, for what it may hold, is bisected.

mod backoff;
mod bisect;
mod parts;

pub use backoff::{Backoff, RetryConfig};
pub use parts::PartlyDelivered;

pub(crate) use backoff::Throttle;

use otlp_protocol::{Batch, ErrorKind, Retry};
use otlp_transport::{Attempt, Clock, Export, ExportError, ExportResult};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Repeats the attempts of an inner [`Attempt`] that failed, for one destination. It keeps the batch, and with it the charge
/// for its memory, and lends it to each attempt.
///
/// * No attempt starts after the batch's deadline, or `max_elapsed_time` after the first attempt; the error then is the
///   last attempt's.
/// * A failure that is final is returned at once, unless it can be about what the batch holds: the kinds `InvalidData`,
///   `TooLarge`, `Exhausted` and `Internal`. Then the batch is sent in parts, down to single items, with 64 requests at
///   most and within the same `max_elapsed_time`. If the parts have different fates, the source of the error is a
///   [`PartlyDelivered`] with the number of items of each fate.
/// * The first attempt waits for a delay that the destination asked of an earlier batch: no longer than
///   `max_elapsed_time`, and not at all if retries are disabled.
/// * Dropping the future stops the attempts. What an attempt has sent may still arrive.
///
/// ```
/// use otlp_protocol::{Accepted, Batch, Charge, Count, Signal};
/// use otlp_service::{ExponentialBackoffRetry, NopExporter, RetryConfig};
/// use otlp_transport::{Export, TokioClock};
/// use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let exporter = ExponentialBackoffRetry::new(RetryConfig::default(), Arc::new(TokioClock), NopExporter);
/// let batch = Batch::unchecked(Signal::LOGS, vec![], Count::default(), true, Charge::none());
/// assert_eq!(exporter.export(batch).await.unwrap(), Accepted::FULL);
/// # }
/// ```
pub struct ExponentialBackoffRetry<A> {
    inner: A,
    config: RetryConfig,
    clock: Arc<dyn Clock>,
    throttle: Arc<Throttle>,
    max_first_wait: Option<Duration>,
    jitter: Mutex<fastrand::Rng>,
}

/// One batch's attempts so far.
struct Attempts<'a> {
    count: u32,
    backoff: Backoff<'a>,
    deadline: Option<Instant>,
}

impl<A: Attempt> ExponentialBackoffRetry<A> {
    /// Retries what `inner` fails to deliver.
    pub fn new(config: RetryConfig, clock: Arc<dyn Clock>, inner: A) -> Self {
        let throttle = Arc::new(Throttle::new(clock.now()));
        let jitter = Mutex::new(fastrand::Rng::new());
        Self { inner, config, clock, throttle, max_first_wait: None, jitter }
    }

    /// The same, with waits that are the same in every run.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.jitter = Mutex::new(fastrand::Rng::with_seed(seed));
        self
    }

    /// The same, for batches whose senders wait for the answer: if the destination asked for a delay that lasts longer
    /// than `wait`, a new batch fails at once with the rest of the delay. Default: it waits for up to `max_elapsed_time`.
    #[must_use]
    pub fn with_max_first_wait(mut self, wait: Duration) -> Self {
        self.max_first_wait = Some(wait);
        self
    }

    /// The same, heeding the delays that the destination asks of others who share the throttle.
    #[must_use]
    pub(crate) fn with_throttle(mut self, throttle: Arc<Throttle>) -> Self {
        self.throttle = throttle;
        self
    }

    /// What it retries.
    pub fn inner(&self) -> &A {
        &self.inner
    }

    /// Waits until the first attempt may start.
    async fn start(&self, deadline: Option<Instant>) -> Result<Attempts<'_>, ExportError> {
        let now = self.clock.now();
        if let Some(remaining) = self.throttled(now)
            && self.max_first_wait.is_some_and(|most| remaining > most)
        {
            return Err(throttled(remaining));
        }
        // A batch from a queue waits to the end: failing it at once would empty the queue into nothing.
        let last_wait = Backoff::new(&self.config, now).last_start();
        if let (None, Some(last_wait), Some(remaining)) = (deadline, last_wait, self.throttled(now))
            && now + remaining > last_wait
        {
            self.clock.sleep_until(last_wait).await;
        }
        let latest = [deadline, last_wait].into_iter().flatten().min();
        let first = self.await_throttle(latest).await?;
        Ok(Attempts { count: 0, backoff: Backoff::new(&self.config, first), deadline })
    }

    /// Attempts until one succeeds, or none may follow.
    async fn attempt(&self, batch: &Batch, attempts: &mut Attempts<'_>) -> ExportResult {
        loop {
            let error = match self.attempt_once(batch).await {
                Ok(accepted) => return Ok(accepted),
                Err(error) => error,
            };
            attempts.count += 1;
            let next = self.next_attempt(attempts, &error)?;
            tracing::debug!(attempts = attempts.count, reason = ?error.message(), "an attempt failed");
            self.clock.sleep_until(next).await;
            if self.await_throttle(attempts.last_start()).await.is_err() {
                return Err(error);
            }
        }
    }

    /// One attempt; a delay that it is answered with holds from now on.
    async fn attempt_once(&self, batch: &Batch) -> ExportResult {
        let error = match self.inner.attempt(batch).await {
            Ok(accepted) => return Ok(accepted),
            Err(error) => self.judge(error),
        };
        if let Retry::After(delay) = error.retry() {
            self.throttle.extend(self.clock.now(), delay);
        }
        Err(error)
    }

    /// When the next attempt may start, if one may follow this error; otherwise the error.
    fn next_attempt(&self, attempts: &mut Attempts<'_>, error: &ExportError) -> Result<Instant, ExportError> {
        if !self.config.enabled || !error.retry().is_retryable() {
            return Err(error.clone());
        }
        let now = self.clock.now();
        let spread = self.jitter.lock().f64();
        match attempts.backoff.next(now, spread, self.throttled(now)) {
            Some(next) if attempts.deadline.is_none_or(|deadline| next <= deadline) => Ok(next),
            _ => Err(attempts.gave_up(error)),
        }
    }

    /// How long the destination is still to be left alone.
    fn throttled(&self, now: Instant) -> Option<Duration> {
        // Without retries there are no waits either: the destination's answer goes to the sender as it is.
        let until = self.throttle.until(now).filter(|_| self.config.enabled)?;
        Some(until - now)
    }

    /// Waits until the destination's delay is over, unless that comes after `latest`; returns the time.
    async fn await_throttle(&self, latest: Option<Instant>) -> Result<Instant, ExportError> {
        let mut now = self.clock.now();
        while let Some(remaining) = self.throttled(now) {
            if latest.is_some_and(|latest| now + remaining > latest) {
                return Err(throttled(remaining));
            }
            // All that wait would otherwise start at the same instant.
            let spread = remaining.mul_f64(THROTTLE_SPREAD * self.jitter.lock().f64());
            self.clock.sleep_until(now + remaining + spread).await;
            now = self.clock.now();
        }
        match latest {
            Some(latest) if now > latest => Err(deadline_passed()),
            _ => Ok(now),
        }
    }

    /// The error as the configuration sees it.
    fn judge(&self, error: ExportError) -> ExportError {
        let is_final = error.kind() == ErrorKind::Exhausted && error.retry() == Retry::Never;
        if is_final && self.config.retry_resource_exhausted {
            return error.with_retry(Retry::Backoff);
        }
        error
    }
}

impl<A: Attempt> Export for ExponentialBackoffRetry<A> {
    async fn export(&self, batch: Batch) -> ExportResult {
        let mut attempts = self.start(batch.deadline).await?;
        match self.attempt(&batch, &mut attempts).await {
            // Boxed, so that the rare path does not swell every export's future.
            Err(refusal) if bisect::may_help(&batch, &refusal) => {
                Box::pin(self.bisect(batch, refusal, attempts)).await
            }
            result => result,
        }
    }
}

// === impl Attempts ===

impl Attempts<'_> {
    /// After this no attempt starts.
    fn last_start(&self) -> Option<Instant> {
        [self.deadline, self.backoff.last_start()].into_iter().flatten().min()
    }

    fn gave_up(&self, error: &ExportError) -> ExportError {
        let message = format!("gave up after {} attempts, the last of which failed: {error}", self.count);
        ExportError::new(error.kind(), error.retry(), message).with_source(error.clone())
    }
}

fn deadline_passed() -> ExportError {
    ExportError::new(ErrorKind::Timeout, Retry::Backoff, "the deadline passed before the batch could be sent")
}

fn throttled(remaining: Duration) -> ExportError {
    let seconds = remaining.as_secs_f64().ceil();
    let message = format!("not sent: the destination asked for no requests for another {seconds} s");
    ExportError::new(ErrorKind::Unavailable, Retry::After(remaining), message)
}

/// Attempts after a delay are spread over this share of it.
const THROTTLE_SPREAD: f64 = 0.1;
