//! Own metrics, and their text for Prometheus.
//!
//! Counters are atomics, registered once when a component is made; counting is one relaxed addition, without a lock or a look-up of
//! labels. Names, labels and units are the Collector's, so that its dashboards work; the suffix `_total` is left off, as by the
//! Collector's Prometheus endpoint by default.

mod balance;
mod certificates;
mod client;
mod counted;
mod level;
mod otlp;
mod process;
mod reader;
mod registry;
mod server;
mod snapshot;
mod stats;
mod unit;

pub use level::MetricsLevel;
pub use otlp::Temporality;
pub use reader::{MetricsReader, MetricsReaderConfig};
pub use registry::{Counter, Histogram, Registration, Registry};
pub use snapshot::{MetricFamily, MetricKind, PerformanceMetrics, Sample};
pub use stats::{BatchStats, ExporterStats, ProcessorStats};

pub(crate) use certificates::register_certificates;
pub(crate) use client::register_client;
pub(crate) use process::{descriptors, register_process};
pub(crate) use server::register_server;
pub(crate) use stats::{MemoryStats, ReceiverStats};

#[cfg(test)]
mod tests;
