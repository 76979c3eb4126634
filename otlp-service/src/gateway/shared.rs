//! Parts of a gateway that every configuration of it shares, and that a reload leaves as they are.

use super::StartError;
use super::pages::StatusFacts;
use super::readiness::Readiness;
use crate::health::HealthChecker;
use crate::ledger::{Ledger, Line};
use crate::lifecycle::Lifecycle;
use crate::observe::TelemetrySubject;
use crate::own_spans::OwnSpans;
use crate::queue::Stores;
use crate::telemetry::Registry;
use otlp_transport::{Clock, Handover, Sockets, TransportContext};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// Time, network, memory, ledger, metrics, health and observers of a gateway.
pub(super) struct Shared {
    pub(super) context: TransportContext,
    pub(super) sockets: Sockets,
    pub(super) ledger: Ledger,
    pub(super) registry: Registry,
    pub(super) health: HealthChecker,
    pub(super) readiness: Arc<Readiness>,
    pub(super) status: StatusFacts,
    pub(super) observers: TelemetrySubject,
    pub(super) spans: OwnSpans,
    /// The queues on disk that are open.
    pub(super) stores: Stores,
    last_serial: AtomicU64,
}

/// An exporter or an extension that was started, and is to be stopped.
pub(super) struct Managed {
    lifecycle: Lifecycle,
    is_finished: AtomicBool,
}

// === impl Shared ===

impl Shared {
    pub(super) fn new(context: TransportContext, registry: Registry, spans: OwnSpans) -> Self {
        let health = HealthChecker::with_clock(context.clock.clone());
        let readiness: Arc<Readiness> = Arc::default();
        let status = StatusFacts::new(health.clone(), readiness.clone(), context.clock.clone());
        let registry = registry.with_clock(context.clock.clone());
        let observers = TelemetrySubject::new(&registry);
        observers.make_room_in(&context.budget);
        Self {
            sockets: Sockets::new(context.net.clone()),
            context,
            ledger: Ledger::new(),
            health,
            readiness,
            status,
            registry,
            observers,
            spans,
            stores: Stores::default(),
            last_serial: AtomicU64::new(0),
        }
    }

    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        self.context.clock.clone()
    }

    /// A number that nothing else of the gateway has.
    pub(super) fn serial(&self) -> u64 {
        self.last_serial.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The line of the ledger of a holder, or of an end of a pipeline.
    pub(super) fn line(&self, pipeline: &str, destination: &str) -> Arc<Line> {
        Arc::new(Line::new(&self.ledger, &self.registry, pipeline, destination))
    }

    /// The context as a component gets it that listens through the handover.
    pub(super) fn context_for(&self, component: &str, handover: &Handover) -> TransportContext {
        TransportContext { net: handover.net(component), ..self.context.clone() }
    }
}

// === impl Managed ===

impl Managed {
    /// Starts the component of that id.
    pub(super) async fn start(id: &str, lifecycle: Lifecycle) -> Result<Arc<Self>, StartError> {
        let started = lifecycle.start().await;
        started.map_err(|source| StartError::Component { component: id.into(), source })?;
        Ok(Arc::new(Self { lifecycle, is_finished: AtomicBool::new(false) }))
    }

    /// Flushes and stops the component, once; each is cut off at `deadline`, and begun in any case.
    pub(super) async fn finish(&self, clock: &dyn Clock, deadline: Instant) {
        if self.is_finished.swap(true, Ordering::Relaxed) {
            return;
        }
        for step in [self.lifecycle.flush(), self.lifecycle.stop()] {
            tokio::select! {
                biased;
                () = step => {}
                () = clock.sleep_until(deadline) => {}
            }
        }
    }
}
