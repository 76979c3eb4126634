//! What a gateway is made of, as plain data: the application reads it from files, tests write it by hand.

use crate::{BatchConfig, Processor, QueueConfig, RetryConfig};
use otlp_protocol::Signal;
use otlp_transport::{BoxAttempt, ClientStats, ServerConfig, ServerStrategy};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A whole gateway: components by id, and the pipelines that connect them.
#[derive(Default)]
pub struct GatewaySpec {
    /// What takes telemetry in.
    pub receivers: Vec<ReceiverSpec>,
    /// Where telemetry goes.
    pub exporters: Vec<ExporterSpec>,
    /// Who is connected to whom.
    pub pipelines: Vec<PipelineSpec>,
    /// Where to serve own metrics as Prometheus text under `/metrics`: `host:port`. `None`: nowhere.
    pub metrics_endpoint: Option<String>,
    /// Where to answer health probes.
    pub health: Vec<HealthSpec>,
    /// Lines that each stream of the process (`stderr`) has dropped as nobody read the stream: shown as
    /// `otlp_process_dropped_lines`.
    pub dropped_lines: Vec<(&'static str, Arc<AtomicU64>)>,
}

/// A receiver: one id, a server for each protocol it speaks. It serves the signals of the pipelines that name it.
pub struct ReceiverSpec {
    /// The Collector's component id: `otlp`, `otlp/second`.
    pub id: String,
    /// Its servers.
    pub servers: Vec<ServerSpec>,
}

/// One server of a receiver.
pub struct ServerSpec {
    /// How it speaks.
    pub strategy: Arc<dyn ServerStrategy>,
    /// Where it listens, and its limits.
    pub config: ServerConfig,
    /// Paths over HTTP that replace the signals' own.
    pub http_paths: Vec<(Signal, String)>,
}

/// An exporter: one destination, shared by all pipelines that name it.
pub struct ExporterSpec {
    /// The Collector's component id: `otlp`, `otlp_http/backup`.
    pub id: String,
    /// Makes one attempt to deliver.
    pub client: BoxAttempt,
    /// What the client's connections count, if it has any: shown as `otlp_client_*`.
    pub stats: Option<Arc<ClientStats>>,
    /// `host:port` that each signal is sent to, for the log. Signals that are sent to the same one share the delays that it
    /// asks for, and its health; a signal without one is sent to the first. Default none: all are sent to one.
    pub endpoints: Vec<(Signal, String)>,
    /// Its queues, one a signal.
    pub queue: QueueConfig,
    /// What happens to an attempt that failed.
    pub retry: RetryConfig,
}

/// A pipeline: batches of one signal from receivers to exporters.
#[derive(Clone)]
pub struct PipelineSpec {
    /// The Collector's pipeline id: `traces`, `traces/sampled`.
    pub id: String,
    /// What moves through it.
    pub signal: Signal,
    /// Ids of the receivers that feed it.
    pub receivers: Vec<String>,
    /// Its processors by id, in the order in which they run. They run before the batch processor.
    pub processors: Vec<(String, Arc<dyn Processor>)>,
    /// Id and settings of its batch processor, if it has one.
    pub batch: Option<(String, BatchConfig)>,
    /// Ids of the exporters it ends in; at least one.
    pub exporters: Vec<String>,
}

/// Where health probes are answered.
#[derive(Clone, Debug)]
pub struct HealthSpec {
    /// `host:port`; port 0 lets the system choose.
    pub endpoint: String,
    /// Path of the readiness probe; liveness is below it, at `live`.
    pub path: String,
}

impl Default for HealthSpec {
    /// The Collector's: `localhost:13133/`.
    fn default() -> Self {
        Self { endpoint: "localhost:13133".into(), path: "/".into() }
    }
}

impl ExporterSpec {
    /// An exporter with default queue and retry, as the Collector has them.
    pub fn new(id: impl Into<String>, client: BoxAttempt) -> Self {
        let (queue, retry) = (QueueConfig::default(), RetryConfig::default());
        Self { id: id.into(), client, stats: None, endpoints: Vec::new(), queue, retry }
    }
}
