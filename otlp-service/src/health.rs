//! Health: named checks, and the answers to probes.
//!
//! *Live* means that the process works; *ready* means that the gateway accepts telemetry: it has started and is not draining. A
//! check says what it affects: liveness, readiness, or the report alone. An unreachable destination makes the gateway degraded,
//! not unhealthy: a restart would lose the queues.

mod database;
mod network;
mod probe;
mod report;
mod resources;
mod settings;
mod status;
mod timestamp;

pub use database::DatabaseHealthCheck;
pub use network::NetworkHealthCheck;
pub use probe::{HealthCheckConfig, HealthProbe};
pub use report::{CheckReport, HealthReport};
pub use settings::{HealthChecksSpec, StoreSpec};
pub use status::ErrorRules;

pub(crate) use network::Reachability;
pub(crate) use report::push_string;
pub(crate) use resources::{CertificatesCheck, DescriptorsCheck, MemoryCheck, NamedQueues, QueuesCheck};
pub(crate) use status::{GATEWAY, Layout, Life, PipelineLayout, StatusView};
pub(crate) use timestamp::Timestamp;

use futures_util::FutureExt;
use otlp_transport::{Clock, TokioClock};
use parking_lot::{Mutex, RwLock};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Instant, SystemTime};
use tokio::task::AbortHandle;

/// A named health check that answers at once. A check that takes time is a [`HealthProbe`].
pub trait HealthCheck: Send + Sync + 'static {
    /// Name of the checked component: `exporter/otlp`.
    fn name(&self) -> &str;

    /// Returns the health of the component. Must not block.
    fn check(&self) -> Health;
}

/// Health of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// The component works.
    Healthy,
    /// The component works, but a part or a destination fails, with the reason.
    Degraded(String),
    /// The component does not work, with the reason: probes that the check affects get 503.
    Unhealthy(String),
}

/// Answers that an unhealthy check turns to 503. A degraded check turns none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Affects {
    /// Liveness and readiness: the process is to be restarted, which loses what is in memory.
    Liveness,
    /// Readiness: senders are to send elsewhere.
    #[default]
    Readiness,
    /// None: the report shows the check, and is degraded at most.
    Report,
}

/// The health checks of a gateway. Cloning shares the checks.
///
/// ```
/// use otlp_service::{Affects, Health, HealthCheck, HealthChecker};
///
/// struct License;
/// impl HealthCheck for License {
///     fn name(&self) -> &str {
///         "license"
///     }
///     fn check(&self) -> Health {
///         Health::Unhealthy("expired".into())
///     }
/// }
/// let checker = HealthChecker::new();
/// let entry = checker.add(License);
/// assert_eq!(checker.report().http_status(), 503);
/// drop(entry);
/// let _entry = checker.add_with(License, Affects::Report);
/// assert_eq!(checker.report().http_status(), 200);
/// ```
#[derive(Clone)]
pub struct HealthChecker(Arc<Shared>);

/// The registration of a check in a [`HealthChecker`]: dropping the entry removes the check.
#[must_use = "dropping the entry removes the check"]
pub struct HealthEntry {
    shared: Arc<Shared>,
    entry: Arc<Entry>,
    /// Runs the check, if the check takes time.
    task: Option<AbortHandle>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    entries: RwLock<Vec<Arc<Entry>>>,
}

struct Entry {
    check: Box<dyn HealthCheck>,
    affects: Affects,
    /// Rank of the health at the last report, and the time since which reports have had the same.
    since: Mutex<Option<(u8, Since)>>,
}

/// A time, by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Since {
    pub(crate) monotonic: Instant,
    pub(crate) wall: SystemTime,
}

// === impl HealthChecker ===

impl HealthChecker {
    /// Creates a checker without checks, which is healthy.
    pub fn new() -> Self {
        Self::with_clock(Arc::new(TokioClock))
    }

    /// Creates a checker without checks that takes the time from `clock`.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared { clock, entries: RwLock::default() }))
    }

    /// Adds a check that affects readiness, and removes it when the entry is dropped.
    pub fn add(&self, check: impl HealthCheck) -> HealthEntry {
        self.add_with(check, Affects::default())
    }

    /// Adds a check, and removes it when the entry is dropped.
    pub fn add_with(&self, check: impl HealthCheck, affects: Affects) -> HealthEntry {
        self.insert(Box::new(check), affects, None)
    }

    /// Adds a check that takes time: a task runs the check at once and then at its period, and reports have the last result.
    /// Must be called within a tokio runtime. Until the first result, and while the last result is older than two periods and
    /// the time-out, the check is degraded.
    ///
    /// ```
    /// use otlp_service::{Affects, DatabaseHealthCheck, HealthCheckConfig, HealthChecker};
    /// use otlp_transport::SystemDisk;
    /// use std::{sync::Arc, time::Duration};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut config = HealthCheckConfig::default();
    /// config.affects = Affects::Report;
    /// config.period = Duration::from_secs(10);
    /// let store = DatabaseHealthCheck::new("store", Arc::new(SystemDisk), std::env::temp_dir());
    /// let checker = HealthChecker::new();
    /// let _entry = checker.watch(store, config);
    /// assert!(checker.report().to_json().contains("not checked yet"));
    /// # }
    /// ```
    pub fn watch(&self, probe: impl HealthProbe, config: HealthCheckConfig) -> HealthEntry {
        let (latest, run) = probe::start(probe, &config, self.0.clock.clone());
        let task = tokio::spawn(run.boxed()).abort_handle();
        self.insert(Box::new(latest), config.affects, Some(task))
    }

    /// Adds a check with a task that ends with the entry.
    pub(crate) fn add_with_task(
        &self,
        check: impl HealthCheck,
        affects: Affects,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> HealthEntry {
        self.insert(Box::new(check), affects, Some(tokio::spawn(task.boxed()).abort_handle()))
    }

    fn insert(
        &self,
        check: Box<dyn HealthCheck>,
        affects: Affects,
        task: Option<AbortHandle>,
    ) -> HealthEntry {
        let entry = Arc::new(Entry { check, affects, since: Mutex::default() });
        self.0.entries.write().push(entry.clone());
        HealthEntry { shared: self.0.clone(), entry, task }
    }

    /// Runs all checks. A check that panics is unhealthy.
    pub fn report(&self) -> HealthReport {
        let entries = self.0.entries.read().clone();
        let now = Since { monotonic: self.0.clock.now(), wall: self.0.clock.wall() };
        HealthReport { checks: entries.iter().map(|entry| entry.report(now)).collect() }
    }
}

impl Default for HealthChecker {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for HealthChecker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.0.entries.read().clone();
        f.debug_set().entries(entries.iter().map(|entry| entry.check.name())).finish()
    }
}

// === impl Entry ===

impl Entry {
    fn report(&self, now: Since) -> CheckReport {
        // The state of a check that panicked is the check's own.
        let health = catch_unwind(AssertUnwindSafe(|| self.check.check()));
        let health = health.unwrap_or_else(|_| Health::Unhealthy(PANICKED.into())).shortened();
        let mut known = self.since.lock();
        let since = known.filter(|(rank, _)| *rank == health.rank()).map_or(now, |(_, since)| since);
        *known = Some((health.rank(), since));
        CheckReport { name: self.check.name().to_owned(), health, affects: self.affects, since }
    }
}

// === impl HealthEntry ===

impl fmt::Debug for HealthEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthEntry").field("name", &self.entry.check.name()).finish_non_exhaustive()
    }
}

impl Drop for HealthEntry {
    fn drop(&mut self) {
        self.shared.entries.write().retain(|entry| !Arc::ptr_eq(entry, &self.entry));
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

// === impl Health ===

impl Health {
    fn name(&self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded(_) => "degraded",
            Self::Unhealthy(_) => "unhealthy",
        }
    }

    /// 0 to 2: the higher, the worse.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Degraded(_) => 1,
            Self::Unhealthy(_) => 2,
        }
    }

    /// Returns the reason; `None` if the component is healthy.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Healthy => None,
            Self::Degraded(reason) | Self::Unhealthy(reason) => Some(reason),
        }
    }

    /// The same with a reason of at most [`MAX_REASON_CHARS`].
    fn shortened(mut self) -> Self {
        if let Self::Degraded(reason) | Self::Unhealthy(reason) = &mut self
            && let Some((end, _)) = reason.char_indices().nth(MAX_REASON_CHARS)
        {
            reason.truncate(end);
        }
        self
    }
}

const PANICKED: &str = "the check panicked";
/// Length of a reason.
const MAX_REASON_CHARS: usize = 200;

#[cfg(test)]
mod tests;
