//! Time, passed in so that tests can simulate it.

use std::fmt;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

/// Resolves at an instant of a [`Clock`].
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A source of the current time, and of sleeps.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns monotonic time.
    fn now(&self) -> Instant;

    /// Returns wall-clock time.
    fn wall(&self) -> SystemTime;

    /// Resolves once [`now`](Self::now) has reached `instant`.
    fn sleep_until(&self, instant: Instant) -> Sleep;

    /// Resolves after `duration`. A duration that no instant can have is a century.
    fn sleep(&self, duration: Duration) -> Sleep {
        let now = self.now();
        self.sleep_until(now.checked_add(duration).unwrap_or(now + FOREVER))
    }
}

/// Tokio's clock: real time, or simulated under `tokio::time::pause`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioClock;

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
impl Clock for TokioClock {
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep_until(&self, instant: Instant) -> Sleep {
        Box::pin(tokio::time::sleep_until(instant.into()))
    }
}

/// Longer than any process lives: a century.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_longest_times_do_not_overflow() {
        let clock: &dyn Clock = &TokioClock;
        let waited = tokio::time::timeout(Duration::from_secs(3600), clock.sleep(Duration::MAX)).await;
        assert!(waited.is_err());
    }
}
