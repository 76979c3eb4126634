//! `service.telemetry.metrics`: pages that are read, and destinations that own metrics are sent to.

use super::exporter::{OwnExporter, OwnExporterPlan};
use super::{DEFAULT_METRICS_ENDPOINT, Reading};
use crate::config::listen::listen_address;
use otlp_service::{MetricsLevel, MetricsPage};
use serde::Deserialize;
use std::time::Duration;

/// Own metrics.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OwnMetrics {
    /// none, basic, normal, detailed: the metrics that are shown and sent; none turns them off. Default normal.
    level: TelemetryLevel,
    /// `host:port` of a page, if there are no readers. Default `localhost:8888`.
    address: Option<String>,
    /// Pages, and destinations that own metrics are sent to: each `pull` or `periodic`. Default: one page.
    readers: Vec<OwnReader>,
}

/// Values of `metrics.level` and `traces.level`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TelemetryLevel {
    None,
    Basic,
    #[default]
    Normal,
    Detailed,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OwnReader {
    pull: Option<OwnPull>,
    periodic: Option<OwnPeriodic>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OwnPull {
    exporter: OwnPullExporter,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OwnPullExporter {
    prometheus: OwnPage,
}

/// A page for Prometheus.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OwnPage {
    /// Host of the page. Default `localhost`.
    host: String,
    /// Port of the page. Default 8888.
    port: u16,
    /// false: names of counters end in `_total`, and Prometheus gets OpenMetrics. Default true.
    without_type_suffix: bool,
}

/// A destination that own metrics are sent to, once an interval.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OwnPeriodic {
    /// Milliseconds between two requests, at least 100. Default 60000.
    interval: Option<u64>,
    /// Milliseconds after which a request with its retries is given up; 0: no limit. Default 30000.
    timeout: Option<u64>,
    exporter: OwnExporter,
}

/// A destination that own metrics are sent to.
#[derive(Debug)]
pub(crate) struct ReaderPlan {
    /// Time between two requests.
    pub(crate) interval: Duration,
    /// Time after which a request is given up.
    pub(crate) timeout: Duration,
    /// Metrics that are sent.
    pub(crate) level: MetricsLevel,
    /// The destination.
    pub(crate) exporter: OwnExporterPlan,
}

// === impl OwnMetrics ===

impl OwnMetrics {
    /// Returns the pages, and the destinations that metrics are sent to.
    pub(super) fn plan(self, reading: &mut Reading<'_>) -> (Vec<MetricsPage>, Vec<ReaderPlan>) {
        let level = MetricsLevel::from(self.level);
        let (mut pages, mut readers) = (Vec::new(), Vec::new());
        if self.readers.is_empty() {
            let address = self.address.unwrap_or_else(|| DEFAULT_METRICS_ENDPOINT.into());
            let endpoint = page(&address, "metrics.address", reading);
            pages.extend(endpoint.map(|endpoint| MetricsPage { level, ..MetricsPage::new(endpoint) }));
        }
        for (index, OwnReader { pull, periodic }) in self.readers.into_iter().enumerate() {
            let at = format!("metrics.readers.{index}");
            if let Some(OwnPull { exporter: OwnPullExporter { prometheus } }) = pull {
                let found = page(&prometheus.address(), &format!("{at}.pull.exporter.prometheus"), reading);
                let type_suffix = !prometheus.without_type_suffix;
                let found = found.map(|endpoint| MetricsPage { endpoint, level, type_suffix });
                // Two readers may name one page.
                pages.extend(found.filter(|found| !pages.contains(found)));
            }
            readers.extend(
                periodic.and_then(|periodic| periodic.plan(level, &format!("{at}.periodic"), reading)),
            );
        }
        if level == MetricsLevel::None {
            return (Vec::new(), Vec::new());
        }
        (pages, readers)
    }
}

impl OwnPeriodic {
    fn plan(self, level: MetricsLevel, at: &str, reading: &mut Reading<'_>) -> Option<ReaderPlan> {
        let interval = self.interval.map_or(DEFAULT_INTERVAL, Duration::from_millis);
        if interval < MIN_INTERVAL {
            reading.wrong(&format!("{at}.interval"), "it must be at least 100 milliseconds");
        }
        let timeout = match self.timeout {
            None => DEFAULT_TIMEOUT,
            Some(0) => NO_TIMEOUT,
            Some(timeout) => Duration::from_millis(timeout).min(NO_TIMEOUT),
        };
        let exporter = self.exporter.plan(&format!("{at}.exporter"), "metrics", reading)?;
        Some(ReaderPlan { interval, timeout, level, exporter })
    }
}

/// Checks the address of a page.
fn page(address: &str, at: &str, reading: &mut Reading<'_>) -> Option<String> {
    let checked = listen_address(address);
    checked.map_err(|problem| reading.wrong(at, &format!("`{address}`: {problem}"))).ok()
}

impl OwnPage {
    fn address(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
    }
}

impl From<TelemetryLevel> for MetricsLevel {
    fn from(level: TelemetryLevel) -> Self {
        match level {
            TelemetryLevel::None => Self::None,
            TelemetryLevel::Basic => Self::Basic,
            TelemetryLevel::Normal => Self::Normal,
            TelemetryLevel::Detailed => Self::Detailed,
        }
    }
}

impl Default for OwnPage {
    fn default() -> Self {
        Self { host: "localhost".into(), port: 8888, without_type_suffix: true }
    }
}

const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// A year.
const NO_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);
const MIN_INTERVAL: Duration = Duration::from_millis(100);
