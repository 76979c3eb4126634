//! Clients that are made of a configuration.

use super::config::{ConfigProblem, OtlpConfig, Plan};
use super::engine::{EngineConfig, unix_nanos};
use super::metrics::instruments;
use super::{Meters, OtlpClient, Propagators};
use otlp_transport::{Clock as _, TokioClock};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Failure to make a client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A setting cannot work.
    #[error(transparent)]
    Config(#[from] ConfigProblem),
    /// The operating system could not start the client's thread.
    #[error("the client's thread cannot be started: {0}")]
    Thread(#[from] io::Error),
}

// === impl OtlpClient ===

impl OtlpClient {
    /// Makes a client of a configuration: checks all settings, reads certificates, and starts the client's thread. The client connects
    /// when it sends for the first time. Variables that were ignored are logged as warnings.
    ///
    /// ```no_run
    /// use otlp_service::client::{OtlpClient, OtlpConfig};
    ///
    /// let client = OtlpClient::new(OtlpConfig::from_env().with_service_name("cart"))?;
    /// client.send_trace("checkout").attribute("items", 3).finish();
    /// # Ok::<(), otlp_service::client::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// The first setting that cannot work, or the operating system's error if no thread can be started.
    pub fn new(config: OtlpConfig) -> Result<Self, ClientError> {
        let plan = config.plan()?;
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        let shutdown_timeout = config.shutdown_timeout;
        Ok(Self::with_engine(engine_config(config, plan), shutdown_timeout)?)
    }

    instruments!(self => self.meters());

    /// Returns the instruments of the client.
    pub fn meters(&self) -> &Meters {
        &self.0.engine.shared().config.meters
    }

    /// Returns the configured formats of trace contexts in headers.
    pub fn propagators(&self) -> &Propagators {
        &self.0.engine.shared().config.propagators
    }
}

fn engine_config(config: OtlpConfig, plan: Plan) -> EngineConfig {
    let exporters = plan.exporters;
    let mut engine = EngineConfig::new(Arc::new(move |signal| match exporters.exporter(signal) {
        Ok(Some(exporter)) => Ok(exporter),
        Ok(None) => Err(format!("{signal} have no exporter")),
        Err(problem) => Err(problem.to_string()),
    }));
    engine.resource = plan.resource.encode().into();
    engine.resource_schema_url = plan.resource.schema_url().to_owned();
    let batches = [(&mut engine.spans, &config.span_batches), (&mut engine.logs, &config.log_batches)];
    for (batches, settings) in batches {
        batches.max_items = settings.max_export_batch_size;
        batches.max_waiting = settings.max_queue_size.unwrap_or(usize::MAX);
        batches.delay = settings.schedule_delay.clamp(MIN_DELAY, MAX_DELAY);
    }
    engine.points.delay = config.metric_settings.interval.clamp(MIN_DELAY, MAX_DELAY);
    [engine.spans.timeout, engine.logs.timeout, engine.points.timeout] = plan.time_limits;
    engine.max_finished_bytes = config.max_finished_bytes;
    engine.max_open_spans = config.max_open_spans;
    engine.span_limits = config.span_limits;
    engine.log_limits = config.log_limits;
    engine.is_disabled = config.disabled;
    engine.records_spans = plan.sends_spans;
    engine.records_logs = plan.sends_logs;
    engine.collects_points = plan.sends_points;
    let hook = config.on_error.clone();
    engine.meters = Meters::new(config.metric_settings.meters, unix_nanos(), move |problem| {
        hook.report_metric(problem, TokioClock.now());
    });
    engine.on_error = config.on_error;
    engine.propagators = config.propagators;
    engine.sampler = config.sampler;
    engine
}

/// Shortest time between two looks at what waits: a delay of zero must not become a busy loop.
const MIN_DELAY: Duration = Duration::from_millis(1);
/// Longest such time: a year, which the clock can add to any time.
const MAX_DELAY: Duration = Duration::from_secs(365 * 24 * 3600);
