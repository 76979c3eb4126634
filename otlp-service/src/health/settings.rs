//! Settings of the health checks that a gateway has built in.

use super::{Affects, HealthCheckConfig};
use std::path::PathBuf;

/// The built-in health checks of a gateway, beside the last attempts of its exporters. Default: none.
///
/// ```
/// use otlp_service::{GatewaySpec, HealthChecksSpec, StoreSpec};
///
/// let mut checks = HealthChecksSpec::usual();
/// checks.certificate_days = Some(30);
/// checks.stores.push(StoreSpec::new("/var/lib/otlp"));
/// let spec = GatewaySpec { health_checks: checks, ..GatewaySpec::default() };
/// # drop(spec);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HealthChecksSpec {
    /// `memory`: degraded while more than this share of the byte budget is used, in percent.
    pub memory_percent: Option<u8>,
    /// `descriptors`: degraded while more than this share of the file descriptors is open, in percent.
    pub descriptors_percent: Option<u8>,
    /// `queue/EXPORTER`: degraded while a queue is fuller than this, in percent.
    pub queue_percent: Option<u8>,
    /// `certificates`: degraded this number of days before an own certificate expires, unhealthy from then on. Affects the
    /// report alone.
    pub certificate_days: Option<u32>,
    /// `exporter/ID`: connects to a destination that had no attempt for a period, so that health does not depend on traffic. Used
    /// for destinations whose address is known, and not with proxies. Such a check is degraded at most.
    pub connect: Option<HealthCheckConfig>,
    /// `store/DIRECTORY`: directories that must be writable.
    pub stores: Vec<StoreSpec>,
}

/// A directory that must be writable, for a [`DatabaseHealthCheck`](super::DatabaseHealthCheck).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StoreSpec {
    /// The directory.
    pub directory: PathBuf,
    /// Room below which the check is unhealthy, in bytes. 0, the default: the room is not checked.
    pub min_free_bytes: u64,
    /// Time-out, period and effect. Default: the usual, for the report alone.
    pub config: HealthCheckConfig,
}

// === impl HealthChecksSpec ===

impl HealthChecksSpec {
    /// The checks that cost nothing until somebody asks: memory, descriptors and queues above 90 %, certificates 14 days before
    /// they expire.
    pub fn usual() -> Self {
        Self {
            memory_percent: Some(90),
            descriptors_percent: Some(90),
            queue_percent: Some(90),
            certificate_days: Some(14),
            connect: None,
            stores: Vec::new(),
        }
    }
}

// === impl StoreSpec ===

impl StoreSpec {
    /// A directory whose check affects the report alone, without a limit for the room left.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let config = HealthCheckConfig { affects: Affects::Report, ..HealthCheckConfig::default() };
        Self { directory: directory.into(), min_free_bytes: 0, config }
    }
}
