//! The counters of receivers, processors, batch processors and exporters.

use super::performance::{MeasuredPart, RequestStats};
use super::registry::Labels;
use super::sizes::BatchSizes;
use super::{Counter, Histogram, MetricKind, MetricsLevel, Registration, Registry};
use otlp_protocol::Signal;
use otlp_transport::ExportResult;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The counters of one signal of one server of a receiver.
#[derive(Clone, Debug)]
pub(crate) struct ReceiverStats {
    accepted: Counter,
    refused: Counter,
    failed: Counter,
    accepted_requests: Counter,
    refused_requests: Counter,
    failed_requests: Counter,
    requests: Arc<RequestStats>,
    memory: MemoryStats,
}

/// The counters of the memory budget for one signal, over all receivers.
#[derive(Clone, Debug)]
pub(crate) struct MemoryStats {
    accepted: Counter,
    refused: Counter,
}

/// The counters of one batch processor. The default is in no registry.
#[derive(Default)]
pub struct BatchStats {
    registry: Registry,
    labels: Labels,
    pub(crate) incoming: Counter,
    pub(crate) outgoing: Counter,
    pub(crate) unmergeable: Counter,
    pub(crate) sent_by_size: Counter,
    pub(crate) sent_by_timeout: Counter,
    pub(crate) sent_by_cardinality: Counter,
    sizes: BatchSizes,
}

/// The counters of one processor of a pipeline.
#[derive(Clone, Debug, Default)]
pub struct ProcessorStats {
    pub(crate) incoming: Counter,
    pub(crate) outgoing: Counter,
    duration: Histogram,
}

/// The counters of one signal of one exporter.
#[derive(Debug)]
pub struct ExporterStats {
    pub(crate) sent: Counter,
    pub(crate) send_failed: Counter,
    pub(crate) enqueue_failed: Counter,
    /// Batches that enter the queue.
    pub(crate) enqueued: BatchSizes,
    /// Batches that leave the queue, to be sent.
    pub(crate) dequeued: BatchSizes,
    attempts: Arc<RequestStats>,
    in_flight: Arc<AtomicU64>,
    _in_flight_shown: Registration,
}

/// A request in flight: counted until the guard is dropped.
pub(crate) struct InFlight<'a>(&'a AtomicU64);

// === impl ReceiverStats ===

impl ReceiverStats {
    pub(crate) fn new(
        registry: &Registry,
        receiver: &str,
        transport: &str,
        signal: Signal,
        memory: MemoryStats,
    ) -> Self {
        let noun = signal.items_noun;
        let labels = [("receiver", receiver), ("transport", transport)];
        let items = |state, help| registry.counter(format!("otelcol_receiver_{state}_{noun}"), help, &labels);
        let requests = |outcome| {
            let labels = [labels[0], labels[1], ("otel_signal", signal.name), ("outcome", outcome)];
            registry.counter(
                "otelcol_receiver_requests",
                "Requests that reached the pipeline, by outcome.",
                &labels,
            )
        };
        Self {
            accepted: items("accepted", "Items that the pipelines accepted."),
            refused: items(
                "refused",
                "Items refused with a retryable error or rejected for invalid ids; a request refused for lack of memory is one item.",
            ),
            failed: items("failed", "Items that the pipelines refused with a final error."),
            accepted_requests: requests("success"),
            refused_requests: requests("refused"),
            failed_requests: requests("failure"),
            requests: RequestStats::new(
                registry,
                MeasuredPart::Receiver,
                &[labels[0], labels[1], ("otel_signal", signal.name)],
            ),
            memory,
        }
    }

    /// Counts items that the server removed from a request.
    pub(crate) fn count_refused(&self, items: u64) {
        self.refused.add(items);
    }

    /// Counts a request that the server refused for lack of memory, as one item: the number of its items is unknown.
    pub(crate) fn count_unread(&self) {
        self.refused.add(1);
        self.refused_requests.add(1);
        self.memory.refused.add(1);
    }

    /// Returns the time by which requests are measured.
    pub(crate) fn now(&self) -> Instant {
        self.requests.now()
    }

    /// Counts a request that came at `begun`, and that the pipelines answered at `ended`.
    pub(crate) fn count(&self, begun: Instant, ended: Instant, items: u64, result: &ExportResult) {
        self.requests.ended(begun, ended, items, result);
        let (item_counter, request_counter) = match result {
            Ok(_) => (&self.accepted, &self.accepted_requests),
            Err(error) if error.retry().is_retryable() => (&self.refused, &self.refused_requests),
            Err(_) => (&self.failed, &self.failed_requests),
        };
        item_counter.add(items);
        request_counter.add(1);
        self.memory.accepted.add(items);
    }
}

// === impl MemoryStats ===

impl MemoryStats {
    pub(crate) fn new(registry: &Registry, signal: Signal) -> Self {
        let noun = signal.items_noun;
        let labels = [("processor", "memory_limiter")];
        let items = |state, help| {
            registry.counter(format!("otelcol_processor_memory_limiter_{state}_{noun}"), help, &labels)
        };
        Self {
            accepted: items("accepted", "Items of requests that fit into the memory budget."),
            refused: items("refused", "Requests refused for lack of memory, each counted as one item."),
        }
    }
}

// === impl ProcessorStats ===

impl ProcessorStats {
    /// Registers the counters of a processor in a pipeline.
    pub fn new(registry: &Registry, processor: &str, pipeline: &str, signal: Signal) -> Self {
        let labels = [("processor", processor), ("otel_signal", signal.name), ("pipeline", pipeline)];
        Self {
            incoming: registry.counter("otelcol_processor_incoming_items", INCOMING_HELP, &labels),
            outgoing: registry.counter("otelcol_processor_outgoing_items", OUTGOING_HELP, &labels),
            duration: registry.with_level(MetricsLevel::Detailed).histogram(
                "otelcol_processor_internal_duration",
                "Processing time of a batch, in seconds.",
                &labels,
                Histogram::in_units(DURATION_BOUNDS_MICROS, 1_000_000),
            ),
        }
    }

    /// Counts the processing time of a batch.
    pub(crate) fn took(&self, duration: Duration) {
        self.duration.record(micros(duration));
    }
}

// === impl BatchStats ===

impl BatchStats {
    /// Registers the counters of a batch processor in a pipeline.
    pub fn new(registry: &Registry, processor: &str, pipeline: &str, signal: Signal) -> Self {
        let labels = [("processor", processor), ("otel_signal", signal.name), ("pipeline", pipeline)];
        let normal = registry.with_level(MetricsLevel::Normal);
        let counter = |name: &str, help| normal.counter(format!("otelcol_processor_{name}"), help, &labels);
        Self {
            incoming: registry.counter("otelcol_processor_incoming_items", INCOMING_HELP, &labels),
            outgoing: registry.counter("otelcol_processor_outgoing_items", OUTGOING_HELP, &labels),
            unmergeable: counter(
                "batch_unmergeable",
                "Requests sent alone because they cannot be merged with others.",
            ),
            sent_by_size: counter("batch_batch_size_trigger_send", "Batches sent because they were full."),
            sent_by_timeout: counter("batch_timeout_trigger_send", "Batches sent after the timeout."),
            sent_by_cardinality: counter(
                "batch_cardinality_trigger_send",
                "Batches sent early because too many batches of different metadata were open.",
            ),
            sizes: BatchSizes::new(
                (&normal, &registry.with_level(MetricsLevel::Detailed)),
                "otelcol_processor_batch_batch_send_size",
                ("Items in a sent batch.", "Encoded bytes of a sent batch."),
                &labels,
            ),
            registry: normal.clone(),
            labels: labels.map(|(key, value)| (key, value.to_owned())).to_vec(),
        }
    }

    /// Counts a sent batch.
    pub(crate) fn sent(&self, items: u64, bytes: usize) {
        self.outgoing.add(items);
        self.sizes.record_size(items, bytes);
    }

    /// Registers the number of open batches.
    pub(crate) fn observe_cardinality(
        &self,
        open: impl Fn() -> usize + Send + Sync + 'static,
    ) -> Registration {
        let help = "Open batches, one for each combination of metadata.";
        self.observe("otelcol_processor_batch_metadata_cardinality", help, move || open() as f64)
    }

    /// Registers the current size of adaptive batches.
    pub(crate) fn observe_adaptive_size(
        &self,
        size: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Registration {
        let help = "Number of items at which an adaptive batch is sent now.";
        self.observe("otlp_processor_batch_adaptive_size", help, move || size() as f64)
    }

    fn observe(
        &self,
        name: &str,
        help: &'static str,
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) -> Registration {
        let labels: Vec<_> = self.labels.iter().map(|(key, value)| (*key, value.as_str())).collect();
        self.registry.observe(MetricKind::Gauge, name, help, &labels, read)
    }
}

impl fmt::Debug for BatchStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchStats").field("labels", &self.labels).finish_non_exhaustive()
    }
}

// === impl ExporterStats ===

impl ExporterStats {
    /// Registers the counters of an exporter for a signal.
    pub fn new(registry: &Registry, exporter: &str, signal: Signal) -> Arc<Self> {
        let noun = signal.items_noun;
        let labels = [("exporter", exporter)];
        let items = |state, help| registry.counter(format!("otelcol_exporter_{state}_{noun}"), help, &labels);
        let in_flight = Arc::new(AtomicU64::new(0));
        let shown = in_flight.clone();
        let of_signal = [("exporter", exporter), ("data_type", signal.name)];
        let detailed = registry.with_level(MetricsLevel::Detailed);
        Arc::new(Self {
            sent: items("sent", "Items that the destination accepted."),
            send_failed: items(
                "send_failed",
                "Items that the destination did not accept, after all retries.",
            ),
            enqueue_failed: items(
                "enqueue_failed",
                "Items refused or dropped because the sending queue was full.",
            ),
            enqueued: BatchSizes::new(
                (&detailed, &detailed),
                "otelcol_exporter_enqueue_size",
                (
                    "Items in a batch that entered the sending queue.",
                    "Encoded bytes of a batch that entered the sending queue.",
                ),
                &of_signal,
            ),
            dequeued: BatchSizes::new(
                (&detailed, &detailed),
                "otelcol_exporter_queue_batch_send_size",
                (
                    "Items in a batch that left the sending queue.",
                    "Encoded bytes of a batch that left the sending queue.",
                ),
                &of_signal,
            ),
            attempts: RequestStats::new(registry, MeasuredPart::Exporter, &of_signal),
            in_flight,
            _in_flight_shown: registry.observe(
                MetricKind::Gauge,
                "otelcol_exporter_in_flight_requests",
                "Requests that are being sent or wait for a retry.",
                &of_signal,
                move || shown.load(Ordering::Relaxed) as f64,
            ),
        })
    }

    /// Counts an attempt.
    pub(crate) fn attempted(&self, begun: Instant, now: Instant, items: u64, result: &ExportResult) {
        self.attempts.ended(begun, now, items, result);
    }

    /// Counts a request as in flight until the guard is dropped.
    pub(crate) fn start(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(&self.in_flight)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

const INCOMING_HELP: &str = "Items that the processor received.";
const OUTGOING_HELP: &str = "Items that the processor sent on.";

/// From ten microseconds to a second.
const DURATION_BOUNDS_MICROS: &[u64] =
    &[10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000];
