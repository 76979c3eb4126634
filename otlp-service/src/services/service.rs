//! One service: its account, retries and balanced client, and the counters of its calls.

use super::{Inner, ServiceEndpoints, ServiceError, ServicePolicy, ServiceStatus};
use crate::ExponentialBackoffRetry;
use crate::fanout::deliver;
use crate::ledger::{Hop, Line};
use crate::telemetry::{Counter, MetricKind, Registration, Registry, register_client};
use otlp_protocol::{Batch, ErrorKind};
use otlp_transport::{BalancedClient, ConfigError, ExportError, ExportResult};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// A registered service. Calls under way keep the service alive after it was deregistered.
pub(super) struct Service {
    name: String,
    client: ExponentialBackoffRetry<BalancedClient>,
    hop: Hop,
    line: Line,
    /// Room for calls; never closed.
    room: Arc<Semaphore>,
    max_calls: usize,
    calls: CallCounters,
    _shown: Vec<Registration>,
}

/// Counters of calls by outcome.
struct CallCounters {
    succeeded: Counter,
    failed: Counter,
    refused: Counter,
    cancelled: Counter,
}

/// A call under way. Dropped without an outcome, it counts as cancelled.
struct Call<'a> {
    calls: &'a CallCounters,
    ended: bool,
}

// === impl Service ===

impl Service {
    pub(super) fn new(
        name: &str,
        endpoints: ServiceEndpoints,
        policy: ServicePolicy,
        inner: &Inner,
    ) -> Result<Self, ServiceError> {
        let ServicePolicy { strategy, client: template, balance, retry, max_calls } = policy;
        let wrong = |error| ServiceError::Config { name: name.to_owned(), error };
        check(max_calls).map_err(wrong)?;
        let ServiceEndpoints(resolver) = endpoints;
        let client =
            BalancedClient::new(&inner.context, strategy, template, balance, resolver).map_err(wrong)?;
        let registry = &inner.registry;
        let line = Line::new(&inner.ledger, registry, PIPELINE, name);
        let room = Arc::new(Semaphore::new(max_calls));
        let mut shown = register_client(registry, name, client.clone().into_client().stats());
        let free = Arc::clone(&room);
        shown.push(registry.observe(
            MetricKind::Gauge,
            "otlp_service_calls_in_flight",
            "Calls of a service that are under way.",
            &[("service", name)],
            move || max_calls.saturating_sub(free.available_permits()) as f64,
        ));
        let client = ExponentialBackoffRetry::new(retry, inner.context.clock.clone(), client)
            .with_max_first_wait(MAX_FIRST_WAIT);
        Ok(Self {
            name: name.to_owned(),
            client,
            hop: Hop::of([line.account().clone()]),
            line,
            room,
            max_calls,
            calls: CallCounters::new(registry, name),
            _shown: shown,
        })
    }

    /// Sends a batch to an endpoint, with retries.
    pub(super) async fn call(&self, batch: Batch) -> ExportResult {
        let held = self.hop.unaccepted(batch.items());
        let Ok(_permit) = self.room.try_acquire() else {
            self.calls.refused.add(1);
            let Self { name, max_calls, .. } = self;
            let message =
                format!("{max_calls} calls of the service `{name}` are under way, which is the limit");
            return Err(ExportError::refused(ErrorKind::Unavailable, message));
        };
        let call = Call { calls: &self.calls, ended: false };
        let result = deliver(&self.client, batch, held).await;
        call.end(&result);
        result
    }

    pub(super) fn status(&self) -> ServiceStatus {
        let client = self.client.inner();
        ServiceStatus {
            name: self.name.clone(),
            resolver: client.stats().resolver,
            endpoints: client.endpoints(),
            succeeded_calls: self.calls.succeeded.get(),
            failed_calls: self.calls.failed.get(),
            refused_calls: self.calls.refused.get(),
            cancelled_calls: self.calls.cancelled.get(),
            calls_in_flight: self.max_calls.saturating_sub(self.room.available_permits()),
            items: self.line.account().line(),
        }
    }
}

// === impl CallCounters ===

impl CallCounters {
    fn new(registry: &Registry, service: &str) -> Self {
        let counter = |outcome| {
            let help = "Calls of a service that have ended, by outcome.";
            registry.counter("otlp_service_calls", help, &[("service", service), ("outcome", outcome)])
        };
        Self {
            succeeded: counter("succeeded"),
            failed: counter("failed"),
            refused: counter("refused"),
            cancelled: counter("cancelled"),
        }
    }
}

// === impl Call ===

impl Call<'_> {
    fn end(mut self, result: &ExportResult) {
        self.ended = true;
        let counter = if result.is_ok() { &self.calls.succeeded } else { &self.calls.failed };
        counter.add(1);
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.calls.cancelled.add(1);
        }
    }
}

/// Checks the settings that no other part checks.
fn check(max_calls: usize) -> Result<(), ConfigError> {
    if max_calls == 0 || max_calls > Semaphore::MAX_PERMITS {
        let problem = format!("it must be 1 to {}", Semaphore::MAX_PERMITS);
        return Err(ConfigError::new("max_calls", problem).with_value(max_calls.to_string()));
    }
    Ok(())
}

/// Pipeline of the ledger's lines of services.
const PIPELINE: &str = "services";
/// The longest wait before the first attempt for a delay that all endpoints asked for: the caller waits.
const MAX_FIRST_WAIT: Duration = Duration::from_secs(5);
