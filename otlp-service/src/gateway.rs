//! A whole gateway: built from its spec, started, reloaded and drained in order.
//!
//! Extensions start first, then exporters, and receivers last, so that whoever takes a batch has somewhere to put it. A drain goes the
//! other way: receivers refuse and finish what is under way, stages and connectors emit what they hold, the longest way to
//! the ends first, queues empty themselves, exporters stop, then extensions; metrics and health can be read until the end. A
//! reload builds what is new in the first order, turns the switches in between, and drains what is old in the second.

mod assembly;
mod build;
mod check;
mod checks;
mod destination;
mod end;
mod graph;
mod pages;
mod piece;
mod readiness;
mod registrations;
mod retirement;
mod shared;
mod succession;

use crate::fanout::Delivery;
use crate::health::{HealthChecker, HealthEntry};
use crate::holder::BoxError;
use crate::ledger::{DropReason, LedgerLine, LedgerSnapshot};
use crate::observe::TelemetrySubject;
use crate::receiver::BoxRunning;
use crate::spec::{Changes, GatewaySpec, Outline};
use crate::telemetry::{PerformanceMetrics, Registration, Registry};
use build::{Build, Committed};
use futures_util::future::join_all;
use graph::Graph;
use otlp_transport::{Address, BoxExport, ConfigError, TransportContext};
use readiness::ReadinessCheck;
use retirement::{Retired, Retirement, three_quarters};
use shared::Shared;
use std::io;
use std::path::PathBuf;
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
/// let mut gateway = Gateway::start(context, GatewaySpec::default()).await?;
/// let changes = gateway.reload(GatewaySpec::default()).await?;
/// assert!(changes.is_empty());
/// let report = gateway.drain(clock.now()).await;
/// assert_eq!(report.dropped_items, 0);
/// # Ok(())
/// # }
/// ```
pub struct Gateway {
    shared: Arc<Shared>,
    graph: Graph,
    /// Components that reloads have replaced, while they drain.
    retirements: Vec<Retirement>,
    _registrations: Vec<Registration>,
    _health_entry: HealthEntry,
}

/// Error of a gateway that could not be started or reloaded. Everything that was started for it is stopped.
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
        /// The error of the component.
        source: BoxError,
    },
    /// The files of an exporter's queue could not be opened.
    #[error("exporter {exporter}: the queue in {} cannot be opened: {}", directory.display(), queue_fault(source))]
    Queue {
        /// The exporter's id.
        exporter: String,
        /// The directory of the files.
        directory: PathBuf,
        /// The system's error; of kind [`WouldBlock`](io::ErrorKind::WouldBlock) if another process has the queue open.
        source: io::Error,
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
    /// A connector that ends a pipeline emits into no pipeline.
    #[error(
        "connector {connector} leads nowhere from {pipeline}: no pipeline that it can emit into has it among its receivers"
    )]
    LeadsNowhere {
        /// The connector's id.
        connector: String,
        /// The id of the pipeline that the connector ends.
        pipeline: String,
    },
    /// A pipeline has no exporter: all of its telemetry would be lost.
    #[error("pipeline {pipeline} has no exporter")]
    NoExporter {
        /// The pipeline's id.
        pipeline: String,
    },
    /// A pipeline names an exporter or a holder twice: an exporter would get everything twice, and each holder has a line of
    /// its own in the ledger.
    #[error("pipeline {pipeline} names {kind} {id} twice")]
    Repeated {
        /// The pipeline's id.
        pipeline: String,
        /// `exporter` or `stage`.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// A pipeline names a component that is not defined.
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

/// Outcome of a drain.
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
    /// If an id is unknown or given twice, or an endpoint cannot be listened on. What was started is stopped.
    pub async fn start(context: TransportContext, mut spec: GatewaySpec) -> Result<Self, StartError> {
        let (registry, spans) = (spec.registry.clone(), spec.own_spans.clone());
        let shared = Arc::new(Shared::new(context, registry, spans));
        let health_entry = shared.health.add(ReadinessCheck(shared.readiness.clone()));
        let registrations = registrations::register(&shared, std::mem::take(&mut spec.dropped_lines));
        let before = Graph::default();
        let mut build = Build::new(&shared, &before);
        if let Err(error) = build.run(spec).await {
            build.abandon().await;
            return Err(error);
        }
        let Committed { graph, .. } = build.commit(&[]);
        shared.readiness.ready();
        Ok(Self {
            shared,
            graph,
            retirements: Vec::new(),
            _registrations: registrations,
            _health_entry: health_entry,
        })
    }

    /// Changes a running gateway to another spec, and returns what differs. Builds what is new, leads requests there, and drains
    /// what is replaced, in the background, for up to [`GatewaySpec::drain_timeout`]. No request is refused for it, and
    /// nothing that was accepted is lost.
    ///
    /// A component whose [`Fingerprint`](crate::Fingerprint) is the same stays as it is: an exporter with its queues and
    /// connections; a receiver with its connections; a stage with what it holds, if all behind it stays too; a holder or a
    /// connector also if what is behind it changes. Everything else is made anew, and runs beside what it replaces until
    /// that is drained. A new server on an address of an old one takes over the socket. Lines of the ledger and metrics of
    /// the same names go on. [`GatewaySpec::dropped_lines`],
    /// [`GatewaySpec::registry`] and [`GatewaySpec::own_spans`] of a reload are not used.
    ///
    /// The future may be dropped while the new components are built: nothing changes then, and what was started is stopped. The
    /// change itself is not interrupted.
    ///
    /// # Errors
    /// As [`start`](Self::start). Nothing changes then; what was started is stopped.
    pub async fn reload(&mut self, spec: GatewaySpec) -> Result<Changes, StartError> {
        self.retirements.retain(|retirement| !retirement.is_over());
        while self.retirements.len() >= MAX_RETIREMENTS
            && let Some(oldest) = self.retirements.first_mut()
        {
            oldest.over().await;
            self.retirements.remove(0);
        }
        let changes = Outline::of(&spec).changes_from(&self.graph.outline);
        let drain_timeout = spec.drain_timeout;
        let mut build = Build::new(&self.shared, &self.graph);
        if let Err(error) = build.run(spec).await {
            build.abandon().await;
            return Err(error);
        }
        let Committed { graph, ended, successions, has_orphans } = build.commit(&self.retirements);
        let old = std::mem::replace(&mut self.graph, graph);
        let retired = Retired::new(old, &self.graph, ended, successions, &self.shared);
        if !retired.is_empty() {
            if has_orphans {
                self.retirements.iter().for_each(Retirement::hurry);
            }
            let before = self.retirements.iter().map(|earlier| earlier.before(has_orphans)).collect();
            let deadline = self.shared.context.clock.now() + drain_timeout;
            self.retirements.push(retired.spawn(deadline, before));
        }
        Ok(changes)
    }

    /// Returns the names and addresses of all listeners: receiver id and transport (`otlp/grpc`), `metrics`, `health`,
    /// `health/grpc`.
    pub fn endpoints(&self) -> Vec<(String, Address)> {
        self.graph.endpoints()
    }

    /// Returns the way into a pipeline, beside the pipeline's receivers, also after reloads. `None` if there is no such pipeline.
    /// A batch that comes in while the gateway drains, or after a reload has removed the pipeline, is refused retryably.
    ///
    /// The caller is in the place of a receiver: a drain does not wait for exports that are waiting for an attempt end to end, and does
    /// not cut them off. Drop such exports before the deadline of the drain: an answer that comes later is not in the report.
    pub fn inlet(&self, pipeline: &str) -> Option<BoxExport> {
        self.graph.heads.get(pipeline).map(|head| BoxExport::new(head.inlet.clone()))
    }

    /// Returns the delivery of a pipeline: memory mode also if a holder answers on admission. `None` if there is no such
    /// pipeline.
    pub fn delivery(&self, pipeline: &str) -> Option<Delivery> {
        self.graph.heads.get(pipeline).map(|head| head.rest.delivery)
    }

    /// Returns the ledger: the fate of every item, by pipeline and destination.
    pub fn ledger(&self) -> LedgerSnapshot {
        self.shared.ledger.snapshot()
    }

    /// Returns the gateway's own metrics.
    pub fn metrics(&self) -> PerformanceMetrics {
        self.shared.registry.snapshot()
    }

    /// Returns the registry of the gateway's own metrics, to which further metrics may be added.
    pub fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    /// Returns the health checks, to which further checks may be added.
    pub fn health(&self) -> &HealthChecker {
        &self.shared.health
    }

    /// Returns the edges of the gateway, at which observers listen. A drain ends their subscriptions.
    ///
    /// Edges are `PIPELINE`: the entry of a pipeline; `PIPELINE/STAGE`: the way out of a processor, a batch processor or a
    /// holder; `PIPELINE/EXPORTER`: the way into an exporter or a connector.
    pub fn observers(&self) -> &TelemetrySubject {
        &self.shared.observers
    }

    /// Reports the gateway as not ready, and goes on: readiness turns 503 and gRPC health NOT_SERVING, so that load balancers
    /// send elsewhere before [`drain`](Self::drain) closes the ports.
    pub fn leave(&self) {
        self.shared.readiness.drain();
        for fed in &self.graph.receivers {
            fed.receiver.running.lock().iter().for_each(BoxRunning::leave);
        }
    }

    /// Stops in order. Nothing takes longer than until `deadline`; what is left then is dropped and reported. Requests
    /// under way get three quarters of the time, so that some is left for what they bring. What reloads have replaced and
    /// is still being drained is drained as well. Extensions stop last, and have a second for it even if the rest has taken all
    /// of the time: they may tell of what was lost.
    pub async fn drain(mut self, deadline: Instant) -> DrainReport {
        self.shared.readiness.drain();
        // Pages and the last push of own metrics have the totals of what stops before them.
        let _kept = self.shared.registry.keep_gone();
        let clock = self.shared.clock();
        let mut graph = std::mem::take(&mut self.graph);
        let pages = std::mem::take(&mut graph.pages);
        let mut last = Retired::new(graph, &Graph::default(), Vec::new(), Vec::new(), &self.shared);
        self.retirements.iter().for_each(Retirement::hurry);
        // What was replaced may emit into the queues of the last graph, and senders of old receivers into its stages.
        let emitted = join_all(self.retirements.iter().map(Retirement::emitted));
        let emitted_deadline = three_quarters(&*clock, deadline);
        let emitted = async {
            tokio::select! {
                biased;
                _ = emitted => {}
                () = clock.sleep_until(emitted_deadline) => {}
            }
        };
        tokio::join!(last.drain_receivers(deadline), emitted);
        last.drain_stages(deadline).await;
        let over = join_all(self.retirements.iter_mut().map(Retirement::over));
        let over = async {
            tokio::select! {
                biased;
                _ = over => {}
                () = clock.sleep_until(deadline) => {}
            }
        };
        tokio::join!(last.drain_ends(deadline), over);
        let mut is_cut = false;
        for retirement in std::mem::take(&mut self.retirements) {
            is_cut |= retirement.cut(&self.shared, deadline).await;
        }
        // What drains until the deadline is what own telemetry has to tell of.
        last.stop_extensions(deadline.max(clock.now() + EXTENSIONS_TIME)).await;
        if is_cut {
            self.settle().await;
        }
        self.shared.observers.close();
        let ledger = self.shared.ledger.snapshot();
        drop((last, pages));
        let dropped_items = report_dropped(&ledger);
        DrainReport { dropped_items, ledger }
    }
}

impl Gateway {
    /// Waits until the tasks that were cut off have given up their items.
    async fn settle(&self) {
        let clock = self.shared.clock();
        let deadline = clock.now() + SETTLE_TIME;
        let is_moving = |line: &LedgerLine| line.queued + line.in_flight > 0;
        while self.ledger().lines.iter().any(is_moving) && clock.now() < deadline {
            clock.sleep(SETTLE_TIME / 100).await;
        }
    }
}

/// Says why the files of a queue cannot be opened.
fn queue_fault(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock => "another process has it open".into(),
        _ => error.to_string(),
    }
}

/// Logs the items that were dropped for the shutdown, and returns how many these are.
fn report_dropped(ledger: &LedgerSnapshot) -> u64 {
    let mut dropped_items = 0;
    for line in &ledger.lines {
        let items = line.dropped_for(DropReason::Shutdown);
        dropped_items += items;
        if items > 0 {
            let (pipeline, exporter) = (&*line.pipeline, &*line.destination);
            let reason = DropReason::Shutdown.name();
            tracing::warn!(pipeline, exporter, reason, items, "items are dropped: the drain ran out of time");
        }
    }
    dropped_items
}

/// Least time that extensions have to stop in, also after the deadline of a drain.
const EXTENSIONS_TIME: Duration = Duration::from_secs(1);

/// Time for tasks that were cut off to end in.
const SETTLE_TIME: Duration = Duration::from_millis(100);

/// Graphs that drain at a time: a further reload waits for the oldest of them.
const MAX_RETIREMENTS: usize = 16;
