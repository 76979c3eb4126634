//! What a gateway is made of, as plain data: the application reads it from files, tests write it by hand.

mod delivery;
mod needs;

pub use delivery::PipelineDelivery;
pub use needs::{ComponentNeeds, ReceiverNeeds};

use crate::component::{Needs, Processor};
use crate::holder::HolderSpec;
use crate::lifecycle::{BoxExtension, Exporter, Extension, Lifecycle};
use crate::receiver::{BoxReceiver, OtlpReceiver, Receiver};
use crate::{BatchConfig, QueueConfig, RetryConfig};
use otlp_protocol::{Batch, Signal};
use otlp_transport::{Attempt, BoxAttempt, ClientStats, ExportResult, ServerConfig, ServerStrategy};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A whole gateway: components by id, and the pipelines that connect them.
#[derive(Default)]
pub struct GatewaySpec {
    /// What runs beside the pipelines.
    pub extensions: Vec<ExtensionSpec>,
    /// What takes telemetry in.
    pub receivers: Vec<ReceiverSpec>,
    /// What leads telemetry from pipelines into other pipelines.
    pub connectors: Vec<ConnectorSpec>,
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

/// What runs beside the pipelines: started first, in their order, and stopped last, in the opposite order.
pub struct ExtensionSpec {
    /// The Collector's component id: `marker`, `marker/second`.
    pub id: String,
    /// What it is.
    pub extension: BoxExtension,
}

/// A receiver. It takes the signals of the pipelines that name it.
pub struct ReceiverSpec {
    /// The Collector's component id: `otlp`, `otlp/second`.
    pub id: String,
    /// What it is.
    pub receiver: BoxReceiver,
}

/// One server of a receiver.
pub struct ServerSpec {
    /// How it speaks.
    pub strategy: Arc<dyn ServerStrategy>,
    /// Where it listens, and its limits.
    pub config: ServerConfig,
    /// Paths over HTTP that replace the signals' own.
    pub http_paths: Vec<(Signal, String)>,
    /// Whether it keeps the request headers that components behind it need.
    pub keep_headers: bool,
}

/// A connector: stands at the end of the pipelines that name it as an exporter, and emits into those that name it as a
/// receiver. It is made once for each pipeline that it stands at the end of.
#[derive(Clone)]
pub struct ConnectorSpec {
    /// The Collector's component id: `count`, `forward/archive`. No receiver and no exporter has the same.
    pub id: String,
    /// What it is.
    pub connector: HolderSpec,
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
    /// What it needs of a request beside its body.
    pub needs: Needs,
    pub(crate) lifecycle: Option<Lifecycle>,
}

/// A pipeline: batches of one signal from receivers, through stages, to exporters and connectors.
#[derive(Clone)]
pub struct PipelineSpec {
    /// The Collector's pipeline id: `traces`, `traces/sampled`.
    pub id: String,
    /// What moves through it.
    pub signal: Signal,
    /// Ids of the receivers and connectors that feed it.
    pub receivers: Vec<String>,
    /// Its stages by id, in the order in which batches go through them.
    pub stages: Vec<(String, StageSpec)>,
    /// Ids of the exporters and connectors it ends in; at least one.
    pub exporters: Vec<String>,
}

/// One stage of a pipeline.
#[derive(Clone)]
pub enum StageSpec {
    /// Looks at each batch, or changes it.
    Processor(Arc<dyn Processor>),
    /// Joins batches.
    Batch(BatchConfig),
    /// Holds data and emits it later.
    Holder(HolderSpec),
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

// === impl ExtensionSpec ===

impl ExtensionSpec {
    /// Any extension.
    pub fn new(id: impl Into<String>, extension: impl Extension) -> Self {
        Self { id: id.into(), extension: BoxExtension::new(extension) }
    }
}

// === impl ReceiverSpec ===

impl ReceiverSpec {
    /// Any receiver.
    pub fn new(id: impl Into<String>, receiver: impl Receiver) -> Self {
        Self { id: id.into(), receiver: BoxReceiver::new(receiver) }
    }

    /// A receiver that speaks OTLP, with a server for each protocol.
    pub fn otlp(id: impl Into<String>, servers: Vec<ServerSpec>) -> Self {
        Self::new(id, OtlpReceiver { servers })
    }
}

// === impl ServerSpec ===

impl ServerSpec {
    /// A server under the signals' own paths that keeps the headers that are needed.
    pub fn new(strategy: Arc<dyn ServerStrategy>, config: ServerConfig) -> Self {
        Self { strategy, config, http_paths: Vec::new(), keep_headers: true }
    }
}

// === impl ExporterSpec ===

impl ExporterSpec {
    /// An exporter with default queue and retry, as the Collector has them.
    pub fn new(id: impl Into<String>, client: BoxAttempt) -> Self {
        Self {
            id: id.into(),
            client,
            stats: None,
            endpoints: Vec::new(),
            queue: QueueConfig::default(),
            retry: RetryConfig::default(),
            needs: Needs::default(),
            lifecycle: None,
        }
    }

    /// The same of an exporter that is started and stopped with the gateway.
    pub fn managed(id: impl Into<String>, exporter: impl Exporter) -> Self {
        let exporter = Arc::new(exporter);
        let needs = exporter.needs();
        let client = BoxAttempt::new(Shared(exporter.clone()));
        Self { needs, lifecycle: Some(exporter), ..Self::new(id, client) }
    }
}

/// An exporter whose lifecycle is kept elsewhere.
struct Shared<E>(Arc<E>);

impl<E: Exporter> Attempt for Shared<E> {
    fn attempt(&self, batch: &Batch) -> impl Future<Output = ExportResult> + Send {
        self.0.attempt(batch)
    }
}
