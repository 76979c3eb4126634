//! Health: named checks, and the answers to probes.
//!
//! *Live* means that the process runs; *ready* means that the gateway accepts telemetry: it has started and is not draining. An
//! unreachable destination makes the gateway degraded, not unhealthy: a restart would lose the queues.

mod network;

pub use network::NetworkHealthCheck;

use parking_lot::RwLock;
use std::fmt::{self, Write};
use std::sync::Arc;

/// A named health check.
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
    /// The component does not work, with the reason: probes get 503.
    Unhealthy(String),
}

/// The health checks of a gateway. Cloning shares the checks.
///
/// ```
/// use otlp_service::{Health, HealthCheck, HealthChecker};
///
/// struct Disk;
/// impl HealthCheck for Disk {
///     fn name(&self) -> &str {
///         "disk"
///     }
///     fn check(&self) -> Health {
///         Health::Unhealthy("full".into())
///     }
/// }
/// let checker = HealthChecker::new();
/// let entry = checker.add(Disk);
/// assert_eq!(checker.report().http_status(), 503);
/// drop(entry);
/// assert_eq!(checker.report().http_status(), 200);
/// ```
#[derive(Clone, Default)]
pub struct HealthChecker(Checks);

/// The registration of a check in a [`HealthChecker`]: dropping the entry removes the check.
#[must_use = "dropping the entry removes the check"]
pub struct HealthEntry {
    checks: Checks,
    check: Arc<dyn HealthCheck>,
}

type Checks = Arc<RwLock<Vec<Arc<dyn HealthCheck>>>>;

/// The results of all checks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HealthReport {
    /// Name and health, in the order in which the checks were added.
    pub checks: Vec<(String, Health)>,
}

// === impl HealthChecker ===

impl HealthChecker {
    /// Creates a checker without checks, which is healthy.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check, and removes it when the entry is dropped.
    pub fn add(&self, check: impl HealthCheck) -> HealthEntry {
        let check: Arc<dyn HealthCheck> = Arc::new(check);
        self.0.write().push(check.clone());
        HealthEntry { checks: self.0.clone(), check }
    }

    /// Runs all checks.
    pub fn report(&self) -> HealthReport {
        let checks = self.0.read().clone();
        HealthReport { checks: checks.iter().map(|check| (check.name().to_owned(), check.check())).collect() }
    }
}

impl fmt::Debug for HealthChecker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checks = self.0.read().clone();
        f.debug_set().entries(checks.iter().map(|check| check.name())).finish()
    }
}

// === impl HealthEntry ===

impl fmt::Debug for HealthEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthEntry").field("name", &self.check.name()).finish_non_exhaustive()
    }
}

impl Drop for HealthEntry {
    fn drop(&mut self) {
        self.checks.write().retain(|check| !Arc::ptr_eq(check, &self.check));
    }
}

// === impl HealthReport ===

impl HealthReport {
    /// Returns 503 if any check is unhealthy, else 200.
    pub fn http_status(&self) -> u16 {
        let is_unhealthy = |(_, health): &(String, Health)| matches!(health, Health::Unhealthy(_));
        if self.checks.iter().any(is_unhealthy) { 503 } else { 200 }
    }

    /// Writes the report as JSON: `{"status":"degraded","checks":{"exporter/otlp":{"status":"degraded","reason":"…"}}}`
    pub fn to_json(&self) -> String {
        let worst = self.checks.iter().map(|(_, health)| health).max_by_key(|health| health.rank());
        let mut json = format!("{{\"status\":\"{}\",\"checks\":{{", worst.map_or("healthy", Health::name));
        for (index, (name, health)) in self.checks.iter().enumerate() {
            json.push_str(if index == 0 { "" } else { "," });
            push_json_string(&mut json, name);
            json.push_str(":{\"status\":\"");
            json.push_str(health.name());
            json.push('"');
            if let Health::Degraded(reason) | Health::Unhealthy(reason) = health {
                json.push_str(",\"reason\":");
                push_json_string(&mut json, reason);
            }
            json.push('}');
        }
        json.push_str("}}");
        json
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

    fn rank(&self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Degraded(_) => 1,
            Self::Unhealthy(_) => 2,
        }
    }
}

fn push_json_string(json: &mut String, text: &str) {
    json.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => json.extend(['\\', char]),
            // A String takes any text.
            control if control.is_control() => drop(write!(json, "\\u{:04x}", u32::from(control))),
            char => json.push(char),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests;
