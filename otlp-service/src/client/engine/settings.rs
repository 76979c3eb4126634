//! Settings of an engine, validated.

use super::clock::unix_nanos;
use super::problem::ErrorHook;
use crate::client::{LogLimits, MeterSettings, Meters, Propagators, Sampler, SpanLimits};
use otlp_protocol::Signal;
use otlp_transport::BoxExport;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Settings of an engine.
#[derive(Clone)]
pub(crate) struct EngineConfig {
    /// The encoded message `Resource`.
    pub(crate) resource: Arc<[u8]>,
    /// Schema URL of the resource; empty if there is none.
    pub(crate) resource_schema_url: String,
    /// Name and version of the default scope.
    pub(crate) scope: (String, String),
    pub(crate) spans: BatchSettings,
    pub(crate) logs: BatchSettings,
    pub(crate) points: BatchSettings,
    /// Memory of the finished chunks that wait to be sent.
    pub(crate) max_finished_bytes: usize,
    /// Spans that are open at the same time.
    pub(crate) max_open_spans: u32,
    pub(crate) span_limits: SpanLimits,
    pub(crate) log_limits: LogLimits,
    pub(crate) sampler: Sampler,
    /// Formats of trace contexts in headers.
    pub(crate) propagators: Propagators,
    /// The instruments of the client.
    pub(crate) meters: Meters,
    /// Spans are neither recorded nor sampled: the parent's context is passed on as it is.
    pub(crate) is_disabled: bool,
    /// Sampled spans are recorded.
    pub(crate) records_spans: bool,
    /// Log records are recorded.
    pub(crate) records_logs: bool,
    /// Metrics are collected.
    pub(crate) collects_points: bool,
    /// Told of losses, on the engine's thread.
    pub(crate) on_error: ErrorHook,
    /// Makes the destination of a signal, on the engine's thread.
    pub(crate) exporter: ExporterFn,
}

/// Settings of the requests of one kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchSettings {
    /// Items of a request.
    pub(crate) max_items: usize,
    /// Time between two collections of the threads' unfinished chunks, or of the metrics.
    pub(crate) delay: Duration,
    /// Time limit of an export, with all retries.
    pub(crate) timeout: Duration,
    /// Items that wait to be sent, in chunks: further chunks are refused while others wait.
    pub(crate) max_waiting: usize,
}

/// Makes the destination of a signal, or says why there is none.
pub(crate) type ExporterFn = Arc<dyn Fn(Signal) -> Result<BoxExport, String> + Send + Sync>;

impl EngineConfig {
    /// Makes the specification's default settings, for a destination.
    pub(crate) fn new(exporter: ExporterFn) -> Self {
        let timeout = Duration::from_secs(10);
        let batch = |max_items, delay| BatchSettings { max_items, delay, timeout, max_waiting: usize::MAX };
        Self {
            resource: Arc::default(),
            resource_schema_url: String::new(),
            scope: (env!("CARGO_PKG_NAME").into(), env!("CARGO_PKG_VERSION").into()),
            spans: batch(512, Duration::from_secs(5)),
            logs: batch(512, Duration::from_secs(1)),
            points: batch(usize::MAX, Duration::from_secs(60)),
            max_finished_bytes: 8 << 20,
            max_open_spans: 16_384,
            span_limits: SpanLimits::default(),
            log_limits: LogLimits::default(),
            sampler: Sampler::default(),
            propagators: Propagators::default(),
            meters: Meters::new(MeterSettings::default(), unix_nanos(), |_| {}),
            is_disabled: false,
            records_spans: true,
            records_logs: true,
            collects_points: true,
            on_error: ErrorHook::default(),
            exporter,
        }
    }
}

impl fmt::Debug for EngineConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineConfig")
            .field("spans", &self.spans)
            .field("logs", &self.logs)
            .field("points", &self.points)
            .field("max_finished_bytes", &self.max_finished_bytes)
            .field("max_open_spans", &self.max_open_spans)
            .field("span_limits", &self.span_limits)
            .field("log_limits", &self.log_limits)
            .field("sampler", &self.sampler)
            .finish_non_exhaustive()
    }
}
