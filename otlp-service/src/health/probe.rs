//! Checks that take time: a task runs each at its period, and reports have the last result.

use super::{Affects, Health, HealthCheck, PANICKED};
use futures_util::FutureExt as _;
use otlp_transport::Clock;
use parking_lot::Mutex;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A named health check that takes time: connects, writes a file, asks a server. [`HealthChecker::watch`] runs the check.
///
/// [`HealthChecker::watch`]: super::HealthChecker::watch
///
/// ```
/// use otlp_service::{Health, HealthProbe};
///
/// struct Ping;
///
/// impl HealthProbe for Ping {
///     fn name(&self) -> &str {
///         "database"
///     }
///
///     async fn probe(&self) -> Health {
///         // Ask the database for one row.
///         Health::Healthy
///     }
/// }
/// ```
pub trait HealthProbe: Send + Sync + 'static {
    /// Name of the checked component: `store/queue`.
    fn name(&self) -> &str;

    /// Finds out the health of the component. Must not block the thread. The future is dropped at the time-out.
    fn probe(&self) -> impl Future<Output = Health> + Send;
}

/// Time-out, period and effect of a [`HealthProbe`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HealthCheckConfig {
    /// Time after which a check that has not ended counts as unhealthy. Default 5 s.
    pub timeout: Duration,
    /// Time from the start of a check to the start of the next check, 100 ms at least. Default 30 s.
    pub period: Duration,
    /// Answers that the check affects. Default readiness.
    pub affects: Affects,
}

impl Default for HealthCheckConfig {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(5), period: Duration::from_secs(30), affects: Affects::default() }
    }
}

/// The last result of a check.
pub(super) struct Latest {
    name: String,
    result: Arc<Mutex<Option<(Health, Instant)>>>,
    /// Age from which on a result is stale.
    stale_after: Duration,
    clock: Arc<dyn Clock>,
}

/// Returns the last result of a check, and the future that runs the check.
pub(super) fn start<P: HealthProbe>(
    probe: P,
    config: &HealthCheckConfig,
    clock: Arc<dyn Clock>,
) -> (Latest, impl Future<Output = ()> + Send + use<P>) {
    let (timeout, period) = (config.timeout, config.period.max(MIN_PERIOD));
    let result = Arc::default();
    let latest = Latest {
        name: probe.name().to_owned(),
        result: Arc::clone(&result),
        stale_after: period.saturating_mul(2).saturating_add(timeout),
        clock: clock.clone(),
    };
    let run = async move {
        loop {
            let started = clock.now();
            let health = tokio::select! {
                biased;
                // The state of a check that panicked is the check's own.
                ended = AssertUnwindSafe(probe.probe()).catch_unwind() => {
                    ended.unwrap_or_else(|_| Health::Unhealthy(PANICKED.into()))
                }
                () = clock.sleep(timeout) => Health::Unhealthy(format!("no answer within {timeout:?}")),
            };
            *result.lock() = Some((health, clock.now()));
            let took = clock.now().saturating_duration_since(started);
            clock.sleep(period.saturating_sub(took)).await;
        }
    };
    (latest, run)
}

impl HealthCheck for Latest {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Health {
        let Some((health, at)) = self.result.lock().clone() else {
            return Health::Degraded("not checked yet".into());
        };
        let age = self.clock.now().saturating_duration_since(at);
        if age <= self.stale_after {
            return health;
        }
        let stale = format!("last checked {} s ago", age.as_secs());
        match health {
            Health::Healthy => Health::Degraded(stale),
            Health::Degraded(reason) => Health::Degraded(format!("{stale}: {reason}")),
            Health::Unhealthy(reason) => Health::Unhealthy(format!("{stale}: {reason}")),
        }
    }
}

/// A shorter period would keep a core busy.
pub(super) const MIN_PERIOD: Duration = Duration::from_millis(100);
