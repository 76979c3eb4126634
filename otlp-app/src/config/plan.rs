//! A checked configuration: a gateway that can be started, as far as can be told without the network.

use super::auth::{AuthPlan, AuthPlans, ExtensionRef};
use super::component::Component;
use super::files::NamedFile;
use super::fingerprint::Fingerprints;
use super::problem::{Problem, Problems};
use super::rules::Note;
use super::source::Span;
use super::telemetry::OwnTelemetry;
use crate::own_addresses::Place;
use otlp_service::{
    BoxExtension, BoxReceiver, ComponentStorage, ConnectorPart, DiskConfig, ExporterPart, ExtensionPart,
    HealthChecksSpec, HealthPart, HealthSpec, HolderSpec, Kind, OnlyFor, PipelineRef, PipelineSpec,
    ReceiverPart, ServerPart, ServerSpec, StagePart, StatusSpec,
};
use otlp_transport::TransportContext;

/// A gateway that can be started.
pub(crate) struct Plan {
    /// Receivers that a pipeline names, by id.
    pub(crate) receivers: Vec<(String, ReceiverPlan)>,
    /// Connectors that a pipeline names, by id.
    pub(crate) connectors: Vec<(String, HolderSpec)>,
    /// Exporters that a pipeline names, by id.
    pub(crate) exporters: Vec<(String, ExporterPlan)>,
    /// Pipelines with the ids of their components.
    pub(crate) pipelines: Vec<PipelineSpec>,
    /// Places of the pipelines in the file, by id.
    pub(crate) places: Vec<(String, Span)>,
    /// Health probes, and the checks behind their answers.
    pub(crate) health: HealthPlan,
    /// Extensions that run beside the pipelines, by id.
    pub(crate) extensions: Vec<(String, BoxExtension)>,
    /// Extensions that authenticate.
    pub(crate) auth: AuthPlans,
    /// The stored states of components in use.
    pub(crate) storages: Vec<StoragePlan>,
    /// Memory limit for request bodies, in bytes, if the configuration sets one.
    pub(crate) memory_limit_bytes: Option<u64>,
    /// Fingerprints of all components of the file.
    pub(crate) settings: Fingerprints,
    /// The files that components in use name.
    pub(crate) files: Vec<NamedFile>,
    /// Own metrics, logs and traces.
    pub(crate) telemetry: OwnTelemetry,
    /// Notes for the operator.
    pub(crate) notes: Vec<Note>,
    /// Exporters that send to the gateway itself. With such an exporter the gateway does not start. `otlp validate` only notes
    /// the exporters, since it may run on a machine with other addresses than the gateway's.
    pub(crate) loops: Problems,
}

impl Plan {
    /// Returns the plan, or an error for each exporter that sends to the gateway itself.
    pub(crate) fn without_loops(self) -> Result<Self, Problems> {
        if self.loops.is_empty() { Ok(self) } else { Err(self.loops) }
    }
}

/// Health of the gateway.
#[derive(Debug, Default)]
pub(crate) struct HealthPlan {
    /// Addresses on which health probes are answered.
    pub(crate) probes: Vec<HealthSpec>,
    /// Addresses on which the status of components is answered.
    pub(crate) status: Vec<StatusSpec>,
    /// Checks beside those of the gateway's state and of its destinations.
    pub(crate) checks: HealthChecksSpec,
}

/// A receiver that can be started.
pub(crate) struct ReceiverPlan {
    /// Servers of OTLP, one a port.
    pub(crate) servers: Vec<ServerPlan>,
    /// A receiver of another protocol.
    pub(crate) other: Option<BoxReceiver>,
}

/// A server of a receiver.
pub(crate) struct ServerPlan {
    /// The server itself.
    pub(crate) spec: ServerSpec,
    /// Extension that authenticates senders.
    pub(crate) auth: Option<ExtensionRef>,
    /// Checks the files that the server names.
    pub(crate) check: Option<CheckFiles>,
}

/// Checks that files can be read and used. Starts nothing.
pub(crate) type CheckFiles = Box<dyn Fn(&TransportContext) -> Result<(), Problem> + Send>;

/// An extension, by its purpose.
pub(crate) enum ExtensionPlan {
    /// Health probes.
    Health(Box<HealthPart>),
    /// Authenticates senders, or has credentials to send.
    Auth(Box<AuthPlan>),
    /// Directory for queues.
    Storage(DiskConfig),
    /// Runs beside the pipelines.
    Other(BoxExtension),
    /// Accepted without effect.
    Inert,
}

/// The stored state of a component, and the directory of the extension that it names.
pub(crate) struct StoragePlan {
    /// Kind of the component.
    pub(crate) kind: Kind,
    /// The state, as the component asked for it.
    pub(crate) storage: ComponentStorage,
    /// Directory of the extension.
    pub(crate) config: DiskConfig,
}

/// A connector, and the pipelines that its settings name.
pub(crate) struct ConnectorPlan {
    /// The connector, as made by its factory.
    pub(crate) connector: HolderSpec,
    /// Pipelines that the settings name.
    pub(crate) pipelines: Vec<NamedPipeline>,
}

/// A pipeline in the settings of a connector.
pub(crate) struct NamedPipeline {
    /// The pipeline's id.
    pub(crate) id: String,
    /// The setting's place in the file.
    pub(crate) span: Span,
    /// Component and path of the setting, for errors.
    pub(crate) what: String,
}

/// A processor or holder of a pipeline, and the settings that allow it in pipelines of some signals only.
pub(crate) struct StagePlan {
    /// The processor or holder, as made by its factory.
    pub(crate) part: StagePart,
    /// Settings that are for some signals only.
    pub(crate) only: Vec<Only>,
}

/// A setting that is for some signals only.
pub(crate) struct Only {
    /// Place of the setting.
    pub(crate) span: Span,
    /// Component and path of the setting, for errors.
    pub(crate) what: String,
    /// Noun for errors: a setting, or the whole processor.
    pub(crate) noun: &'static str,
    /// Names of the signals.
    pub(crate) signals: &'static [&'static str],
}

/// An exporter that can be started.
pub(crate) struct ExporterPlan {
    /// The exporter, as made by its factory, without the fields below.
    pub(crate) part: ExporterPart,
    /// The component, for places in errors.
    pub(crate) component: Option<Component>,
    /// Endpoints of each signal in the file, to be compared with the gateway's own receivers.
    pub(crate) targets: Vec<Target>,
    /// Extension with the credentials to send.
    pub(crate) auth: Option<ExtensionRef>,
    /// Extension with the directory of the queues.
    pub(crate) storage: Option<ExtensionRef>,
}

/// An endpoint of an exporter.
pub(crate) struct Target {
    /// The endpoint as the factory returned it.
    pub(crate) part: otlp_service::Target,
    /// Host and port, or path of a Unix socket.
    pub(crate) place: Place,
    /// The setting's place in the file.
    pub(crate) span: Span,
}

// === impl HealthPlan ===

impl HealthPlan {
    /// Addresses that health listens on.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &str> {
        let probes = self.probes.iter().map(|probe| &probe.endpoint);
        let status = self
            .status
            .iter()
            .flat_map(|status| status.pages.iter().map(|pages| &pages.endpoint).chain(&status.grpc_endpoint));
        probes.chain(status).map(String::as_str)
    }

    /// Sets the text of the pages that show the configuration.
    pub(crate) fn set_config(&mut self, text: &str) {
        let pages = self.status.iter_mut().filter_map(|status| status.pages.as_mut());
        pages.filter_map(|pages| pages.config.as_mut()).for_each(|(_, shown)| *shown = text.into());
    }
}

// === impl ReceiverPlan ===

impl ReceiverPlan {
    /// Makes the plan of the part that the factory of `component` returned.
    pub(crate) fn of(part: ReceiverPart, component: &Component) -> Self {
        match part {
            ReceiverPart::Servers(servers) => {
                let servers = servers.into_iter().map(|server| ServerPlan::of(server, component));
                Self { servers: servers.collect(), other: None }
            }
            ReceiverPart::Other(receiver) => Self { servers: Vec::new(), other: Some(receiver) },
        }
    }
}

// === impl ServerPlan ===

impl ServerPlan {
    fn of(part: ServerPart, component: &Component) -> Self {
        let ServerPart { spec, auth, check } = part;
        let auth = auth.map(|auth| ExtensionRef::of(auth, component));
        let check = check.map(|check| -> CheckFiles {
            let component = component.clone();
            Box::new(move |context| check(context).map_err(|error| component.wrong(&error)))
        });
        Self { spec, auth, check }
    }
}

// === impl ExtensionPlan ===

impl ExtensionPlan {
    /// Makes the plan of the part that the factory of `component` returned.
    pub(crate) fn of(part: ExtensionPart, component: &Component) -> Self {
        match part {
            ExtensionPart::Health(part) => Self::Health(Box::new(part)),
            ExtensionPart::Auth(part) => Self::Auth(Box::new(AuthPlan::of(part, component))),
            ExtensionPart::Storage(config) => Self::Storage(config),
            ExtensionPart::Other(extension) => Self::Other(extension),
            _ => Self::Inert,
        }
    }
}

// === impl ConnectorPlan ===

impl ConnectorPlan {
    /// Makes the plan of the part that the factory of `component` returned.
    pub(crate) fn of(part: ConnectorPart, component: &Component) -> Self {
        let ConnectorPart { connector, pipelines, .. } = part;
        let named = pipelines.into_iter().map(|PipelineRef { id, path }| NamedPipeline {
            span: component.settings.span_of(&path),
            what: format!("{}: {path}", component.id),
            id,
        });
        Self { connector, pipelines: named.collect() }
    }
}

// === impl StagePlan ===

impl StagePlan {
    /// Makes the plan of the part that the factory of `component` returned.
    pub(crate) fn of(part: StagePart, component: &Component) -> Self {
        let only = part.only.iter().map(|OnlyFor { path, signals }| {
            let span = component.settings.span_of(path);
            let (what, noun) = match path.is_empty() {
                true => (component.id.to_string(), "processor"),
                false => (format!("{}: {path}", component.id), "setting"),
            };
            Only { span, what, noun, signals }
        });
        Self { only: only.collect(), part }
    }
}

// === impl ExporterPlan ===

impl ExporterPlan {
    /// Makes the plan of the part that the factory of `component` returned.
    pub(crate) fn of(mut part: ExporterPart, component: &Component) -> Self {
        let auth = part.auth.take().map(|auth| ExtensionRef::of(auth, component));
        let storage = part.storage.take().map(|storage| ExtensionRef::of(storage, component));
        let target = |part: otlp_service::Target| {
            let span = component.settings.span_of(&part.path);
            Some(Target { place: Place::of(&part.endpoint)?, span, part })
        };
        let targets = std::mem::take(&mut part.targets).into_iter().filter_map(target).collect();
        Self { component: Some(component.clone()), part, targets, auth, storage }
    }

    /// Makes the plan of an exporter that is not in a file.
    pub(crate) fn without_file(part: ExporterPart) -> Self {
        Self { component: None, part, targets: Vec::new(), auth: None, storage: None }
    }
}
