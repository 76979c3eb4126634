//! A whole gateway: built from its spec, started and drained in order.
//!
//! Exporters start first and receivers last, so that whoever takes a batch has somewhere to put it. A drain goes the
//! other way: receivers refuse and finish what is under way, batches are flushed, queues empty themselves; metrics and
//! health can be read until the end.

mod build;
mod inlet;
mod pages;
mod readiness;

use crate::batch::BatchProcessor;
use crate::fanout::FanOut;
use crate::health::HealthChecker;
use crate::ledger::{DropReason, Ledger, LedgerSnapshot};
use crate::queue::Queue;
use crate::spec::GatewaySpec;
use crate::telemetry::{PerformanceMetrics, Registry};
use futures_util::future::join_all;
use otlp_transport::{Address, Clock, PagesServer, Server, TransportContext};
use readiness::Readiness;
use std::io;
use std::sync::Arc;
use std::time::Instant;

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
    clock: Arc<dyn Clock>,
    ledger: Ledger,
    registry: Registry,
    health: HealthChecker,
    readiness: Arc<Readiness>,
    servers: Vec<(String, Server)>,
    pages: Vec<(&'static str, PagesServer)>,
    batchers: Vec<Arc<BatchProcessor>>,
    fanouts: Vec<FanOut>,
    queues: Vec<Arc<dyn Queue>>,
}

/// Why a gateway could not start. Nothing is left running.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Listening failed.
    #[error("{component}: cannot listen on {endpoint}: {source}")]
    Bind {
        /// Receiver id and transport (`otlp/grpc`), `metrics` or `health`.
        component: String,
        /// Where it was to listen.
        endpoint: String,
        /// What the system said.
        source: io::Error,
    },
    /// Two components of a kind have the same id.
    #[error("{kind} {id} is defined twice")]
    Duplicate {
        /// `receiver`, `exporter` or `pipeline`.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// A pipeline would lose everything.
    #[error("pipeline {pipeline} has no exporter")]
    NoExporter {
        /// The pipeline's id.
        pipeline: String,
    },
    /// A pipeline names a component twice, which would get everything twice.
    #[error("pipeline {pipeline} names {kind} {id} twice")]
    Repeated {
        /// The pipeline's id.
        pipeline: String,
        /// `exporter`.
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
    /// Starts a gateway: exporters first, receivers last. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If an id is unknown or given twice, or an endpoint cannot be listened on.
    pub async fn start(context: TransportContext, spec: GatewaySpec) -> Result<Self, StartError> {
        build::start(context, spec).await
    }

    /// What listens where: receiver id and transport (`otlp/grpc`), `metrics`, `health`.
    pub fn endpoints(&self) -> Vec<(String, Address)> {
        let servers = self.servers.iter().map(|(name, server)| (name.clone(), server.local_addr()));
        let pages = self.pages.iter().map(|(name, pages)| ((*name).to_owned(), pages.local_addr()));
        servers.chain(pages).collect()
    }

    /// What became of every item.
    pub fn ledger(&self) -> LedgerSnapshot {
        self.ledger.snapshot()
    }

    /// Own metrics.
    pub fn metrics(&self) -> PerformanceMetrics {
        self.registry.snapshot()
    }

    /// Its health; further checks may be added.
    pub fn health(&self) -> &HealthChecker {
        &self.health
    }

    /// Says that it is not ready, and goes on: readiness turns 503 and gRPC health NOT_SERVING, so that load balancers
    /// send elsewhere before [`drain`](Self::drain) closes the ports.
    pub fn leave(&self) {
        self.readiness.drain();
        self.servers.iter().for_each(|(_, server)| server.leave());
    }

    /// Stops in order. Nothing takes longer than until `deadline`; what is left then is dropped and reported. Requests
    /// under way get three quarters of the time, so that some is left for what they bring.
    pub async fn drain(mut self, deadline: Instant) -> DrainReport {
        self.readiness.drain();
        let time = deadline.saturating_duration_since(self.clock.now());
        let receivers_deadline = deadline.checked_sub(time / 4).unwrap_or(deadline);
        let servers = std::mem::take(&mut self.servers);
        join_all(servers.into_iter().map(|(_, server)| server.drain(receivers_deadline))).await;
        join_all(self.batchers.iter().map(|batcher| batcher.drain(deadline))).await;
        join_all(self.fanouts.iter().map(|fanout| fanout.drain(deadline))).await;
        join_all(self.queues.iter().map(|queue| queue.drain(deadline))).await;
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
}
