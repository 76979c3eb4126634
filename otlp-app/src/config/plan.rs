//! A checked configuration: all that is needed to start, and nothing that could still be wrong but the network.

use super::auth::{AuthPlan, AuthPlans, AuthRef};
use super::exporter::Target;
use super::files::NamedFile;
use super::problem::{Problem, Problems};
use super::rules::Note;
use super::source::Span;
use super::telemetry::LogConfig;
use otlp_protocol::Signal;
use otlp_service::{
    BatchConfig, HealthSpec, Needs, PipelineSpec, Processor, QueueConfig, RetryConfig, ServerSpec,
};
use otlp_transport::{BoxAttempt, Client, ClientStats, Credentials, TransportContext};
use std::sync::Arc;

/// A gateway that can be started.
pub(crate) struct Plan {
    /// By id; only those that a pipeline names.
    pub(crate) receivers: Vec<(String, ReceiverPlan)>,
    /// By id; only those that a pipeline names.
    pub(crate) exporters: Vec<(String, ExporterPlan)>,
    /// Who is connected to whom.
    pub(crate) pipelines: Vec<PipelineSpec>,
    /// Where own metrics are served.
    pub(crate) metrics_endpoint: Option<String>,
    /// Where health probes are answered.
    pub(crate) health: Vec<HealthSpec>,
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
    /// One a port.
    pub(crate) servers: Vec<ServerPlan>,
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
    Auth(AuthPlan),
    /// Nothing.
    Inert,
}

/// What a processor does to its pipelines.
#[derive(Clone)]
pub(crate) enum ProcessorPlan {
    /// Joins requests.
    Batch(BatchConfig),
    /// Bounds the bytes that bodies pin, in the whole process.
    MemoryLimiter {
        /// The bound.
        limit_bytes: u64,
    },
    /// Looks at each request, or changes it.
    Processor(ProcessorUse),
}

/// A processor, and what must hold where it is used.
#[derive(Clone)]
pub(crate) struct ProcessorUse {
    /// Processes.
    pub(crate) processor: Arc<dyn Processor>,
    /// Settings that make sense for some signals only.
    pub(crate) only: Vec<Only>,
}

/// A setting that makes sense for some signals only.
#[derive(Clone)]
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
    /// Makes its client.
    pub(crate) connect: Connect,
    /// `host:port` that each signal is sent to, for the log and for the delays that destinations ask for.
    pub(crate) endpoints: Vec<(Signal, String)>,
    /// Where the file says that each signal is sent, to be compared with the gateway's own receivers.
    pub(crate) targets: Vec<Target>,
    /// Its queues.
    pub(crate) queue: QueueConfig,
    /// What happens to an attempt that failed.
    pub(crate) retry: RetryConfig,
    /// Names of the only signals it has an endpoint for; `None`: all.
    pub(crate) takes: Option<Vec<&'static str>>,
    /// Who says how it proves who we are.
    pub(crate) auth: Option<AuthRef>,
    /// What it needs of a request beside its body.
    pub(crate) needs: Needs,
}

/// Makes a client with the credentials that its extension gives; nothing is connected yet.
pub(crate) type Connect =
    Box<dyn FnOnce(&TransportContext, Option<Arc<dyn Credentials>>) -> Result<Outlet, Problem> + Send>;

/// What a batch leaves through.
pub(crate) struct Outlet {
    /// Makes one attempt to deliver.
    pub(crate) attempt: BoxAttempt,
    /// What its connections count, if it has any.
    pub(crate) stats: Option<Arc<ClientStats>>,
}

impl From<Client> for Outlet {
    fn from(Client { attempt, stats }: Client) -> Self {
        Self { attempt, stats: Some(stats) }
    }
}
