//! Latencies of attempts, on their way from exporters to the adaptive batch processors in front of them.

use super::adaptive::{AdaptiveBatchConfig, BatchSizeController, Observation};
use otlp_protocol::{Batch, ErrorKind};
use otlp_transport::{Attempt, BoxExport, Clock, Export, ExportResult};
use parking_lot::Mutex;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Reports the latencies of an exporter's attempts, for one signal, to the adaptive batch processors in front of the exporter.
/// Cloning shares it. While there is no adaptive batch processor an attempt costs one relaxed load.
///
/// The gateway makes a feedback for each exporter and signal. In a pipeline made by hand, the attempts behind the queue are
/// [measured](Self::measure), and the destination [has the feedback](crate::Destination::with_feedback):
///
/// ```
/// use otlp_protocol::Signal;
/// use otlp_service::{
///     AdaptiveBatchProcessor, AttemptFeedback, BatchConfig, BatchStats, Destination, ExponentialBackoffRetry,
///     ExporterStats, FanOut, Ledger, MemoryQueue, NopExporter, QueueConfig, Registry, RetryConfig,
/// };
/// use otlp_transport::TokioClock;
/// use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (ledger, registry, clock) = (Ledger::new(), Registry::new(), Arc::new(TokioClock));
/// let feedback = AttemptFeedback::new();
/// let attempt = feedback.measure(NopExporter, clock.clone());
/// let retry = ExponentialBackoffRetry::new(RetryConfig::default(), clock.clone(), attempt);
/// let stats = ExporterStats::new(&registry, "nop", Signal::LOGS);
/// let queue = MemoryQueue::start(QueueConfig::default(), stats, retry, clock.clone());
/// let destination = Destination::queued(ledger.account("logs", "nop"), queue).with_feedback(feedback);
/// let fanout = FanOut::new(vec![destination], clock.clone());
///
/// let stats = BatchStats::new(&registry, "batch", "logs", Signal::LOGS);
/// let batcher = AdaptiveBatchProcessor::start_before(BatchConfig::default(), &fanout, clock, stats);
/// assert_eq!(batcher.batch_size(), 8192);
/// # }
/// ```
#[derive(Clone, Default)]
pub struct AttemptFeedback(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// False while there are no listeners.
    is_heard: AtomicBool,
    listeners: Mutex<Vec<Listener>>,
}

/// A batch processor's size, and the index that the exporter has among the destinations of the batch processor.
struct Listener {
    size: Weak<AdaptiveSize>,
    destination: usize,
}

/// An [`Attempt`] whose latencies are reported: made by [`AttemptFeedback::measure`].
pub struct MeasuredAttempt<A> {
    attempt: A,
    feedback: AttemptFeedback,
    clock: Arc<dyn Clock>,
}

/// An export whose latencies are reported.
pub(super) struct MeasuredExport {
    pub(super) export: BoxExport,
    pub(super) feedback: AttemptFeedback,
    pub(super) clock: Arc<dyn Clock>,
}

/// The size of an adaptive batch processor: written with attempts, read with each request.
pub(super) struct AdaptiveSize {
    controller: Mutex<BatchSizeController>,
    current: AtomicU64,
}

// === impl AttemptFeedback ===

impl AttemptFeedback {
    /// Creates a feedback without listeners.
    pub fn new() -> Self {
        Self::default()
    }

    /// Measures an attempt, and reports its latencies.
    pub fn measure<A: Attempt>(&self, attempt: A, clock: Arc<dyn Clock>) -> MeasuredAttempt<A> {
        MeasuredAttempt { attempt, feedback: self.clone(), clock }
    }

    /// Reports an attempt. Only an attempt that was answered, or that ran into its time limit, says something about the size
    /// of batches.
    pub(crate) fn report(&self, items: u64, latency: Duration, result: &ExportResult) {
        if !self.0.is_heard.load(Ordering::Relaxed) {
            return;
        }
        let is_answered = match result {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::Timeout => false,
            Err(_) => return,
        };
        let mut listeners = self.0.listeners.lock();
        listeners.retain(|&Listener { ref size, destination }| {
            let Some(size) = size.upgrade() else { return false };
            size.observe(Observation { destination, items, latency, is_answered });
            true
        });
        self.0.is_heard.store(!listeners.is_empty(), Ordering::Relaxed);
    }

    /// Reports to `size` from now on, for as long as it lives.
    pub(super) fn listen(&self, size: &Arc<AdaptiveSize>, destination: usize) {
        let mut listeners = self.0.listeners.lock();
        listeners.push(Listener { size: Arc::downgrade(size), destination });
        self.0.is_heard.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for AttemptFeedback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttemptFeedback").field("listeners", &self.0.listeners.lock().len()).finish()
    }
}

// === impl MeasuredAttempt ===

impl<A: Attempt> Attempt for MeasuredAttempt<A> {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        let started = self.clock.now();
        let result = self.attempt.attempt(batch).await;
        let latency = self.clock.now().saturating_duration_since(started);
        self.feedback.report(batch.items(), latency, &result);
        result
    }
}

impl<A: fmt::Debug> fmt::Debug for MeasuredAttempt<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attempt, feedback, .. } = self;
        f.debug_struct("MeasuredAttempt")
            .field("attempt", attempt)
            .field("feedback", feedback)
            .finish_non_exhaustive()
    }
}

// === impl MeasuredExport ===

impl Export for MeasuredExport {
    async fn export(&self, batch: Batch) -> ExportResult {
        let (items, started) = (batch.items(), self.clock.now());
        let result = self.export.export(batch).await;
        let latency = self.clock.now().saturating_duration_since(started);
        self.feedback.report(items, latency, &result);
        result
    }
}

// === impl AdaptiveSize ===

impl AdaptiveSize {
    /// Makes the size of batches that are sent to these destinations.
    pub(super) fn of(config: AdaptiveBatchConfig, destinations: &[AttemptFeedback]) -> Arc<Self> {
        let controller = BatchSizeController::new(config, destinations.len());
        let current = AtomicU64::new(controller.size());
        let size = Arc::new(Self { controller: Mutex::new(controller), current });
        for (index, feedback) in destinations.iter().enumerate() {
            feedback.listen(&size, index);
        }
        size
    }

    /// Returns the current size, in items.
    pub(super) fn get(&self) -> u64 {
        self.current.load(Ordering::Relaxed)
    }

    fn observe(&self, observation: Observation) {
        let mut controller = self.controller.lock();
        controller.observe(observation);
        self.current.store(controller.size(), Ordering::Relaxed);
    }
}
