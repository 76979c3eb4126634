//! A whole gateway: built from its spec, started and drained in order.
//!
//! Extensions start first, then exporters, and receivers last, so that whoever takes a batch has somewhere to put it. A drain goes the
//! other way: receivers refuse and finish what is under way, stages and connectors emit what they hold, the longest way to
//! the ends first, queues empty themselves, exporters stop, then extensions; metrics and health can be read until the end.

mod assembly;
mod check;
mod destination;
mod pages;
mod readiness;
mod registrations;
mod rest;

use crate::fanout::Delivery;
use crate::health::{HealthCheck, HealthChecker, HealthEntry};
use crate::holder::BoxError;
use crate::ledger::{Account, DropReason, Ledger, LedgerSnapshot};
use crate::queue::Queue;
use crate::receiver::BoxRunning;
use crate::spec::GatewaySpec;
use crate::telemetry::{PerformanceMetrics, Registration, Registry};
use destination::Started;
use futures_util::future::join_all;
use otlp_transport::{Address, BoxExport, ConfigError, PagesServer, TransportContext};
use readiness::Readiness;
use rest::{Drained, Rest};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A running gateway. Dropping it stops it at once; [`drain`](Self::drain) stops it in order.
///
/// ```
/// use otlp_service::{Gateway, GatewaySpec};
/// use otlp_transport::TransportContext;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), otlp_service::StartError> {
/// let context = TransportContext::tcp(64 << 20);
/// let clock = context.clock.clone();
/// let gateway = Gateway::start(context, GatewaySpec::default()).await?;
/// let report = gateway.drain(clock.now()).await;
/// assert_eq!(report.dropped_items, 0);
/// # Ok(())
/// # }
/// ```
pub struct Gateway {
    context: TransportContext,
    ledger: Ledger,
    registry: Registry,
    health: HealthChecker,
    readiness: Arc<Readiness>,
    receivers: Vec<BoxRunning>,
    pages: Vec<(&'static str, PagesServer)>,
    /// By id.
    pipelines: HashMap<String, Rest>,
    /// What is drained, by rank: the longest way to the ends goes first.
    drained: Vec<(usize, Drained)>,
    queues: Vec<Arc<dyn Queue>>,
    exporters: Vec<Started>,
    /// In the order in which they were started.
    extensions: Vec<Started>,
    registrations: Vec<Registration>,
    health_entries: Vec<HealthEntry>,
}

/// Why a gateway could not start. Nothing is left running.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A server could not be made, or could not listen on its endpoint.
    #[error("{component}: {source}")]
    Bind {
        /// Receiver id and transport (`otlp/grpc`), `metrics` or `health`.
        component: String,
        /// The setting that cannot work, such as the endpoint, and the system's error.
        source: ConfigError,
    },
    /// A component could not be made or started.
    #[error("{component}: {source}")]
    Component {
        /// The component's id.
        component: String,
        /// What the component said.
        source: BoxError,
    },
    /// Connectors lead from a pipeline back to that pipeline.
    #[error("pipelines and connectors form a cycle: {path}")]
    Cycle {
        /// Ids of pipelines and of the connectors between them, from a pipeline to the same pipeline.
        path: String,
    },
    /// Two components of a kind have the same id, or a connector has that of a receiver or an exporter.
    #[error("{kind} {id} is defined twice")]
    Duplicate {
        /// `extension`, `receiver`, `connector`, `exporter` or `pipeline`.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// No pipeline takes what a connector emits.
    #[error("connector {connector} leads nowhere: no pipeline has it among its receivers")]
    LeadsNowhere {
        /// The connector's id.
        connector: String,
    },
    /// A pipeline would lose everything.
    #[error("pipeline {pipeline} has no exporter")]
    NoExporter {
        /// The pipeline's id.
        pipeline: String,
    },
    /// A pipeline names a component twice: an exporter would get everything twice, and each holder has a line of its own in
    /// the ledger.
    #[error("pipeline {pipeline} names {kind} {id} twice")]
    Repeated {
        /// The pipeline's id.
        pipeline: String,
        /// `exporter` or `stage`.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// A pipeline names a component that is not there.
    #[error("pipeline {pipeline} names {kind} {id}, which is not defined")]
    Unknown {
        /// The pipeline's id.
        pipeline: String,
        /// `receiver` or `exporter`.
        kind: &'static str,
        /// The id.
        id: String,
    },
}

/// What a drain achieved.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DrainReport {
    /// Items that were accepted but could not be delivered before the deadline, over all destinations; in the ledger
    /// they are dropped for [`DropReason::Shutdown`].
    pub dropped_items: u64,
    /// The ledger at the end.
    pub ledger: LedgerSnapshot,
}

impl Gateway {
    /// Starts a gateway: extensions and exporters first, receivers last. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If an id is unknown or given twice, or an endpoint cannot be listened on.
    pub async fn start(context: TransportContext, spec: GatewaySpec) -> Result<Self, StartError> {
        let mut gateway = Self {
            context,
            ledger: Ledger::new(),
            registry: Registry::new(),
            health: HealthChecker::new(),
            readiness: Arc::default(),
            receivers: Vec::new(),
            pages: Vec::new(),
            pipelines: HashMap::new(),
            drained: Vec::new(),
            queues: Vec::new(),
            exporters: Vec::new(),
            extensions: Vec::new(),
            registrations: Vec::new(),
            health_entries: Vec::new(),
        };
        let started = assembly::start(&mut gateway, spec).await;
        if let Err(error) = started {
            gateway.stop_components(gateway.context.clock.now() + STOP_TIME).await;
            return Err(error);
        }
        Ok(gateway)
    }

    /// What listens where: receiver id and transport (`otlp/grpc`), `metrics`, `health`.
    pub fn endpoints(&self) -> Vec<(String, Address)> {
        let receivers = self.receivers.iter().flat_map(BoxRunning::endpoints);
        let pages = self.pages.iter().map(|(name, pages)| ((*name).to_owned(), pages.local_addr()));
        receivers.chain(pages).collect()
    }

    /// The way into a pipeline, beside its receivers. `None` if there is no such pipeline. What comes in while the gateway
    /// drains is refused where it would be held.
    pub fn inlet(&self, pipeline: &str) -> Option<BoxExport> {
        self.pipelines.get(pipeline).map(|rest| BoxExport::new(rest.entry.clone()))
    }

    /// When a pipeline answers: in memory mode also because a holder answers on admission. `None` if there is no such
    /// pipeline.
    pub fn delivery(&self, pipeline: &str) -> Option<Delivery> {
        self.pipelines.get(pipeline).map(|rest| rest.delivery)
    }

    /// What became of every item.
    pub fn ledger(&self) -> LedgerSnapshot {
        self.ledger.snapshot()
    }

    /// Own metrics.
    pub fn metrics(&self) -> PerformanceMetrics {
        self.registry.snapshot()
    }

    /// The registry of its metrics; further metrics may be added.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Its health; further checks may be added.
    pub fn health(&self) -> &HealthChecker {
        &self.health
    }

    /// Says that it is not ready, and goes on: readiness turns 503 and gRPC health NOT_SERVING, so that load balancers
    /// send elsewhere before [`drain`](Self::drain) closes the ports.
    pub fn leave(&self) {
        self.readiness.drain();
        self.receivers.iter().for_each(BoxRunning::leave);
    }

    /// Stops in order. Nothing takes longer than until `deadline`; what is left then is dropped and reported. Requests
    /// under way get three quarters of the time, so that some is left for what they bring.
    pub async fn drain(mut self, deadline: Instant) -> DrainReport {
        self.readiness.drain();
        let clock = self.context.clock.clone();
        let time = deadline.saturating_duration_since(clock.now());
        let receivers_deadline = deadline.checked_sub(time / 4).unwrap_or(deadline);
        let receivers = std::mem::take(&mut self.receivers);
        let cut_off = clock.sleep_until(deadline);
        tokio::select! {
            biased;
            _ = join_all(receivers.into_iter().map(|running| running.drain(receivers_deadline))) => {}
            () = cut_off => {}
        }
        self.drained.sort_by_key(|(rank, _)| *rank);
        for rank in self.drained.chunk_by(|(one, _), (other, _)| one == other).rev() {
            join_all(rank.iter().map(|(_, component)| component.drain(deadline))).await;
        }
        join_all(self.queues.iter().map(|queue| queue.drain(deadline))).await;
        self.stop_components(deadline).await;
        let ledger = self.ledger.snapshot();
        let mut dropped_items = 0;
        for line in &ledger.lines {
            let items = line.dropped_for(DropReason::Shutdown);
            dropped_items += items;
            if items > 0 {
                let (pipeline, exporter) = (&*line.pipeline, &*line.destination);
                let reason = DropReason::Shutdown.name();
                tracing::warn!(
                    pipeline,
                    exporter,
                    reason,
                    items,
                    "items are dropped: the drain ran out of time"
                );
            }
        }
        DrainReport { dropped_items, ledger }
    }

    /// Flushes and stops the exporters, then stops the extensions, not beyond `deadline`.
    async fn stop_components(&self, deadline: Instant) {
        let clock = &*self.context.clock;
        join_all(self.exporters.iter().map(|exporter| exporter.finish(clock, deadline))).await;
        for extension in self.extensions.iter().rev() {
            extension.finish(clock, deadline).await;
        }
    }

    /// The account of a holder or an end of a pipeline, shown as a metric for as long as the gateway lives.
    fn account(&mut self, pipeline: &str, destination: &str) -> Arc<Account> {
        let account = self.ledger.account(pipeline, destination);
        self.registrations.extend(account.register(&self.registry));
        account
    }

    /// Adds a health check for as long as the gateway lives.
    fn show_checked(&mut self, check: impl HealthCheck) {
        self.health_entries.push(self.health.add(check));
    }
}

/// What exporters and extensions get to stop in, if the gateway could not be started.
const STOP_TIME: Duration = Duration::from_secs(5);
