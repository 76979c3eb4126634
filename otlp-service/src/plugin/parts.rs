//! Products of factories: parts of a gateway that is not started yet.

use super::settings::SettingsError;
use crate::component::{Needs, Processor};
use crate::holder::HolderSpec;
use crate::lifecycle::{BoxExtension, Exporter, Extension};
use crate::receiver::{BoxReceiver, Receiver};
use crate::{
    BatchConfig, DeadLetterConfig, DiskConfig, ExporterSpec, HealthChecksSpec, HealthSpec, QueueConfig,
    RetryConfig, ServerSpec, StageSpec, StatusSpec,
};
use otlp_protocol::Signal;
use otlp_transport::{Attempt, Authenticate, BoxAttempt, ConfigError, Credentials, TransportContext};
use std::fmt;
use std::sync::Arc;

/// Product of a receiver's factory.
#[derive(Debug)]
pub enum ReceiverPart {
    /// OTLP servers, one for each port.
    Servers(Vec<ServerPart>),
    /// Any other receiver.
    Other(BoxReceiver),
}

/// A server of an OTLP receiver.
pub struct ServerPart {
    /// Description of the server.
    pub spec: ServerSpec,
    /// The authentication extension.
    pub auth: Option<ExtensionRef>,
    /// Checks the files that the settings name.
    pub check: Option<CheckFiles>,
}

/// Reads the files that settings name, without starting anything.
pub type CheckFiles = Box<dyn Fn(&TransportContext) -> Result<(), SettingsError> + Send>;

/// A reference to an extension in the settings of another component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionRef {
    /// The extension's id.
    pub id: String,
    /// The dotted path of the setting.
    pub path: String,
}

/// Product of a processor's factory: a stage of pipelines.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct StagePart {
    /// The stage; `None`: batches skip the component.
    pub stage: Option<StageSpec>,
    /// Byte budget of the whole process.
    pub memory_limit_bytes: Option<u64>,
    /// Settings that are valid for some signals only.
    pub only: Vec<OnlyFor>,
}

/// A setting that is valid for some signals only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnlyFor {
    /// The dotted path of the setting. Empty: the whole processor.
    pub path: String,
    /// Names of the signals.
    pub signals: &'static [&'static str],
}

/// Product of a connector's factory.
#[derive(Debug)]
#[non_exhaustive]
pub struct ConnectorPart {
    /// The connector.
    pub connector: HolderSpec,
    /// Pipelines that the settings name: each must have the connector among its receivers. Default none.
    pub pipelines: Vec<PipelineRef>,
}

/// A pipeline in the settings of a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineRef {
    /// The pipeline's id.
    pub id: String,
    /// The dotted path of the setting.
    pub path: String,
}

/// Product of an exporter's factory: the client, queues and retries.
#[non_exhaustive]
pub struct ExporterPart {
    /// Makes the client.
    pub connect: Connect,
    /// Destination of each signal as `host:port`, for the log, for health and for throttling. Default none.
    pub endpoints: Vec<(Signal, String)>,
    /// Destinations, to be compared with the gateway's own receivers. Default none.
    pub targets: Vec<Target>,
    /// Settings of the queues. The default is the Collector's.
    pub queue: QueueConfig,
    /// Settings of retries. The default is the Collector's.
    pub retry: RetryConfig,
    /// Files with the items that are lost for good. Default none.
    pub dead_letter: Option<DeadLetterConfig>,
    /// Names of the only signals that the exporter accepts; `None`: all.
    pub takes: Option<Vec<&'static str>>,
    /// The extension with the exporter's credentials.
    pub auth: Option<ExtensionRef>,
    /// The extension that has a directory for the exporter's queues. Default none: the queues are in memory.
    pub storage: Option<ExtensionRef>,
    /// Metadata of requests that the exporter reads.
    pub needs: Needs,
}

/// Makes the exporter of an id, with the credentials of its extension, without connecting. Queues, retries, endpoints and needs
/// are taken from the [`ExporterPart`].
pub type Connect = Box<
    dyn FnOnce(String, &TransportContext, Option<Arc<dyn Credentials>>) -> Result<ExporterSpec, SettingsError>
        + Send,
>;

/// A destination of an exporter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The signal; `None`: all of them.
    pub signal: Option<&'static str>,
    /// The transport: the name of the [`TransportStrategy`](otlp_transport::TransportStrategy).
    pub transport: &'static str,
    /// `host:port`, a URL, or `unix:path`.
    pub endpoint: String,
    /// The dotted path of the endpoint's setting.
    pub path: String,
}

/// Product of an extension's factory.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExtensionPart {
    /// Health probes, and checks behind their answers.
    Health(HealthPart),
    /// Authentication of senders, or credentials for destinations.
    Auth(AuthPart),
    /// Directory for queues.
    Storage(DiskConfig),
    /// Any other extension.
    Other(BoxExtension),
    /// An extension without effect.
    Inert,
}

/// A health extension. Default: nothing.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct HealthPart {
    /// Readiness and liveness.
    pub probe: Option<HealthSpec>,
    /// The status of the gateway, its pipelines and components.
    pub status: Option<StatusSpec>,
    /// Checks of the whole gateway: one extension may set them. `None`: the usual ones.
    pub checks: Option<HealthChecksSpec>,
}

/// An authentication extension: of receivers, of exporters, or of both.
#[derive(Default)]
pub struct AuthPart {
    /// Makes the authentication of receivers; `None`: not for receivers.
    pub server: Option<MakeServer>,
    /// Makes the credentials of exporters; `None`: not for exporters.
    pub client: Option<MakeClient>,
    /// Another extension whose credentials are added after these.
    pub then: Option<ExtensionRef>,
    /// Metadata of requests that the extension reads.
    pub needs: Needs,
}

/// Makes the authentication of receivers.
pub type MakeServer = Box<dyn Fn(&TransportContext) -> Result<Arc<dyn Authenticate>, ConfigError> + Send>;

/// Makes the credentials of exporters; the second argument are the credentials that are added after these.
pub type MakeClient = Box<
    dyn Fn(&TransportContext, Option<Arc<dyn Credentials>>) -> Result<Arc<dyn Credentials>, ConfigError>
        + Send,
>;

// === impl ReceiverPart ===

impl From<Vec<ServerPart>> for ReceiverPart {
    fn from(servers: Vec<ServerPart>) -> Self {
        Self::Servers(servers)
    }
}

impl<R: Receiver> From<R> for ReceiverPart {
    fn from(receiver: R) -> Self {
        Self::Other(BoxReceiver::new(receiver))
    }
}

// === impl ServerPart ===

impl fmt::Debug for ServerPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerPart")
            .field("spec", &self.spec)
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}

// === impl StagePart ===

impl StagePart {
    /// Creates a part that sets the byte budget of the process, without a stage.
    pub fn memory_limit(limit_bytes: u64) -> Self {
        Self { memory_limit_bytes: Some(limit_bytes), ..Self::default() }
    }

    /// Sets the settings that are valid for some signals only.
    #[must_use]
    pub fn with_only(self, only: Vec<OnlyFor>) -> Self {
        Self { only, ..self }
    }
}

impl From<StageSpec> for StagePart {
    fn from(stage: StageSpec) -> Self {
        Self { stage: Some(stage), ..Self::default() }
    }
}

impl<P: Processor> From<P> for StagePart {
    fn from(processor: P) -> Self {
        StageSpec::from(processor).into()
    }
}

impl From<BatchConfig> for StagePart {
    fn from(config: BatchConfig) -> Self {
        StageSpec::from(config).into()
    }
}

impl From<HolderSpec> for StagePart {
    fn from(holder: HolderSpec) -> Self {
        StageSpec::from(holder).into()
    }
}

// === impl ConnectorPart ===

impl ConnectorPart {
    /// Sets the pipelines that the settings name.
    #[must_use]
    pub fn with_pipelines(self, pipelines: Vec<PipelineRef>) -> Self {
        Self { pipelines, ..self }
    }
}

impl From<HolderSpec> for ConnectorPart {
    fn from(connector: HolderSpec) -> Self {
        Self { connector, pipelines: Vec::new() }
    }
}

// === impl ExporterPart ===

impl ExporterPart {
    /// Creates an exporter that `connect` makes.
    pub fn new(
        connect: impl FnOnce(
            String,
            &TransportContext,
            Option<Arc<dyn Credentials>>,
        ) -> Result<ExporterSpec, SettingsError>
        + Send
        + 'static,
    ) -> Self {
        Self {
            connect: Box::new(connect),
            endpoints: Vec::new(),
            targets: Vec::new(),
            queue: QueueConfig::default(),
            retry: RetryConfig::default(),
            dead_letter: None,
            takes: None,
            auth: None,
            storage: None,
            needs: Needs::default(),
        }
    }

    /// Creates an exporter that is started and stopped with the gateway.
    pub fn managed(exporter: impl Exporter) -> Self {
        let needs = exporter.needs();
        let mut part = Self::new(|id, _, _| Ok(ExporterSpec::managed(id, exporter)));
        part.needs = needs;
        part
    }

    /// Turns queues and retries off, for exporters that answer at once.
    #[must_use]
    pub fn direct(mut self) -> Self {
        (self.queue.enabled, self.retry.enabled) = (false, false);
        self
    }
}

impl fmt::Debug for ExporterPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExporterPart")
            .field("endpoints", &self.endpoints)
            .field("targets", &self.targets)
            .field("queue", &self.queue)
            .field("retry", &self.retry)
            .field("takes", &self.takes)
            .field("auth", &self.auth)
            .field("storage", &self.storage)
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}

impl<A: Attempt> From<A> for ExporterPart {
    fn from(exporter: A) -> Self {
        let client = BoxAttempt::new(exporter);
        Self::new(|id, _, _| Ok(ExporterSpec::new(id, client)))
    }
}

// === impl AuthPart ===

impl fmt::Debug for AuthPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthPart")
            .field("server", &self.server.is_some())
            .field("client", &self.client.is_some())
            .field("then", &self.then)
            .field("needs", &self.needs)
            .finish()
    }
}

// === impl ExtensionPart ===

impl From<AuthPart> for ExtensionPart {
    fn from(part: AuthPart) -> Self {
        Self::Auth(part)
    }
}

impl<E: Extension> From<E> for ExtensionPart {
    fn from(extension: E) -> Self {
        Self::Other(BoxExtension::new(extension))
    }
}

impl From<HealthPart> for ExtensionPart {
    fn from(part: HealthPart) -> Self {
        Self::Health(part)
    }
}

impl From<HealthSpec> for ExtensionPart {
    fn from(spec: HealthSpec) -> Self {
        HealthPart::from(spec).into()
    }
}

// === impl HealthPart ===

impl From<HealthSpec> for HealthPart {
    fn from(spec: HealthSpec) -> Self {
        Self { probe: Some(spec), ..Self::default() }
    }
}

impl From<StatusSpec> for HealthPart {
    fn from(spec: StatusSpec) -> Self {
        Self { status: Some(spec), ..Self::default() }
    }
}
