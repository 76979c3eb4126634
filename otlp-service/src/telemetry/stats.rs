//! The counters of receivers, processors, batch processors and exporters.

use super::registry::Labels;
use super::{Counter, Histogram, MetricKind, Registration, Registry};
use otlp_protocol::Signal;
use otlp_transport::ExportResult;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The counters of one signal of one server of a receiver.
#[derive(Clone, Debug)]
pub(crate) struct ReceiverStats {
    accepted: Counter,
    refused: Counter,
    failed: Counter,
    accepted_requests: Counter,
    refused_requests: Counter,
    failed_requests: Counter,
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
    pub(crate) batch_size: Histogram,
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
    attempt_duration: Histogram,
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

    pub(crate) fn count(&self, items: u64, result: &ExportResult) {
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
            duration: registry.histogram(
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
        let counter = |name: &str, help| registry.counter(format!("otelcol_processor_{name}"), help, &labels);
        Self {
            incoming: counter("incoming_items", INCOMING_HELP),
            outgoing: counter("outgoing_items", OUTGOING_HELP),
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
            batch_size: registry.histogram(
                "otelcol_processor_batch_batch_send_size",
                "Items in a sent batch.",
                &labels,
                Histogram::new(BATCH_SIZE_BOUNDS),
            ),
            registry: registry.clone(),
            labels: labels.map(|(key, value)| (key, value.to_owned())).to_vec(),
        }
    }

    /// Counts a sent batch.
    pub(crate) fn sent(&self, items: u64) {
        self.outgoing.add(items);
        self.batch_size.record(items);
    }

    /// Registers the number of open batches.
    pub(crate) fn observe_cardinality(
        &self,
        open: impl Fn() -> usize + Send + Sync + 'static,
    ) -> Registration {
        let labels: Vec<_> = self.labels.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let help = "Open batches, one for each combination of metadata.";
        let name = "otelcol_processor_batch_metadata_cardinality";
        self.registry.observe(MetricKind::Gauge, name, help, &labels, move || open() as f64)
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
            attempt_duration: registry.histogram(
                "otlp_exporter_attempt_duration_seconds",
                "Duration of an attempt to send a batch, with the time to connect, in seconds.",
                &of_signal,
                Histogram::in_units(ATTEMPT_BOUNDS_MICROS, 1_000_000),
            ),
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

    /// Counts the duration of an attempt.
    pub(crate) fn attempted(&self, took: Duration) {
        self.attempt_duration.record(micros(took));
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

/// The Collector's bounds.
const BATCH_SIZE_BOUNDS: &[u64] = &[
    10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000, 20_000,
    30_000, 50_000, 100_000,
];

/// From a destination in the same network to the longest timeouts.
const ATTEMPT_BOUNDS_MICROS: &[u64] = &[
    1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000, 30_000_000, 60_000_000,
];

/// From ten microseconds to a second.
const DURATION_BOUNDS_MICROS: &[u64] =
    &[10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000];
