//! Levels of own metrics.

/// Amount of own metrics that are shown: the values of the Collector's `service.telemetry.metrics.level`, in ascending order.
///
/// Each metric of a [`Registry`](super::Registry) has the lowest level that shows the metric, as in the Collector. All metrics are
/// counted at any level: the level decides what pages and pushes show.
///
/// ```
/// use otlp_service::{MetricsLevel, Registry};
///
/// let registry = Registry::new();
/// let _sent = registry.counter("sent", "Items sent.", &[]);
/// let _bytes = registry.with_level(MetricsLevel::Detailed).counter("sent_bytes", "Bytes sent.", &[]);
/// assert_eq!(registry.at_level(MetricsLevel::Normal).families.len(), 1);
/// assert_eq!(registry.at_level(MetricsLevel::Detailed).families.len(), 2);
/// assert!(registry.at_level(MetricsLevel::None).families.is_empty());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetricsLevel {
    /// No metrics.
    None,
    /// Metrics that alerts need: items and requests of receivers and exporters, queues, the ledger, the process.
    Basic,
    /// Also the batch processor, and durations of requests.
    #[default]
    Normal,
    /// Also sizes in bytes, and metrics of each processor's and each RPC's duration.
    Detailed,
}
