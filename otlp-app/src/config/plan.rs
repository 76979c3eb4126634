//! A checked configuration: all that is needed to start, and nothing that could still be wrong but the network.

use super::problem::Problem;
use super::rules::Note;
use super::telemetry::LogConfig;
use otlp_service::{BatchConfig, HealthSpec, PipelineSpec, QueueConfig, RetryConfig, ServerSpec};
use otlp_transport::{BoxExport, Client, ClientStats, TransportContext};
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
    pub(crate) health: Option<HealthSpec>,
    /// Bytes that bodies may pin, if the configuration says so.
    pub(crate) memory_limit_bytes: Option<u64>,
    /// Own logs.
    pub(crate) logs: LogConfig,
    /// What is worth knowing.
    pub(crate) notes: Vec<Note>,
}

/// A receiver that can be started.
pub(crate) struct ReceiverPlan {
    /// One a protocol.
    pub(crate) servers: Vec<ServerSpec>,
}

/// What a processor does to its pipelines.
#[derive(Clone, Debug)]
pub(crate) enum ProcessorPlan {
    /// Joins requests.
    Batch(BatchConfig),
    /// Bounds the bytes that bodies pin, in the whole process.
    MemoryLimiter {
        /// The bound.
        limit_bytes: u64,
    },
}

/// An exporter that can be started.
pub(crate) struct ExporterPlan {
    /// Makes its client.
    pub(crate) connect: Connect,
    /// Its queues.
    pub(crate) queue: QueueConfig,
    /// What happens to an attempt that failed.
    pub(crate) retry: RetryConfig,
    /// Names of the only signals it has an endpoint for; `None`: all.
    pub(crate) takes: Option<Vec<&'static str>>,
}

/// Makes a client; nothing is connected yet.
pub(crate) type Connect = Box<dyn FnOnce(&TransportContext) -> Result<Outlet, Problem> + Send>;

/// What a batch leaves through.
pub(crate) struct Outlet {
    /// Makes one attempt to deliver.
    pub(crate) export: BoxExport,
    /// What its connections count, if it has any.
    pub(crate) stats: Option<Arc<ClientStats>>,
}

impl From<Client> for Outlet {
    fn from(Client { export, stats }: Client) -> Self {
        Self { export, stats: Some(stats) }
    }
}
