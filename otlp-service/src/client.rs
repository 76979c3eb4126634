//! The client: a program's own traces, metrics and logs, over OTLP.
//!
//! [`OtlpClient::send_trace`] describes an operation, [`OtlpClient::send_log`] a log record. Both are encoded at once, and sent by
//! a thread of the client; nothing of it waits for the network. [`OtlpClient::stats`] has the items that were sent, and lost by
//! reason.

mod config;
mod connect;
mod context;
mod current;
mod engine;
mod key;
mod limits;
mod log;
mod metrics;
mod propagation;
mod resource;
mod sampler;
mod trace;
#[cfg(feature = "tracing")]
mod tracing;

pub use config::{
    BatchSettings, ConfigProblem, ConfigWarning, Destination, ExporterKind, MetricSettings, OtlpConfig, Pem,
    Protocol, SignalSettings,
};
pub use connect::ClientError;
pub use context::TraceContext;
pub use current::{ContextGuard, attach, current};
pub use engine::{ClientProblem, ClientStats, FlushError, ItemStats, LossReason, ScopeId};
pub use key::{AttributeKey, Key};
#[doc(hidden)]
pub use key::{HEAD_BYTES, KeyHead};
pub use limits::{LogLimits, SpanLimits};
pub use log::LogBuilder;
pub use metrics::{
    Attributes, BoundCounter, BoundGauge, BoundHistogram, BoundUpDownCounter, Counter, Gauge, Histogram,
    HistogramAggregation, InstrumentBuilder, InstrumentKind, LostMeasurements, MeterSettings, Meters,
    MetricProblem, MetricScope, Number, ObservableCallback, ObservableCounter, ObservableGauge,
    ObservableUpDownCounter, Observer, Signed, TemporalityPreference, Unsigned, UpDownCounter,
};
pub use propagation::{Baggage, BaggageError, Carrier, Propagator, Propagators};
#[cfg(feature = "tower")]
pub use propagation::{Extract, ExtractFuture, ExtractLayer, Extracted, Inject, InjectLayer};
pub use resource::{Detector, Resource, SchemaUrlClash};
pub use sampler::{
    ConsistentRatio, NewSpan, ParentBased, RateLimit, Sampler, SamplerError, Sampling, ShouldSample,
};
pub use trace::{EventWriter, LinkWriter, Span, TraceBuilder};
#[cfg(feature = "tracing")]
pub use tracing::{EventForm, OtlpLayer, OtlpSubscriber, SetParentError, SpanEnd, SpanExt, TracingOptions};

use engine::{Engine, EngineConfig};
use otlp_protocol::SeverityNumber;
use otlp_protocol::encode::ScopeWriter;
use otlp_transport::BoxExport;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// A client: records a program's own telemetry and sends it. Cloning shares the client; when the last clone is dropped, the
/// client is shut down.
#[derive(Clone, Debug)]
pub struct OtlpClient(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    shutdown_timeout: Duration,
}

// === impl OtlpClient ===

impl OtlpClient {
    /// Makes a client that sends to `export`: a destination of the program's own, or of a test.
    ///
    /// # Errors
    /// The operating system's error if the client's thread cannot be started.
    pub fn with_exporter(export: BoxExport) -> io::Result<Self> {
        Self::with_engine(EngineConfig::new(Arc::new(move |_| Ok(export.clone()))), SHUTDOWN_TIMEOUT)
    }

    fn with_engine(config: EngineConfig, shutdown_timeout: Duration) -> io::Result<Self> {
        Ok(Self(Arc::new(Inner { engine: Engine::start(config)?, shutdown_timeout })))
    }

    /// Begins to describe an operation: a span.
    #[inline]
    pub fn send_trace<'a>(&self, operation: &'a str) -> TraceBuilder<'a> {
        TraceBuilder::begin(self.0.engine.shared(), operation)
    }

    /// Begins to describe a log record.
    pub fn send_log(&self, severity: SeverityNumber) -> LogBuilder<'_> {
        LogBuilder::begin(self.0.engine.shared(), severity)
    }

    /// Returns the id of an instrumentation scope, for [`TraceBuilder::scope`]. The same scope has the same id. A client has at
    /// most 1,024 scopes; others are the default scope, and counted.
    pub fn scope(&self, name: &str, schema_url: &str, write: impl FnOnce(&mut ScopeWriter<'_>)) -> ScopeId {
        self.0.engine.shared().scopes.id(name, schema_url, write)
    }

    /// Sends everything that was recorded before the call, and waits for the answers. It can be called on any thread: also on
    /// threads of an async runtime, in `Drop` and in panic hooks.
    ///
    /// # Errors
    /// [`FlushError`], after `timeout` at the latest.
    pub fn force_flush(&self, timeout: Duration) -> Result<(), FlushError> {
        self.0.engine.flush(timeout)
    }

    /// As [`force_flush`](Self::force_flush), for tasks of any async runtime: no thread is blocked.
    ///
    /// # Errors
    /// [`FlushError`], after `timeout` at the latest.
    pub async fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        self.0.engine.flush_async(timeout).await
    }

    /// Sends everything and stops. What is recorded later is lost and counted. It can be called where
    /// [`force_flush`](Self::force_flush) can.
    ///
    /// # Errors
    /// [`FlushError`], after `timeout` at the latest.
    pub fn shutdown(&self, timeout: Duration) -> Result<(), FlushError> {
        self.0.engine.shutdown(timeout)
    }

    /// Returns the number of items that were sent and lost.
    pub fn stats(&self) -> ClientStats {
        self.0.engine.stats()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // An error is in the counters; a second shutdown is none.
        let _ = self.engine.shutdown(self.shutdown_timeout);
    }
}

/// Longest time that the drop of the last client waits.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
