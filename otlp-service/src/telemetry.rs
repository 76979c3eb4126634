//! Own metrics: counters by name, their text for Prometheus, and pushes as OTLP.
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
mod performance;
mod process;
mod reader;
mod registry;
mod server;
mod sizes;
mod snapshot;
mod stats;
mod text;
mod throughput;
mod unit;

pub use level::MetricsLevel;
pub use otlp::Temporality;
pub use performance::{LatencySummary, MeasuredPart, Performance};
pub use reader::{MetricsReader, MetricsReaderConfig};
pub use registry::{Counter, Histogram, Registration, Registry};
pub use snapshot::{MetricFamily, MetricKind, PerformanceMetrics, Sample};
pub use stats::{BatchStats, ExporterStats, ProcessorStats};
pub use text::MetricsFormat;

pub(crate) use certificates::register_certificates;
pub(crate) use client::register_client;
pub(crate) use performance::RequestStats;
pub(crate) use process::{descriptors, register_process};
pub(crate) use server::register_server;
pub(crate) use stats::{MemoryStats, ReceiverStats};

#[cfg(test)]
mod tests;
