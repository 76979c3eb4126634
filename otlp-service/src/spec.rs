//! Specs of a gateway and its components, as plain data: the application reads them from files, tests write them by hand.

mod changes;
mod delivery;
mod fingerprint;
mod health;
mod needs;
mod page;

pub(crate) use changes::Outline;
pub use changes::{Alteration, Change, ChangedKind, Changes};
pub use delivery::PipelineDelivery;
pub use fingerprint::Fingerprint;
pub use health::{HealthSpec, StatusPages, StatusSpec};
pub use needs::{ComponentNeeds, ReceiverNeeds};
pub use page::MetricsPage;

use crate::component::{Needs, Processor};
use crate::holder::HolderSpec;
use crate::lifecycle::{BoxExtension, Exporter, Extension, Lifecycle};
use crate::own_spans::OwnSpans;
use crate::receiver::{BoxReceiver, OtlpReceiver, Receiver};
use crate::telemetry::Registry;
use crate::{BatchConfig, DeadLetterConfig, HealthChecksSpec, QueueConfig, RetryConfig};
use otlp_protocol::{Batch, Signal};
use otlp_transport::{Attempt, BoxAttempt, ClientStats, ExportResult, ServerConfig, ServerStrategy};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// A whole gateway: components by id, and the pipelines that connect them.
pub struct GatewaySpec {
    /// Components that run beside the pipelines.
    pub extensions: Vec<ExtensionSpec>,
    /// Components that take telemetry in.
    pub receivers: Vec<ReceiverSpec>,
    /// Components that lead telemetry from pipelines into other pipelines.
    pub connectors: Vec<ConnectorSpec>,
    /// Destinations of telemetry.
    pub exporters: Vec<ExporterSpec>,
    /// Connections between the components.
    pub pipelines: Vec<PipelineSpec>,
    /// Pages of own metrics. Default none.
    pub metrics_pages: Vec<MetricsPage>,
    /// Addresses and paths at which health probes are answered.
    pub health: Vec<HealthSpec>,
    /// Addresses at which the status of the gateway, its pipelines and components is answered.
    pub status: Vec<StatusSpec>,
    /// Health checks beside those of the gateway's state and of its destinations. Default none.
    pub health_checks: HealthChecksSpec,
    /// Counters of the lines that each stream of the process (`stderr`) has dropped because the stream was not read: shown as
    /// `otlp_process_dropped_lines`.
    pub dropped_lines: Vec<(&'static str, Arc<AtomicU64>)>,
    /// The registry of own metrics. Default: an empty registry.
    pub registry: Registry,
    /// The recorder of own spans. Default: a recorder that is off.
    pub own_spans: OwnSpans,
    /// Limit of the byte budget, in bytes. `None`, the default: the limit that the budget has.
    pub memory_limit_bytes: Option<u64>,
    /// Time for what a reload replaces to finish requests and to deliver what it holds. Default 30 s.
    pub drain_timeout: Duration,
}

/// An extension, which runs beside the pipelines. Extensions are started first, in their order, and stopped last, in the
/// opposite order.
pub struct ExtensionSpec {
    /// The Collector's component id: `marker`, `marker/second`.
    pub id: String,
    /// The extension.
    pub extension: BoxExtension,
    /// Identity of the settings. `None`, the default: every reload makes the extension anew.
    pub settings: Option<Fingerprint>,
}

/// A receiver. It takes the signals of the pipelines that name it.
pub struct ReceiverSpec {
    /// The Collector's component id: `otlp`, `otlp/second`.
    pub id: String,
    /// The receiver.
    pub receiver: BoxReceiver,
    /// Identity of the settings. `None`, the default: every reload makes the receiver anew.
    pub settings: Option<Fingerprint>,
}

/// One server of a receiver.
pub struct ServerSpec {
    /// The protocol.
    pub strategy: Arc<dyn ServerStrategy>,
    /// Address, limits and other settings.
    pub config: ServerConfig,
    /// Paths over HTTP that replace the signals' own.
    pub http_paths: Vec<(Signal, String)>,
    /// Keeps the request headers that components behind the receiver need. Default true.
    pub keep_headers: bool,
}

/// A connector: stands at the end of the pipelines that name it as an exporter, and emits into those that name it as a
/// receiver. It is made once for each pipeline that it stands at the end of.
#[derive(Clone)]
pub struct ConnectorSpec {
    /// The Collector's component id: `count`, `forward/archive`. No receiver and no exporter has the same.
    pub id: String,
    /// The connector.
    pub connector: HolderSpec,
    /// Identity of the settings. `None`, the default: every reload makes the connector anew.
    pub settings: Option<Fingerprint>,
}

/// An exporter: one destination, shared by all pipelines that name it.
pub struct ExporterSpec {
    /// The Collector's component id: `otlp`, `otlp_http/backup`.
    pub id: String,
    /// Makes one attempt to deliver.
    pub client: BoxAttempt,
    /// Counters of the client's connections: shown as `otlp_client_*`. Default none.
    pub stats: Option<Arc<ClientStats>>,
    /// `host:port` that each signal is sent to, for the log. Signals that are sent to the same one share the delays that it
    /// asks for, and its health; a signal without one is sent to the first. Default none: all are sent to one.
    pub endpoints: Vec<(Signal, String)>,
    /// Its queues, one a signal.
    pub queue: QueueConfig,
    /// Retries of failed attempts.
    pub retry: RetryConfig,
    /// Files with the items that are lost for good. Without effect end to end, where senders keep what is not delivered.
    /// Default none.
    pub dead_letter: Option<DeadLetterConfig>,
    /// Parts of a request beside its body that the exporter needs.
    pub needs: Needs,
    /// Identity of the settings, those of queue and retry included. `None`, the default: every reload makes the exporter
    /// anew.
    pub settings: Option<Fingerprint>,
    pub(crate) lifecycle: Option<Lifecycle>,
}

/// A pipeline: batches of one signal from receivers, through stages, to exporters and connectors.
///
/// ```
/// use otlp_protocol::Signal;
/// use otlp_service::{BatchConfig, PipelineSpec};
///
/// let pipeline = PipelineSpec::new("traces", Signal::TRACES)
///     .with_receiver("otlp")
///     .with_stage("batch", BatchConfig::default())
///     .with_exporter("otlp/backend");
/// assert_eq!(pipeline.stages[0].id, "batch");
/// ```
#[derive(Clone)]
pub struct PipelineSpec {
    /// The Collector's pipeline id: `traces`, `traces/sampled`.
    pub id: String,
    /// The signal of the pipeline's batches.
    pub signal: Signal,
    /// Ids of the receivers and connectors that feed it.
    pub receivers: Vec<String>,
    /// Its stages, in the order in which batches go through them.
    pub stages: Vec<PipelineStage>,
    /// Ids of the exporters and connectors it ends in; at least one.
    pub exporters: Vec<String>,
}

/// One stage of a pipeline, by id.
#[derive(Clone)]
pub struct PipelineStage {
    /// The Collector's component id: `batch`, `attributes/tag`.
    pub id: String,
    /// Kind and settings of the stage.
    pub stage: StageSpec,
    /// Identity of the settings. `None`, the default: every reload makes the stage anew.
    pub settings: Option<Fingerprint>,
}

/// Kind of a stage.
#[derive(Clone)]
pub enum StageSpec {
    /// Looks at each batch, or changes it.
    Processor(Arc<dyn Processor>),
    /// Joins batches.
    Batch(BatchConfig),
    /// Holds data and emits it later.
    Holder(HolderSpec),
}

// === impl GatewaySpec ===

impl Default for GatewaySpec {
    fn default() -> Self {
        Self {
            extensions: Vec::new(),
            receivers: Vec::new(),
            connectors: Vec::new(),
            exporters: Vec::new(),
            pipelines: Vec::new(),
            metrics_pages: Vec::new(),
            health: Vec::new(),
            status: Vec::new(),
            health_checks: HealthChecksSpec::default(),
            dropped_lines: Vec::new(),
            registry: Registry::new(),
            own_spans: OwnSpans::default(),
            memory_limit_bytes: None,
            drain_timeout: DRAIN_TIMEOUT,
        }
    }
}

// === impl ExtensionSpec ===

impl ExtensionSpec {
    /// Any extension.
    pub fn new(id: impl Into<String>, extension: impl Extension) -> Self {
        Self { id: id.into(), extension: BoxExtension::new(extension), settings: None }
    }

    /// The same with the identity of its settings: reloads keep the extension while the identity stays.
    #[must_use]
    pub fn with_settings(mut self, settings: Fingerprint) -> Self {
        self.settings = Some(settings);
        self
    }
}

// === impl ReceiverSpec ===

impl ReceiverSpec {
    /// Any receiver.
    pub fn new(id: impl Into<String>, receiver: impl Receiver) -> Self {
        Self { id: id.into(), receiver: BoxReceiver::new(receiver), settings: None }
    }

    /// A receiver that speaks OTLP, with a server for each protocol.
    pub fn otlp(id: impl Into<String>, servers: Vec<ServerSpec>) -> Self {
        Self::new(id, OtlpReceiver { servers })
    }

    /// The same with the identity of its settings: reloads keep the receiver while the identity stays.
    #[must_use]
    pub fn with_settings(mut self, settings: Fingerprint) -> Self {
        self.settings = Some(settings);
        self
    }
}

// === impl ConnectorSpec ===

impl ConnectorSpec {
    /// Any connector.
    pub fn new(id: impl Into<String>, connector: HolderSpec) -> Self {
        Self { id: id.into(), connector, settings: None }
    }

    /// Returns true if the connector ends the pipeline `from` and emits into the pipeline `to`.
    pub(crate) fn leads(&self, from: &PipelineSpec, to: &PipelineSpec) -> bool {
        from.exporters.contains(&self.id)
            && to.receivers.contains(&self.id)
            && self.connector.connects(from.signal, to.signal)
    }

    /// The same with the identity of its settings: reloads keep the connector while the identity stays.
    #[must_use]
    pub fn with_settings(mut self, settings: Fingerprint) -> Self {
        self.settings = Some(settings);
        self
    }
}

// === impl PipelineSpec ===

impl PipelineSpec {
    /// A pipeline without receivers, stages and exporters.
    pub fn new(id: impl Into<String>, signal: Signal) -> Self {
        Self { id: id.into(), signal, receivers: Vec::new(), stages: Vec::new(), exporters: Vec::new() }
    }

    /// The same with one more receiver, or connector that feeds the pipeline.
    #[must_use]
    pub fn with_receiver(mut self, id: impl Into<String>) -> Self {
        self.receivers.push(id.into());
        self
    }

    /// The same with one more stage, behind those that the pipeline has: a [`Processor`], a [`BatchConfig`], a [`HolderSpec`].
    #[must_use]
    pub fn with_stage(mut self, id: impl Into<String>, stage: impl Into<StageSpec>) -> Self {
        self.stages.push(PipelineStage::new(id, stage));
        self
    }

    /// The same with one more exporter, or connector that the pipeline ends in.
    #[must_use]
    pub fn with_exporter(mut self, id: impl Into<String>) -> Self {
        self.exporters.push(id.into());
        self
    }
}

// === impl PipelineStage ===

impl PipelineStage {
    /// Any stage.
    pub fn new(id: impl Into<String>, stage: impl Into<StageSpec>) -> Self {
        Self { id: id.into(), stage: stage.into(), settings: None }
    }

    /// The same with the identity of its settings: reloads keep the stage while the identity stays, and that of all
    /// behind the stage.
    #[must_use]
    pub fn with_settings(mut self, settings: Fingerprint) -> Self {
        self.settings = Some(settings);
        self
    }
}

impl From<(String, StageSpec)> for PipelineStage {
    fn from((id, stage): (String, StageSpec)) -> Self {
        Self::new(id, stage)
    }
}

// === impl StageSpec ===

impl<P: Processor> From<P> for StageSpec {
    fn from(processor: P) -> Self {
        Self::Processor(Arc::new(processor))
    }
}

impl From<BatchConfig> for StageSpec {
    fn from(config: BatchConfig) -> Self {
        Self::Batch(config)
    }
}

impl From<HolderSpec> for StageSpec {
    fn from(holder: HolderSpec) -> Self {
        Self::Holder(holder)
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
            dead_letter: None,
            needs: Needs::default(),
            settings: None,
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

    /// The same with the identity of its settings: reloads keep the exporter while the identity stays.
    #[must_use]
    pub fn with_settings(mut self, settings: Fingerprint) -> Self {
        self.settings = Some(settings);
        self
    }
}

/// An exporter whose lifecycle is kept elsewhere.
struct Shared<E>(Arc<E>);

impl<E: Exporter> Attempt for Shared<E> {
    fn attempt(&self, batch: &Batch) -> impl Future<Output = ExportResult> + Send {
        self.0.attempt(batch)
    }
}

/// Time for what a reload replaces to finish.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
