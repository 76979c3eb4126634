//! Retries with exponential backoff, and throttling by the destination.
//!
//! The wait before an attempt is the longer of the backoff and the delay that the destination asked for. A delay applies to the
//! destination, not to the batch: no attempt of any batch starts before the delay is over (OTLP §OTLP/gRPC Throttling,
//! §OTLP/HTTP Throttling). Partial success is never retried. A batch that is refused with a final error about its contents is
//! bisected.

mod bisect;
mod lost;
mod parts;
mod throttle;

pub use parts::PartlyDelivered;

pub(crate) use lost::LostBatches;
pub(crate) use throttle::Throttle;

use otlp_protocol::{Batch, ErrorKind, Retry};
use otlp_transport::{Attempt, Clock, Export, ExportError, ExportResult};
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An exporter's retry settings: exponential backoff with jitter.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetryConfig {
    /// Retries attempts that failed with a retryable error. Default true.
    pub enabled: bool,
    /// Wait before the second attempt. Default 5 s.
    pub initial_interval: Duration,
    /// Jitter: each wait is a random time within ± this share of the interval, 0 to 1. Default 0.5.
    pub randomization_factor: f64,
    /// Growth of the interval from attempt to attempt, at least 1. Default 1.5.
    pub multiplier: f64,
    /// Largest interval, without jitter. Default 30 s.
    pub max_interval: Duration,
    /// Time after the first attempt at which no further attempt starts. Default 300 s; `None` and zero: no limit.
    pub max_elapsed_time: Option<Duration>,
    /// Retries RESOURCE_EXHAUSTED without a delay, too. Default false: final by OTLP §Failures.
    pub retry_resource_exhausted: bool,
}

/// Retries the failed attempts of an inner [`Attempt`], for one destination. It owns the batch, with the charge for its memory,
/// and passes a reference to each attempt.
///
/// * No attempt starts after the batch's deadline, or `max_elapsed_time` after the first attempt; the error then is the
///   last attempt's.
/// * A final error is returned at once, unless the error can be about the contents of the batch: the kinds `InvalidData`,
///   `TooLarge`, `Exhausted` and `Internal`. Then the batch is sent in parts, down to single items, with 64 requests at
///   most and within the same `max_elapsed_time`. For parts that are too large, the limit grows with each part that is
///   accepted. If the parts have different outcomes, the source of the error is a [`PartlyDelivered`] with the number of
///   items of each outcome.
/// * The first attempt waits for a delay that the destination asked of an earlier batch: for `max_elapsed_time` at most, and
///   not at all if retries are disabled.
/// * Cancel-safety: dropping the future stops the attempts. An attempt that has started may still arrive.
///
/// ```
/// use otlp_protocol::encode::{LogRecords, RequestWriter};
/// use otlp_protocol::{Accepted, Batch, Charge, ErrorKind, Signal, ValidateLimits};
/// use otlp_service::{ExponentialBackoffRetry, RetryConfig};
/// use otlp_transport::{Attempt, Export, ExportError, ExportResult, TokioClock};
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::time::Duration;
///
/// /// Refuses the first attempt.
/// struct Overloaded(AtomicU32);
///
/// impl Attempt for Overloaded {
///     async fn attempt(&self, _: &Batch) -> ExportResult {
///         match self.0.fetch_add(1, Ordering::Relaxed) {
///             0 => Err(ExportError::refused(ErrorKind::Unavailable, "overloaded")),
///             _ => Ok(Accepted::FULL),
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut config = RetryConfig::default();
/// config.initial_interval = Duration::from_millis(10);
/// let exporter = ExponentialBackoffRetry::new(config, Arc::new(TokioClock), Overloaded(AtomicU32::new(0)));
///
/// let mut body = Vec::new();
/// RequestWriter::<LogRecords>::new(&mut body).resource_group(|group| {
///     group.scope_group(|scope| {
///         scope.log_record(|record| {
///             record.body("started");
///         });
///     });
/// });
/// let batch = Batch::checked(Signal::LOGS, body, &ValidateLimits::default(), Charge::none())?;
/// assert_eq!(exporter.export(batch).await?, Accepted::FULL);
/// assert_eq!(exporter.inner().0.load(Ordering::Relaxed), 2);
/// # Ok(())
/// # }
/// ```
pub struct ExponentialBackoffRetry<A> {
    inner: A,
    config: RetryConfig,
    clock: Arc<dyn Clock>,
    throttle: Arc<Throttle>,
    max_first_wait: Option<Duration>,
    lost: Option<Arc<dyn LostBatches>>,
    jitter: Mutex<fastrand::Rng>,
}

/// The waits between the attempts of one batch.
///
/// ```
/// use otlp_service::{Backoff, RetryConfig};
/// use std::time::Duration;
///
/// let start = otlp_transport::Clock::now(&otlp_transport::TokioClock);
/// let config = RetryConfig::default();
/// let mut backoff = Backoff::new(&config, start);
/// // In the middle of the jitter, the first wait is `initial_interval`.
/// assert_eq!(backoff.next(start, 0.5, None), Some(start + Duration::from_secs(5)));
/// ```
#[derive(Debug)]
pub struct Backoff<'a> {
    config: &'a RetryConfig,
    interval: Duration,
    last_start: Option<Instant>,
}

/// One batch's attempts so far.
struct Attempts<'a> {
    count: u32,
    backoff: Backoff<'a>,
    deadline: Option<Instant>,
}

impl<A: Attempt> ExponentialBackoffRetry<A> {
    /// Wraps `inner` in retries.
    pub fn new(config: RetryConfig, clock: Arc<dyn Clock>, inner: A) -> Self {
        let throttle = Arc::new(Throttle::new(clock.now()));
        let jitter = Mutex::new(fastrand::Rng::new());
        Self { inner, config, clock, throttle, max_first_wait: None, lost: None, jitter }
    }

    /// Seeds the jitter, so that waits are the same in every run.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.jitter = Mutex::new(fastrand::Rng::with_seed(seed));
        self
    }

    /// Limits the wait before the first attempt, for batches whose senders wait for the answer: while the destination's delay
    /// lasts longer than `wait`, a new batch fails at once with the rest of the delay. Default: `max_elapsed_time`.
    #[must_use]
    pub fn with_max_first_wait(mut self, wait: Duration) -> Self {
        self.max_first_wait = Some(wait);
        self
    }

    /// Shares the delays that the destination asks for.
    #[cfg(feature = "gateway")]
    #[must_use]
    pub(crate) fn with_throttle(mut self, throttle: Arc<Throttle>) -> Self {
        self.throttle = throttle;
        self
    }

    /// Passes on each batch, or part of a batch, that is lost for good.
    #[cfg(feature = "gateway")]
    #[must_use]
    pub(crate) fn with_lost(mut self, lost: Arc<dyn LostBatches>) -> Self {
        self.lost = Some(lost);
        self
    }

    /// Returns the inner attempt.
    pub fn inner(&self) -> &A {
        &self.inner
    }

    /// Waits until the first attempt may start.
    async fn start(&self, deadline: Option<Instant>) -> Result<Attempts<'_>, ExportError> {
        let mut now = self.clock.now();
        if let Some(remaining) = self.throttled(now)
            && self.max_first_wait.is_some_and(|most| remaining > most)
        {
            return Err(throttled(remaining));
        }
        // A batch from a queue waits until its last start: to fail at once would drop the whole queue.
        let last_wait = Backoff::new(&self.config, now).last_start();
        if let (None, Some(last_wait), Some(remaining)) = (deadline, last_wait, self.throttled(now))
            && now + remaining > last_wait
        {
            self.clock.sleep_until(last_wait).await;
            now = self.clock.now();
        }
        let latest = [deadline, last_wait].into_iter().flatten().min();
        let first = self.await_throttle(now, latest).await?;
        Ok(Attempts { count: 0, backoff: Backoff::new(&self.config, first), deadline })
    }

    /// Repeats attempts until an attempt succeeds, fails with a final error, or is the last.
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
            if self.await_throttle(self.clock.now(), attempts.last_start()).await.is_err() {
                return Err(error);
            }
        }
    }

    /// Makes one attempt. A delay in its answer starts now.
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

    /// Returns the start of the next attempt after this error, or the error if no attempt may follow.
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

    /// Passes on a batch that is lost, and returns the error.
    async fn lose(&self, batch: Batch, error: ExportError) -> ExportResult {
        if let Some(lost) = &self.lost {
            lost.take(batch, &error).await;
        }
        Err(error)
    }

    /// Returns the rest of the destination's delay.
    fn throttled(&self, now: Instant) -> Option<Duration> {
        // Without retries there are no waits: the destination's answer goes to the sender as it is.
        let until = self.throttle.until(now).filter(|_| self.config.enabled)?;
        Some(until - now)
    }

    /// Waits from `now` until the destination's delay is over, and returns the time; an error at once if the delay ends after `latest`.
    async fn await_throttle(
        &self,
        mut now: Instant,
        latest: Option<Instant>,
    ) -> Result<Instant, ExportError> {
        while let Some(remaining) = self.throttled(now) {
            if latest.is_some_and(|latest| now + remaining > latest) {
                return Err(throttled(remaining));
            }
            // Jitter: all waiting batches would otherwise start at the same instant.
            let spread = remaining.mul_f64(THROTTLE_SPREAD * self.jitter.lock().f64());
            self.clock.sleep_until(now + remaining + spread).await;
            now = self.clock.now();
        }
        match latest {
            Some(latest) if now > latest => Err(deadline_passed()),
            _ => Ok(now),
        }
    }

    /// Makes RESOURCE_EXHAUSTED retryable if the settings say so.
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
        let mut attempts = match self.start(batch.deadline).await {
            Ok(attempts) => attempts,
            Err(error) => return self.lose(batch, error).await,
        };
        match self.attempt(&batch, &mut attempts).await {
            Ok(accepted) => Ok(accepted),
            // Boxed, so that the rare path does not enlarge the future of every export.
            Err(refusal) if bisect::may_help(&batch, &refusal) => {
                Box::pin(self.bisect(batch, refusal, attempts)).await
            }
            Err(error) => self.lose(batch, error).await,
        }
    }
}

impl<A: fmt::Debug> fmt::Debug for ExponentialBackoffRetry<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExponentialBackoffRetry")
            .field("inner", &self.inner)
            .field("config", &self.config)
            .field("max_first_wait", &self.max_first_wait)
            .finish_non_exhaustive()
    }
}

// === impl Attempts ===

impl Attempts<'_> {
    /// Returns the latest start of an attempt.
    fn last_start(&self) -> Option<Instant> {
        [self.deadline, self.backoff.last_start()].into_iter().flatten().min()
    }

    fn gave_up(&self, error: &ExportError) -> ExportError {
        let message = format!("gave up after {} attempts, the last of which failed: {error}", self.count);
        ExportError::new(error.kind(), error.retry(), message).with_source(error.clone())
    }
}

// === impl Backoff ===

impl<'a> Backoff<'a> {
    /// Creates the waits after a first attempt at `first`.
    pub fn new(config: &'a RetryConfig, first: Instant) -> Self {
        let elapsed = config.max_elapsed_time.filter(|elapsed| !elapsed.is_zero());
        let last_start = elapsed.and_then(|elapsed| first.checked_add(elapsed));
        Self { config, interval: config.initial_interval.min(config.max_interval), last_start }
    }

    /// Returns the start of the next attempt after an attempt failed at `now`; `None` if that is too late. `spread`, from 0 to
    /// 1, is the position within the jitter; `delay` is the delay that the destination asked for, and a lower bound.
    pub fn next(&mut self, now: Instant, spread: f64, delay: Option<Duration>) -> Option<Instant> {
        let factor = self.config.randomization_factor.clamp(0.0, 1.0);
        let wait = scaled(self.interval, 1.0 + factor * (2.0 * spread - 1.0));
        self.interval = scaled(self.interval, self.config.multiplier.max(1.0)).min(self.config.max_interval);
        let next = now.checked_add(wait.max(delay.unwrap_or_default()).max(MIN_WAIT))?;
        self.last_start.is_none_or(|last| next <= last).then_some(next)
    }

    /// Returns the latest start of an attempt; `None`: no limit.
    pub fn last_start(&self) -> Option<Instant> {
        self.last_start
    }
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            initial_interval: Duration::from_secs(5),
            randomization_factor: 0.5,
            multiplier: 1.5,
            max_interval: Duration::from_secs(30),
            max_elapsed_time: Some(Duration::from_secs(300)),
            retry_resource_exhausted: false,
        }
    }
}

fn deadline_passed() -> ExportError {
    ExportError::new(ErrorKind::Timeout, Retry::Backoff, "the deadline passed before the batch could be sent")
}

fn throttled(remaining: Duration) -> ExportError {
    let seconds = remaining.as_secs_f64().ceil();
    let message = format!(
        "not sent: the destination throttles requests for another {seconds} s (Retry-After or RetryInfo)"
    );
    ExportError::new(ErrorKind::Unavailable, Retry::After(remaining), message)
}

/// Returns `interval * factor`, or `interval` if the product is not a duration.
fn scaled(interval: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(interval.as_secs_f64() * factor).unwrap_or(interval)
}

/// Shortest wait: intervals of zero must not become a busy loop.
const MIN_WAIT: Duration = Duration::from_millis(1);

/// Jitter after a delay, as a share of the delay.
const THROTTLE_SPREAD: f64 = 0.1;
