//! Collection of metrics.

use crate::client::MeterSettings;
use std::time::Duration;

/// Settings of the collection and export of metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetricSettings {
    /// Time between collections. Default 60 s.
    pub interval: Duration,
    /// Time limit of an export, with its retries, beside the destination's timeout; the shorter one counts. Zero is no limit.
    /// Default 30 s.
    pub export_timeout: Duration,
    /// Temporality, aggregation of histograms, and series of an instrument.
    pub meters: MeterSettings,
}

impl Default for MetricSettings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            export_timeout: Duration::from_secs(30),
            meters: MeterSettings::default(),
        }
    }
}
