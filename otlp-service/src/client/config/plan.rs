//! A validated configuration, in the form that a client needs.

use super::destination::DEFAULT_TIMEOUT;
use super::exporters::Exporters;
use super::{ExporterKind, OtlpConfig, SignalSettings};
use crate::client::resource::Resource;
use std::sync::Arc;
use std::time::Duration;

/// Parts of a client, made of a valid configuration.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The detected and configured resource.
    pub(crate) resource: Resource,
    /// Makes the exporters.
    pub(crate) exporters: Arc<Exporters>,
    /// Time limits of an export, with its retries: of spans, log records and points.
    pub(crate) time_limits: [Duration; 3],
    /// True if spans are sent.
    pub(crate) sends_spans: bool,
    /// True if log records are sent.
    pub(crate) sends_logs: bool,
    /// True if metrics are sent.
    pub(crate) sends_points: bool,
}

// === impl Plan ===

impl Plan {
    /// Makes a plan of a configuration that has been checked.
    pub(super) fn new(config: &OtlpConfig, resource: Resource, exporters: Exporters) -> Self {
        let limit = |own: Option<Duration>, export_timeout: Duration| {
            let timeout = own.or(config.destination.timeout).unwrap_or(DEFAULT_TIMEOUT);
            let limits = [timeout, export_timeout].into_iter().filter(|limit| !limit.is_zero());
            limits.min().unwrap_or(LONGEST).min(LONGEST)
        };
        let time_limits = [
            limit(config.traces.destination.timeout, config.span_batches.export_timeout),
            limit(config.logs.destination.timeout, config.log_batches.export_timeout),
            limit(config.metrics.destination.timeout, config.metric_settings.export_timeout),
        ];
        let is_sent =
            |signal: &SignalSettings| !config.disabled && !matches!(signal.exporter, ExporterKind::None);
        Self {
            resource,
            exporters: Arc::new(exporters),
            time_limits,
            sends_spans: is_sent(&config.traces),
            sends_logs: is_sent(&config.logs),
            sends_points: is_sent(&config.metrics),
        }
    }
}

/// Longest time limit, which also stands for no limit: a day. Retries end earlier.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
