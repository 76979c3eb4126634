//! What factories make: parts of a gateway that is not started yet.

use super::settings::SettingsError;
use crate::component::{Needs, Processor};
use crate::holder::HolderSpec;
use crate::lifecycle::{BoxExtension, Exporter, Extension};
use crate::receiver::{BoxReceiver, Receiver};
use crate::{BatchConfig, ExporterSpec, HealthSpec, QueueConfig, RetryConfig, ServerSpec, StageSpec};
use otlp_protocol::Signal;
use otlp_transport::{Attempt, Authenticate, BoxAttempt, ConfigError, Credentials, TransportContext};
use std::fmt;
use std::sync::Arc;

/// A receiver.
#[derive(Debug)]
pub enum ReceiverPart {
    /// Servers of OTLP, one a port.
    Servers(Vec<ServerPart>),
    /// Any other receiver.
    Other(BoxReceiver),
}

/// A server of a receiver of OTLP.
pub struct ServerPart {
    /// The server itself.
    pub spec: ServerSpec,
    /// The extension that says whom it lets in.
    pub auth: Option<AuthRef>,
    /// Finds out whether the files it names can be used.
    pub check: Option<CheckFiles>,
}

/// Reads files; nothing is started yet.
pub type CheckFiles = Box<dyn Fn(&TransportContext) -> Result<(), SettingsError> + Send>;

/// The name of an extension, in the settings of another component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthRef {
    /// The extension's id.
    pub id: String,
    /// The dotted path of the name.
    pub path: String,
}

/// A component that a pipeline lists among its processors.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct StagePart {
    /// What batches go through; `None`: nothing.
    pub stage: Option<StageSpec>,
    /// Bounds the bytes that bodies pin, in the whole process.
    pub memory_limit_bytes: Option<u64>,
    /// Settings that make sense for some signals only.
    pub only: Vec<OnlyFor>,
}

/// A setting that makes sense for some signals only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnlyFor {
    /// Its dotted path.
    pub path: String,
    /// Names of the signals.
    pub signals: &'static [&'static str],
}

/// An exporter, its queues and retry.
#[non_exhaustive]
pub struct ExporterPart {
    /// Makes its client.
    pub connect: Connect,
    /// `host:port` that each signal is sent to, for the log and for the delays that destinations ask for. Default none.
    pub endpoints: Vec<(Signal, String)>,
    /// Where each signal is sent, to be compared with the gateway's own receivers. Default nowhere.
    pub targets: Vec<Target>,
    /// Its queues. Default as the Collector's.
    pub queue: QueueConfig,
    /// What happens to an attempt that failed. Default as the Collector's.
    pub retry: RetryConfig,
    /// Names of the only signals it takes; `None`: all.
    pub takes: Option<Vec<&'static str>>,
    /// The extension that says how it proves who we are.
    pub auth: Option<AuthRef>,
    /// What it needs of a request beside its body.
    pub needs: Needs,
}

/// Makes the exporter of an id, with the credentials that its extension gives; nothing is connected yet. Queues, retry,
/// endpoints and needs are those of the [`ExporterPart`].
pub type Connect = Box<
    dyn FnOnce(String, &TransportContext, Option<Arc<dyn Credentials>>) -> Result<ExporterSpec, SettingsError>
        + Send,
>;

/// Where an exporter sends a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The signal; `None`: all of them.
    pub signal: Option<&'static str>,
    /// How it is spoken to: the name of the [`TransportStrategy`](otlp_transport::TransportStrategy).
    pub transport: &'static str,
    /// `host:port`, a URL, or `unix:path`.
    pub endpoint: String,
    /// The dotted path of the setting that says so.
    pub path: String,
}

/// An extension.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExtensionPart {
    /// Health probes.
    Health(HealthSpec),
    /// Proving who somebody is.
    Auth(AuthPart),
    /// Any other extension.
    Other(BoxExtension),
    /// Nothing.
    Inert,
}

/// An extension that proves, or lets others prove, who they are.
#[derive(Default)]
pub struct AuthPart {
    /// Makes it for receivers, if it can be asked by them.
    pub server: Option<MakeServer>,
    /// Makes it for exporters, if it can be used by them.
    pub client: Option<MakeClient>,
    /// Another one whose credentials are added after its own.
    pub then: Option<AuthRef>,
    /// What it needs to know of where a batch came from.
    pub needs: Needs,
}

/// Makes what receivers ask.
pub type MakeServer = Box<dyn Fn(&TransportContext) -> Result<Arc<dyn Authenticate>, ConfigError> + Send>;

/// Makes what exporters add, before what others add.
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
    /// A stage that does nothing itself but bounds the bytes that bodies pin.
    pub fn memory_limit(limit_bytes: u64) -> Self {
        Self { memory_limit_bytes: Some(limit_bytes), ..Self::default() }
    }

    /// The same with settings that make sense for some signals only.
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
        StageSpec::Processor(Arc::new(processor)).into()
    }
}

impl From<BatchConfig> for StagePart {
    fn from(config: BatchConfig) -> Self {
        StageSpec::Batch(config).into()
    }
}

impl From<HolderSpec> for StagePart {
    fn from(holder: HolderSpec) -> Self {
        StageSpec::Holder(holder).into()
    }
}

// === impl ExporterPart ===

impl ExporterPart {
    /// An exporter that is made by `connect`.
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
            takes: None,
            auth: None,
            needs: Needs::default(),
        }
    }

    /// An exporter that is started and stopped with the gateway.
    pub fn managed(exporter: impl Exporter) -> Self {
        let needs = exporter.needs();
        let mut part = Self::new(|id, _, _| Ok(ExporterSpec::managed(id, exporter)));
        part.needs = needs;
        part
    }

    /// The same without queues and without retry: for what answers at once.
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

impl From<HealthSpec> for ExtensionPart {
    fn from(spec: HealthSpec) -> Self {
        Self::Health(spec)
    }
}
