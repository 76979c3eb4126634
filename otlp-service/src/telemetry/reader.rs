//! Pushes of own metrics as OTLP, at an interval.

use super::otlp::{Request, Requests, Temporality};
use super::{Counter, MetricsLevel, Registry};
use crate::exporter::Outage;
use crate::fanout::caught;
use futures_util::FutureExt;
use otlp_protocol::{AttributeValue, Batch, Charge, ErrorKind};
use otlp_transport::{Clock, Export, ExportError, ExportResult};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Settings of a [`MetricsReader`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct MetricsReaderConfig {
    /// Time from the start of a push to the start of the next push, 1 ms to one year. Default 60 s.
    pub interval: Duration,
    /// Longest duration of a push. A push that takes longer is counted as failed. Default 30 s.
    pub timeout: Duration,
    /// Time that the points of counters and histograms cover. Default cumulative.
    pub temporality: Temporality,
    /// Metrics that are pushed. Default normal.
    pub level: MetricsLevel,
}

/// Pushes the metrics of a [`Registry`] to a destination, at an interval. Dropping the reader ends the pushes at once;
/// [`drain`](Self::drain) pushes a last time.
///
/// At most one push is in flight: a push that takes longer than the interval delays the next push. Nothing is queued, since the
/// next push has the newer values; of delta temporality, the next push also has the changes of pushes that failed. Pushes count in
/// `otlp_own_metrics_pushes` and `otlp_own_metrics_rejected_points`; a warning about failed pushes is logged once a minute at most.
///
/// ```
/// use otlp_protocol::{Accepted, AttributeValue, Batch};
/// use otlp_service::{MetricsReader, MetricsReaderConfig, Registry};
/// use otlp_transport::{BoxExport, Clock, TokioClock};
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let registry = Registry::new();
/// let served = registry.counter("served", "Orders served.", &[]);
/// let resource = vec![("service.name".to_owned(), AttributeValue::new("shop"))];
/// let export = BoxExport::from_fn(|batch: Batch| async move {
///     assert!(batch.items() > 0);
///     Ok(Accepted::FULL)
/// });
/// let clock: Arc<dyn Clock> = Arc::new(TokioClock);
/// let config = MetricsReaderConfig::default();
/// let reader = MetricsReader::start(registry.clone(), config, resource, export, clock.clone());
/// served.add(1);
/// reader.drain(clock.now() + Duration::from_secs(5)).await;
/// # }
/// ```
#[derive(Debug)]
pub struct MetricsReader {
    stop: Option<oneshot::Sender<Instant>>,
    task: JoinHandle<()>,
    clock: Arc<dyn Clock>,
}

struct Pushes<E> {
    registry: Registry,
    config: MetricsReaderConfig,
    resource: Vec<(String, AttributeValue)>,
    export: E,
    clock: Arc<dyn Clock>,
    requests: Requests,
    outage: Outage,
    succeeded: Counter,
    failed: Counter,
    rejected: Counter,
}

// === impl MetricsReader ===

impl MetricsReader {
    /// Starts a reader, whose first push is after one interval. Cumulative points cover the time since the registry was made, delta
    /// points the time since the reader was started: what a reader before this one has pushed does not count again. `export` must
    /// not lead through pipelines whose metrics are in `registry`: each push would change the metrics. Must be called within a
    /// tokio runtime.
    pub fn start(
        registry: Registry,
        config: MetricsReaderConfig,
        resource: Vec<(String, AttributeValue)>,
        export: impl Export,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let pushes =
            |outcome| registry.counter("otlp_own_metrics_pushes", PUSHES_HELP, &[("outcome", outcome)]);
        let mut requests = Requests::new(config.temporality, registry.created());
        if config.temporality == Temporality::Delta {
            requests.count_from(&registry.at_level(config.level), clock.wall());
        }
        let pushes = Pushes {
            requests,
            outage: Outage::default(),
            succeeded: pushes("success"),
            failed: pushes("failure"),
            rejected: registry.counter("otlp_own_metrics_rejected_points", REJECTED_HELP, &[]),
            clock: clock.clone(),
            registry,
            config,
            resource,
            export,
        };
        let (stop, stopped) = oneshot::channel();
        Self { stop: Some(stop), task: tokio::spawn(pushes.run(stopped).boxed()), clock }
    }

    /// Waits for the push in flight, and pushes the last values. Cut off at `deadline`.
    pub async fn drain(mut self, deadline: Instant) {
        if let Some(stop) = self.stop.take() {
            // The task ends by itself only after a panic, which is logged.
            let _ = stop.send(deadline);
        }
        tokio::select! {
            biased;
            _ = &mut self.task => {}
            () = self.clock.sleep_until(deadline) => {}
        }
    }
}

impl Drop for MetricsReader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl Pushes ===

impl<E: Export> Pushes<E> {
    async fn run(mut self, mut stopped: oneshot::Receiver<Instant>) {
        let interval = self.config.interval.clamp(MIN_INTERVAL, MAX_TIME);
        let mut next = self.clock.now() + interval;
        loop {
            let deadline = tokio::select! {
                biased;
                deadline = &mut stopped => deadline.ok(),
                () = self.clock.sleep_until(next) => None,
            };
            self.push().await;
            if deadline.is_some() {
                return;
            }
            next = (next + interval).max(self.clock.now());
        }
    }

    async fn push(&mut self) {
        let snapshot = self.registry.at_level(self.config.level);
        let request = self.requests.request(&snapshot, &self.resource, self.clock.wall());
        if request.body.count().items == 0 {
            return;
        }
        let batch = Batch::new(request.body.clone(), Charge::none());
        let result = tokio::select! {
            biased;
            result = caught(self.export.export(batch)) => result,
            () = self.clock.sleep(self.config.timeout.min(MAX_TIME)) => Err(self.too_slow()),
        };
        self.settle(request, result);
    }

    fn settle(&mut self, request: Request, result: ExportResult) {
        let now = self.clock.now();
        match result {
            Ok(accepted) => {
                self.succeeded.add(1);
                self.rejected.add(accepted.rejected);
                self.requests.accepted(request);
                if let Some((lasted, failed_pushes)) = self.outage.ended(now) {
                    let seconds = lasted.as_secs();
                    tracing::info!(failed_pushes, seconds, "own metrics are pushed again");
                }
            }
            Err(error) => {
                self.failed.add(1);
                if let Some(line) = self.outage.failed(now) {
                    let (cause, failed_pushes) = (error.message(), line.attempts);
                    tracing::warn!(
                        cause,
                        failed_pushes,
                        "own metrics cannot be pushed; the next push has the newer values"
                    );
                }
            }
        }
    }

    fn too_slow(&self) -> ExportError {
        let timeout = self.config.timeout;
        ExportError::refused(ErrorKind::Timeout, format!("no answer within the timeout of {timeout:?}"))
    }
}

impl Default for MetricsReaderConfig {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            timeout: Duration::from_secs(30),
            temporality: Temporality::default(),
            level: MetricsLevel::default(),
        }
    }
}

const PUSHES_HELP: &str = "Pushes of own metrics, by outcome.";
const REJECTED_HELP: &str = "Points of own metrics that the destination rejected in partial successes.";
/// A shorter interval would keep a core busy.
const MIN_INTERVAL: Duration = Duration::from_millis(1);
/// A year: sums of instants and longer times could overflow.
const MAX_TIME: Duration = Duration::from_secs(365 * 24 * 3600);

#[cfg(test)]
mod tests;
