//! Pages of own metrics.

use crate::telemetry::MetricsLevel;

/// A page of own metrics, under the path `/metrics`: Prometheus' text format, or OpenMetrics if the request asks for it, see
/// [`MetricsFormat::for_accept`](crate::MetricsFormat::for_accept).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MetricsPage {
    /// `host:port`; port 0 lets the system choose.
    pub endpoint: String,
    /// Metrics on the page; with `None` the page is not served. Default normal.
    pub level: MetricsLevel,
    /// Names of counters end in `_total`, also in Prometheus' text format. Default false, as in the Collector.
    pub type_suffix: bool,
}

impl MetricsPage {
    /// A page with the metrics of level normal.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self { endpoint: endpoint.into(), ..Self::default() }
    }
}
