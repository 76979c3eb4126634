//! The health checks that `health_check` and `healthcheckv2` set for the whole gateway.

use otlp_service::{Affects, GoDuration, HealthCheckConfig, HealthChecksSpec, SettingsError, StoreSpec};
use serde::Deserialize;
use std::path::Path;

/// Health checks beside those of the gateway's state and of its destinations.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HealthChecks {
    /// `memory` is degraded while more of the memory budget is used than this, in percent; 0: no check. Default 90. Not a key of
    /// the Collector.
    memory_percent: Option<u8>,
    /// `descriptors` is degraded while more of the file descriptors are open than this, in percent; 0: no check. Default 90. Not a
    /// key of the Collector.
    descriptors_percent: Option<u8>,
    /// `queue/EXPORTER` is degraded while a queue of the exporter is fuller than this, in percent; 0: no check. Default 90. Not a
    /// key of the Collector.
    queue_percent: Option<u8>,
    /// `certificates` is degraded this number of days before an own certificate expires, and unhealthy from then on; 0: no check.
    /// Default 14. Not a key of the Collector.
    certificate_days: Option<u32>,
    /// Connects to each destination that had no attempt for a period. Default off.
    connect: Option<Connecting>,
    /// Directories that must be writable, as `store/DIRECTORY`.
    stores: Vec<Store>,
}

/// Connections to destinations, for their health alone. They are closed at once, and not made with a proxy.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Connecting {
    /// Time without an attempt after which a connection is made. Default 30 s. Not a key of the Collector.
    period: Option<GoDuration>,
    /// Time after which a connection has failed. Default 5 s. Not a key of the Collector.
    timeout: Option<GoDuration>,
}

/// A directory in which a small file is written, synchronised and removed.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Store {
    /// The directory. Required. Not a key of the Collector.
    directory: String,
    /// Room left below which the check is unhealthy, in MiB; 0: not checked. Default 0. Not a key of the Collector.
    min_free_mib: u64,
    /// Answers that turn to 503 while the check is unhealthy: report (none), readiness, liveness. Default report. Not a key of the
    /// Collector.
    affects: Affected,
    /// Time between two checks. Default 30 s. Not a key of the Collector.
    period: Option<GoDuration>,
    /// Time after which a check that has not ended is unhealthy. Default 5 s. Not a key of the Collector.
    timeout: Option<GoDuration>,
}

/// The values of `affects`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Affected {
    #[default]
    Report,
    Readiness,
    Liveness,
}

// === impl HealthChecks ===

impl HealthChecks {
    pub(super) fn spec(self) -> Result<HealthChecksSpec, SettingsError> {
        let mut spec = HealthChecksSpec::usual();
        for (key, given, percent) in [
            ("memory_percent", self.memory_percent, &mut spec.memory_percent),
            ("descriptors_percent", self.descriptors_percent, &mut spec.descriptors_percent),
            ("queue_percent", self.queue_percent, &mut spec.queue_percent),
        ] {
            if given.is_some_and(|given| given > 100) {
                return Err(SettingsError::at(format!("checks.{key}"), "it must be 0 to 100"));
            }
            *percent = given.or(*percent).filter(|percent| *percent > 0);
        }
        spec.certificate_days = self.certificate_days.or(spec.certificate_days).filter(|days| *days > 0);
        spec.connect = match self.connect {
            Some(Connecting { period, timeout }) => Some(config("checks.connect", period, timeout)?),
            None => None,
        };
        for (index, store) in self.stores.into_iter().enumerate() {
            spec.stores.push(store.spec(&format!("checks.stores.{index}"))?);
        }
        Ok(spec)
    }
}

// === impl Store ===

impl Store {
    fn spec(self, at: &str) -> Result<StoreSpec, SettingsError> {
        if !Path::new(&self.directory).is_absolute() {
            let problem = "the absolute path of a directory is required";
            return Err(SettingsError::at(format!("{at}.directory"), problem));
        }
        let mut spec = StoreSpec::new(self.directory);
        spec.min_free_bytes = self.min_free_mib.saturating_mul(1 << 20);
        spec.config = config(at, self.period, self.timeout)?;
        spec.config.affects = match self.affects {
            Affected::Report => Affects::Report,
            Affected::Readiness => Affects::Readiness,
            Affected::Liveness => Affects::Liveness,
        };
        Ok(spec)
    }
}

fn config(
    at: &str,
    period: Option<GoDuration>,
    timeout: Option<GoDuration>,
) -> Result<HealthCheckConfig, SettingsError> {
    let mut config = HealthCheckConfig::default();
    for (key, given, time) in
        [("period", period, &mut config.period), ("timeout", timeout, &mut config.timeout)]
    {
        match given {
            None => {}
            Some(GoDuration(given)) if given.is_zero() => {
                return Err(SettingsError::at(format!("{at}.{key}"), "it must be more than 0"));
            }
            Some(GoDuration(given)) => *time = given,
        }
    }
    Ok(config)
}
