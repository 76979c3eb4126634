//! How long to wait between attempts: exponential backoff, and the delay that a destination asked everybody for. Plain
//! arithmetic: time and chance are passed in.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// An exporter's retry settings: exponential backoff with jitter.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetryConfig {
    /// Whether a retryable failure is retried at all. Default true.
    pub enabled: bool,
    /// Wait before the second attempt. Default 5 s.
    pub initial_interval: Duration,
    /// Each wait is spread evenly over ± this share of it, 0 to 1. Default 0.5.
    pub randomization_factor: f64,
    /// Growth of the wait from attempt to attempt, at least 1. Default 1.5.
    pub multiplier: f64,
    /// The wait grows no further, jitter apart. Default 30 s.
    pub max_interval: Duration,
    /// No attempt starts later than this after the first. Default 300 s; `None` and zero: no limit.
    pub max_elapsed_time: Option<Duration>,
    /// Whether RESOURCE_EXHAUSTED without a delay is retried too. Default false: OTLP §Failures makes it final.
    pub retry_resource_exhausted: bool,
}

/// The waits of one batch.
///
/// ```
/// use otlp_service::{Backoff, RetryConfig};
/// use std::time::Duration;
///
/// let start = otlp_transport::Clock::now(&otlp_transport::TokioClock);
/// let config = RetryConfig::default();
/// let mut backoff = Backoff::new(&config, start);
/// // In the middle of its spread, the first wait is `initial_interval`.
/// assert_eq!(backoff.next(start, 0.5, None), Some(start + Duration::from_secs(5)));
/// ```
#[derive(Debug)]
pub struct Backoff<'a> {
    config: &'a RetryConfig,
    interval: Duration,
    last_start: Option<Instant>,
}

/// The delay that a destination asked for, which all that send there heed: no attempt starts before a shared instant.
#[derive(Debug)]
pub(crate) struct Throttle {
    base: Instant,
    /// Nanoseconds after `base`; 0 for none.
    not_before: AtomicU64,
}

// === impl Backoff ===

impl<'a> Backoff<'a> {
    /// The waits after a first attempt at `first`.
    pub fn new(config: &'a RetryConfig, first: Instant) -> Self {
        let elapsed = config.max_elapsed_time.filter(|elapsed| !elapsed.is_zero());
        let last_start = elapsed.and_then(|elapsed| first.checked_add(elapsed));
        Self { config, interval: config.initial_interval.min(config.max_interval), last_start }
    }

    /// When the next attempt starts, after one that failed at `now`; `None` if that is too late. `spread` from 0 to 1
    /// places the wait within its jitter; `delay` is what the destination asked for, and a lower bound.
    pub fn next(&mut self, now: Instant, spread: f64, delay: Option<Duration>) -> Option<Instant> {
        let factor = self.config.randomization_factor.clamp(0.0, 1.0);
        let wait = scaled(self.interval, 1.0 + factor * (2.0 * spread - 1.0));
        self.interval = scaled(self.interval, self.config.multiplier.max(1.0)).min(self.config.max_interval);
        let next = now.checked_add(wait.max(delay.unwrap_or_default()).max(MIN_WAIT))?;
        self.last_start.is_none_or(|last| next <= last).then_some(next)
    }

    /// After this no attempt starts; `None`: no limit.
    pub fn last_start(&self) -> Option<Instant> {
        self.last_start
    }
}

// === impl Throttle ===

impl Throttle {
    pub(crate) fn new(base: Instant) -> Self {
        Self { base, not_before: AtomicU64::new(0) }
    }

    /// Asks for `delay` from `now` on, of which an hour at most is granted.
    pub(super) fn extend(&self, now: Instant, delay: Duration) {
        let offset = (now + delay.min(MAX_DELAY)).saturating_duration_since(self.base);
        self.not_before.fetch_max(u64::try_from(offset.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Until when nothing may start, if that lies after `now`.
    pub(super) fn until(&self, now: Instant) -> Option<Instant> {
        match self.not_before.load(Ordering::Relaxed) {
            0 => None,
            offset => self.base.checked_add(Duration::from_nanos(offset)).filter(|&until| until > now),
        }
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

/// A mistaken or hostile delay must not silence a destination for good.
const MAX_DELAY: Duration = Duration::from_secs(60 * 60);
/// A wait configured to be nothing must not become a busy loop.
const MIN_WAIT: Duration = Duration::from_millis(1);

/// `interval * factor`; unchanged if that is not a duration.
fn scaled(interval: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(interval.as_secs_f64() * factor).unwrap_or(interval)
}
