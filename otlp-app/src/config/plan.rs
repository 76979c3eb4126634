//! A checked configuration: all that is needed to start, and nothing that could still be wrong but the network.

use super::auth::{AuthPlan, AuthPlans, AuthRef};
use super::component::Component;
use super::files::NamedFile;
use super::problem::{Problem, Problems};
use super::rules::Note;
use super::source::Span;
use super::telemetry::LogConfig;
use crate::own_addresses::Place;
use otlp_service::{
    BoxExtension, BoxReceiver, ExporterPart, ExtensionPart, HealthSpec, HolderSpec, OnlyFor, PipelineSpec,
    ReceiverPart, ServerPart, ServerSpec, StagePart,
};
use otlp_transport::TransportContext;

/// A gateway that can be started.
pub(crate) struct Plan {
    /// By id; only those that a pipeline names.
    pub(crate) receivers: Vec<(String, ReceiverPlan)>,
    /// By id; only those that a pipeline names.
    pub(crate) connectors: Vec<(String, HolderSpec)>,
    /// By id; only those that a pipeline names.
    pub(crate) exporters: Vec<(String, ExporterPlan)>,
    /// Who is connected to whom.
    pub(crate) pipelines: Vec<PipelineSpec>,
    /// Where the pipelines are in the file, by id.
    pub(crate) places: Vec<(String, Span)>,
    /// Where own metrics are served.
    pub(crate) metrics_endpoint: Option<String>,
    /// Where health probes are answered.
    pub(crate) health: Vec<HealthSpec>,
    /// Extensions that run beside the pipelines, by id.
    pub(crate) extensions: Vec<(String, BoxExtension)>,
    /// Extensions that authenticate.
    pub(crate) auth: AuthPlans,
    /// Bytes that bodies may pin, if the configuration says so.
    pub(crate) memory_limit_bytes: Option<u64>,
    /// The files that components in use name.
    pub(crate) files: Vec<NamedFile>,
    /// Own logs.
    pub(crate) logs: LogConfig,
    /// What is worth knowing.
    pub(crate) notes: Vec<Note>,
    /// Exporters that send to the gateway itself. With one of these the gateway does not start. A check elsewhere only
    /// notes them: which addresses are the gateway's own, only the machine that runs the gateway can tell.
    pub(crate) loops: Problems,
}

impl Plan {
    /// The plan, if the gateway does not send to itself.
    pub(crate) fn without_loops(self) -> Result<Self, Problems> {
        if self.loops.is_empty() { Ok(self) } else { Err(self.loops) }
    }
}

/// A receiver that can be started.
pub(crate) struct ReceiverPlan {
    /// Servers of OTLP, one a port.
    pub(crate) servers: Vec<ServerPlan>,
    /// A receiver that is none of OTLP.
    pub(crate) other: Option<BoxReceiver>,
}

/// A server of a receiver.
pub(crate) struct ServerPlan {
    /// The server itself.
    pub(crate) spec: ServerSpec,
    /// Who says whom it lets in.
    pub(crate) auth: Option<AuthRef>,
    /// Finds out whether the files it names can be used.
    pub(crate) check: Option<CheckFiles>,
}

/// Reads files; nothing is started yet.
pub(crate) type CheckFiles = Box<dyn Fn(&TransportContext) -> Result<(), Problem> + Send>;

/// What an extension is for.
pub(crate) enum ExtensionPlan {
    /// Health probes.
    Health(HealthSpec),
    /// Proving who somebody is.
    Auth(Box<AuthPlan>),
    /// It runs beside the pipelines.
    Other(BoxExtension),
    /// Nothing.
    Inert,
}

/// A processor or holder of a pipeline, and the settings that allow it in pipelines of some signals only.
pub(crate) struct StagePlan {
    /// The processor or holder, as made by its factory.
    pub(crate) part: StagePart,
    /// Settings that make sense for some signals only.
    pub(crate) only: Vec<Only>,
}

/// A setting that makes sense for some signals only.
pub(crate) struct Only {
    /// Where it is.
    pub(crate) span: Span,
    /// What it is: component and path.
    pub(crate) what: String,
    /// Names of the signals.
    pub(crate) signals: &'static [&'static str],
}

/// An exporter that can be started.
pub(crate) struct ExporterPlan {
    /// The exporter, as made by its factory, without the fields below.
    pub(crate) part: ExporterPart,
    /// For its place in errors.
    pub(crate) component: Option<Component>,
    /// Where the file says that each signal is sent, to be compared with the gateway's own receivers.
    pub(crate) targets: Vec<Target>,
    /// Who says how it proves who we are.
    pub(crate) auth: Option<AuthRef>,
}

/// Where an exporter sends a signal.
pub(crate) struct Target {
    /// What the factory says.
    pub(crate) part: otlp_service::Target,
    /// The place.
    pub(crate) place: Place,
    /// The setting's place in the file.
    pub(crate) span: Span,
}

// === impl ReceiverPlan ===

impl ReceiverPlan {
    /// What the factory of `component` made.
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
        let auth = auth.map(|auth| AuthRef::of(auth, component));
        let check = check.map(|check| -> CheckFiles {
            let component = component.clone();
            Box::new(move |context| check(context).map_err(|error| component.wrong(&error)))
        });
        Self { spec, auth, check }
    }
}

// === impl ExtensionPlan ===

impl ExtensionPlan {
    /// What the factory of `component` made.
    pub(crate) fn of(part: ExtensionPart, component: &Component) -> Self {
        match part {
            ExtensionPart::Health(spec) => Self::Health(spec),
            ExtensionPart::Auth(part) => Self::Auth(Box::new(AuthPlan::of(part, component))),
            ExtensionPart::Other(extension) => Self::Other(extension),
            _ => Self::Inert,
        }
    }
}

// === impl StagePlan ===

impl StagePlan {
    /// What the factory of `component` made.
    pub(crate) fn of(part: StagePart, component: &Component) -> Self {
        let only = part.only.iter().map(|OnlyFor { path, signals }| Only {
            span: component.settings.span_of(path),
            what: format!("{}: {path}", component.id),
            signals,
        });
        Self { only: only.collect(), part }
    }
}

// === impl ExporterPlan ===

impl ExporterPlan {
    /// What the factory of `component` made.
    pub(crate) fn of(mut part: ExporterPart, component: &Component) -> Self {
        let auth = part.auth.take().map(|auth| AuthRef::of(auth, component));
        let target = |part: otlp_service::Target| {
            let span = component.settings.span_of(&part.path);
            Some(Target { place: Place::of(&part.endpoint)?, span, part })
        };
        let targets = std::mem::take(&mut part.targets).into_iter().filter_map(target).collect();
        Self { component: Some(component.clone()), part, targets, auth }
    }

    /// What no file has.
    pub(crate) fn without_file(part: ExporterPart) -> Self {
        Self { component: None, part, targets: Vec::new(), auth: None }
    }
}
