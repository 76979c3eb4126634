//! The health check of a destination: reachable by the last attempt, or by a connection of the check's own.

use super::probe::MIN_PERIOD;
use super::{Health, HealthCheck, HealthCheckConfig, HealthProbe};
use otlp_protocol::ErrorKind;
use otlp_transport::{Clock, ExportResult, Net};
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Reports whether a destination can be reached.
///
/// A gateway has such a check for each destination of its exporters: degraded after an attempt that did not reach the destination.
/// A check made by [`new`](Self::new) opens a connection, for [`HealthChecker::watch`](super::HealthChecker::watch):
///
/// ```
/// use otlp_service::{HealthCheckConfig, HealthChecker, NetworkHealthCheck};
/// use otlp_transport::TransportContext;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let context = TransportContext::tcp(64 << 20);
/// let check = NetworkHealthCheck::new("schema registry", context.net.clone(), "registry:8081");
/// let checker = HealthChecker::new();
/// let _entry = checker.watch(check, HealthCheckConfig::default());
/// # }
/// ```
pub struct NetworkHealthCheck {
    name: String,
    net: Option<Arc<dyn Net>>,
    address: String,
    reachability: Arc<Reachability>,
}

/// Outcome of the last attempt: destination reached or not. Reached until the first attempt.
#[derive(Debug, Default)]
pub(crate) struct Reachability {
    failed: AtomicBool,
    /// True if there was an attempt since somebody looked.
    attempted: AtomicBool,
    reason: Mutex<String>,
}

// === impl NetworkHealthCheck ===

impl NetworkHealthCheck {
    /// Creates a check that connects to `address`, `host:port` or `unix:///path`, and closes the connection: unhealthy if that
    /// fails.
    pub fn new(name: impl Into<String>, net: Arc<dyn Net>, address: impl Into<String>) -> Self {
        let reachability = Arc::default();
        Self { name: name.into(), net: Some(net), address: address.into(), reachability }
    }

    /// Creates a check of the attempts of an exporter.
    pub(crate) fn of_attempts(name: String, address: String, reachability: Arc<Reachability>) -> Self {
        Self { name, net: None, address, reachability }
    }

    /// Returns a future that connects to the destination in each period without an attempt, so that the check does not keep the
    /// outcome of an old attempt.
    pub(crate) fn connect_when_idle(
        &self,
        net: Arc<dyn Net>,
        config: &HealthCheckConfig,
        clock: Arc<dyn Clock>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (reachability, address) = (self.reachability.clone(), self.address.clone());
        let (timeout, period) = (config.timeout, config.period.max(MIN_PERIOD));
        async move {
            loop {
                clock.sleep(period).await;
                if reachability.attempted.swap(false, Ordering::Relaxed) {
                    continue;
                }
                let failure = tokio::select! {
                    biased;
                    failure = connect(&*net, &address) => failure,
                    () = clock.sleep(timeout) => Some(format!("cannot connect to {address} within {timeout:?}")),
                };
                match failure {
                    None => reachability.reached(),
                    Some(reason) => reachability.failed(reason),
                }
            }
        }
    }
}

impl HealthCheck for NetworkHealthCheck {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Health {
        self.reachability.failure().map_or(Health::Healthy, Health::Degraded)
    }
}

impl HealthProbe for NetworkHealthCheck {
    fn name(&self) -> &str {
        &self.name
    }

    async fn probe(&self) -> Health {
        match &self.net {
            None => self.check(),
            Some(net) => connect(&**net, &self.address).await.map_or(Health::Healthy, Health::Unhealthy),
        }
    }
}

impl fmt::Debug for NetworkHealthCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("NetworkHealthCheck");
        debug.field("name", &self.name).field("address", &self.address).finish_non_exhaustive()
    }
}

/// Connects to `address` and closes the connection. Returns the reason if that fails.
async fn connect(net: &dyn Net, address: &str) -> Option<String> {
    let failure = net.connect(address).await.err()?;
    Some(format!("cannot connect to {address}: {failure}"))
}

// === impl Reachability ===

impl Reachability {
    /// Records an attempt. A destination that answers, also with an error, is reachable. Shared data is written only on a change,
    /// since all exports share the cache line.
    pub(crate) fn note(&self, result: &ExportResult) {
        if !self.attempted.load(Ordering::Relaxed) {
            self.attempted.store(true, Ordering::Relaxed);
        }
        match result {
            Err(error) if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout) => {
                self.failed(error.message().chars().take(super::MAX_REASON_CHARS).collect());
            }
            Ok(_) | Err(_) => self.reached(),
        }
    }

    fn failed(&self, reason: String) {
        *self.reason.lock() = reason;
        self.failed.store(true, Ordering::Relaxed);
    }

    fn reached(&self) {
        if self.failed.load(Ordering::Relaxed) {
            self.failed.store(false, Ordering::Relaxed);
        }
    }

    /// Returns the reason for which the last attempt did not reach the destination; `None` if the attempt did.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failed.load(Ordering::Relaxed).then(|| self.reason.lock().clone())
    }
}

#[cfg(test)]
mod tests;
