//! Own metrics of a processor in a pipeline.

use crate::telemetry::{Counter, Histogram, Registry};
use otlp_protocol::Signal;

/// Registers the metrics of one processor of one pipeline: [`Processor::with_metrics`](super::Processor::with_metrics).
#[derive(Clone, Copy, Debug)]
pub struct ProcessorMetrics<'a> {
    registry: &'a Registry,
    processor: &'a str,
    pipeline: &'a str,
    signal: Signal,
}

// === impl ProcessorMetrics ===

impl<'a> ProcessorMetrics<'a> {
    /// Registers metrics of the processor of an id in the pipeline of an id.
    pub fn new(registry: &'a Registry, processor: &'a str, pipeline: &'a str, signal: Signal) -> Self {
        Self { registry, processor, pipeline, signal }
    }

    /// Returns the registry, for metrics with labels of their own.
    pub fn registry(&self) -> &'a Registry {
        self.registry
    }

    /// Returns the id of the processor.
    pub fn processor(&self) -> &'a str {
        self.processor
    }

    /// Returns the signal of the pipeline.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// Registers a counter. Its labels are `processor`, `otel_signal`, `pipeline`, and `labels`. The counters of a processor and of
    /// its successor after a reload are one.
    pub fn counter(
        &self,
        name: impl Into<String>,
        help: &'static str,
        labels: &[(&'static str, &str)],
    ) -> Counter {
        self.registry.counter(name, help, &[&self.labels(), labels].concat())
    }

    /// Registers a histogram of numbers with the upper `bounds` of its buckets, ascending. Its labels are `processor`, `otel_signal` and
    /// `pipeline`.
    pub fn histogram(
        &self,
        name: impl Into<String>,
        help: &'static str,
        bounds: &'static [u64],
    ) -> Histogram {
        self.registry.histogram(name, help, &self.labels(), Histogram::new(bounds))
    }

    fn labels(&self) -> [(&'static str, &'a str); 3] {
        [("processor", self.processor), ("otel_signal", self.signal.name), ("pipeline", self.pipeline)]
    }
}
