//! Retry: the attempts that follow one that failed.
//!
//! A wait is the longer of the backoff and the delay the destination asked for. A delay applies to the destination, not
//! to the batch: no attempt of any batch starts before it is over (OTLP §OTLP/gRPC Throttling, §OTLP/HTTP Throttling).
//! Partial success is never retried. A batch that the destination finds too large is cut in halves.

mod backoff;
mod halving;
mod throttle;

pub use backoff::{Backoff, RetryConfig};

use halving::is_too_large;
use otlp_protocol::{Batch, ErrorKind, Retry};
use otlp_transport::{Clock, Export, ExportError, ExportResult};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Instant;
use throttle::Throttle;

/// Repeats what an inner [`Export`] failed to deliver, for one destination.
///
/// * No attempt starts after the batch's deadline, or `max_elapsed_time` after the first attempt; the error then is the
///   last attempt's.
/// * A failure that is final is returned at once.
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
/// let batch = Batch::new(Signal::LOGS, vec![], Count::default(), true, Charge::none());
/// assert_eq!(exporter.export(batch).await.unwrap(), Accepted::FULL);
/// # }
/// ```
pub struct ExponentialBackoffRetry<E> {
    inner: E,
    config: RetryConfig,
    clock: Arc<dyn Clock>,
    throttle: Throttle,
    jitter: Mutex<fastrand::Rng>,
}

/// One batch's attempts so far.
struct Attempts<'a> {
    count: u32,
    backoff: Backoff<'a>,
    deadline: Option<Instant>,
}

impl<E: Export> ExponentialBackoffRetry<E> {
    /// Retries what `inner` fails to deliver.
    pub fn new(config: RetryConfig, clock: Arc<dyn Clock>, inner: E) -> Self {
        let throttle = Throttle::new(clock.now());
        Self { inner, config, clock, throttle, jitter: Mutex::new(fastrand::Rng::new()) }
    }

    /// The same, with waits that are the same in every run.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.jitter = Mutex::new(fastrand::Rng::with_seed(seed));
        self
    }

    /// What it retries.
    pub fn inner(&self) -> &E {
        &self.inner
    }

    /// Attempts until one succeeds, or none may follow. The batch keeps the charge meanwhile.
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        let now = self.await_throttle(batch.deadline).await?;
        let mut attempts =
            Attempts { count: 0, backoff: Backoff::new(&self.config, now), deadline: batch.deadline };
        loop {
            let error = match self.inner.export(batch.lend()).await {
                Ok(accepted) => return Ok(accepted),
                Err(error) => self.judge(error),
            };
            attempts.count += 1;
            let next = self.next_attempt(&mut attempts, &error)?;
            tracing::debug!(attempts = attempts.count, reason = ?error.message(), "an attempt failed");
            self.clock.sleep_until(next).await;
            if self.await_throttle(attempts.last_start()).await.is_err() {
                return Err(error);
            }
        }
    }

    /// When the next attempt may start, if one may follow this error; otherwise the error.
    fn next_attempt(&self, attempts: &mut Attempts<'_>, error: &ExportError) -> Result<Instant, ExportError> {
        let now = self.clock.now();
        let delay = match error.retry() {
            Retry::After(delay) => Some(self.throttle.extend(now, delay)),
            Retry::Backoff | Retry::Never => None,
        };
        if !self.config.enabled || !error.retry().is_retryable() || is_too_large(error) {
            return Err(error.clone());
        }
        let spread = self.jitter.lock().f64();
        match attempts.backoff.next(now, spread, delay) {
            Some(next) if attempts.deadline.is_none_or(|deadline| next <= deadline) => Ok(next),
            _ => Err(attempts.gave_up(error)),
        }
    }

    /// Waits until the destination's delay is over and returns the time, unless that comes after `latest`.
    async fn await_throttle(&self, latest: Option<Instant>) -> Result<Instant, ExportError> {
        let mut now = self.clock.now();
        while let Some(until) = self.throttle.until(now) {
            let remaining = until - now;
            if latest.is_some_and(|latest| until > latest) {
                let message = "the destination asked to be left alone for longer than this batch may wait";
                return Err(ExportError::new(ErrorKind::Unavailable, Retry::After(remaining), message));
            }
            // All that wait would otherwise start at the same instant.
            let spread = remaining.mul_f64(THROTTLE_SPREAD * self.jitter.lock().f64());
            self.clock.sleep_until(until + spread).await;
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
        if is_final && self.config.retry_resource_exhausted && !is_too_large(&error) {
            return error.with_retry(Retry::Backoff);
        }
        error
    }
}

impl<E: Export> Export for ExponentialBackoffRetry<E> {
    async fn export(&self, batch: Batch) -> ExportResult {
        match self.attempt(&batch).await {
            // Boxed, so that the rare path does not swell every export's future.
            Err(error) if is_too_large(&error) => Box::pin(self.export_halves(batch, error)).await,
            result => result,
        }
    }
}

// === impl Attempts ===

impl Attempts<'_> {
    /// After this no attempt starts.
    fn last_start(&self) -> Option<Instant> {
        match (self.deadline, self.backoff.last_start()) {
            (Some(deadline), Some(elapsed)) => Some(deadline.min(elapsed)),
            (deadline, elapsed) => deadline.or(elapsed),
        }
    }

    fn gave_up(&self, error: &ExportError) -> ExportError {
        let message = format!("gave up after {} attempts, the last of which failed: {error}", self.count);
        ExportError::new(error.kind(), error.retry(), message).with_source(error.clone())
    }
}

fn deadline_passed() -> ExportError {
    ExportError::new(ErrorKind::Timeout, Retry::Backoff, "the deadline passed before the batch could be sent")
}

/// Attempts after a delay are spread over this share of it.
const THROTTLE_SPREAD: f64 = 0.1;
