//! Exporters, and the way of each signal to one: queue → retry → attempt.

use super::{Gateway, StartError};
use crate::exporter::{Reachability, SignalExporter, Watch, WatchedAttempt};
use crate::fanout::{Delivery, Destination};
use crate::health::NetworkHealthCheck;
use crate::ledger::Account;
use crate::lifecycle::Lifecycle;
use crate::queue::{MemoryQueue, Queue, QueueConfig};
use crate::retry::{ExponentialBackoffRetry, RetryConfig, Throttle};
use crate::spec::ExporterSpec;
use crate::telemetry::{ExporterStats, register_client};
use otlp_protocol::Signal;
use otlp_transport::{BoxAttempt, Clock};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The exporters of a gateway, and the ways to them that pipelines use.
pub(super) struct Destinations {
    exporters: HashMap<String, Exporter>,
    /// One for each exporter and signal, shared by the pipelines that name it.
    known: HashMap<(String, Signal), Destination>,
}

struct Exporter {
    client: BoxAttempt,
    queue: QueueConfig,
    retry: RetryConfig,
    endpoints: Vec<(Signal, String)>,
    /// What is known of each endpoint.
    targets: HashMap<String, Target>,
}

/// What the signals share that are sent to one endpoint.
#[derive(Clone)]
struct Target {
    throttle: Arc<Throttle>,
    reachability: Arc<Reachability>,
}

/// An exporter or an extension that is stopped with its gateway.
pub(super) struct Started(Lifecycle);

// === impl Destinations ===

impl Destinations {
    /// Starts the exporters.
    pub(super) async fn start(gateway: &mut Gateway, specs: Vec<ExporterSpec>) -> Result<Self, StartError> {
        let mut exporters = HashMap::new();
        for spec in specs {
            let ExporterSpec { id, client, stats, endpoints, queue, retry, lifecycle, .. } = spec;
            if let Some(lifecycle) = lifecycle {
                gateway.exporters.push(Started::start(&id, lifecycle).await?);
            }
            if let Some(stats) = &stats {
                gateway.registrations.extend(register_client(&gateway.registry, &id, stats));
            }
            let targets = targets(gateway, &id, &endpoints);
            exporters.insert(id, Exporter { client, queue, retry, endpoints, targets });
        }
        Ok(Self { exporters, known: HashMap::new() })
    }

    /// An exporter's way for a signal, made when the first pipeline needs it; `account` is the pipeline's.
    pub(super) fn get(
        &mut self,
        gateway: &mut Gateway,
        id: &str,
        signal: Signal,
        account: Arc<Account>,
    ) -> Option<Destination> {
        let key = (id.to_owned(), signal);
        if let Some(known) = self.known.get(&key) {
            return Some(known.with_account(account));
        }
        let made = self.exporters.get(id)?.destination(gateway, id, signal, account.clone())?;
        let own = made.with_account(account);
        self.known.insert(key, made);
        Some(own)
    }
}

/// A throttle and a health check for each endpoint of an exporter.
fn targets(gateway: &mut Gateway, id: &str, endpoints: &[(Signal, String)]) -> HashMap<String, Target> {
    let mut endpoints: Vec<_> = endpoints.iter().map(|(_, endpoint)| endpoint.clone()).collect();
    endpoints.sort_unstable();
    endpoints.dedup();
    if endpoints.is_empty() {
        endpoints.push(String::new());
    }
    let several = endpoints.len() > 1;
    let mut target = |endpoint: String| {
        let check = if several { format!("exporter/{id} ({endpoint})") } else { format!("exporter/{id}") };
        let throttle = Arc::new(Throttle::new(gateway.context.clock.now()));
        let reachability = Arc::new(Reachability::default());
        gateway.show_checked(NetworkHealthCheck::new(check, reachability.clone()));
        (endpoint, Target { throttle, reachability })
    };
    endpoints.into_iter().map(&mut target).collect()
}

// === impl Exporter ===

impl Exporter {
    fn destination(
        &self,
        gateway: &mut Gateway,
        id: &str,
        signal: Signal,
        account: Arc<Account>,
    ) -> Option<Destination> {
        let (endpoint, target) = self.target(signal)?;
        let (queue, clock) = (&self.queue, gateway.context.clock.clone());
        let end_to_end = queue.delivery() == Delivery::EndToEnd;
        let stats = ExporterStats::new(&gateway.registry, id, signal);
        let watch = Arc::new(Watch::new(id, signal, endpoint, end_to_end, clock.clone()));
        let Target { throttle, reachability } = target.clone();
        // Each attempt is timed, and tells health and log.
        let attempt = WatchedAttempt {
            client: self.client.clone(),
            clock: clock.clone(),
            reachability,
            stats: stats.clone(),
            watch: watch.clone(),
        };
        // What failed and may succeed later is tried again.
        let mut retry =
            ExponentialBackoffRetry::new(self.retry.clone(), clock.clone(), attempt).with_throttle(throttle);
        if end_to_end {
            retry = retry.with_max_first_wait(MAX_SENDER_WAIT);
        }
        // What has been settled is counted once.
        let outlet = SignalExporter { retry, stats: stats.clone(), watch: watch.clone() };
        if !queue.enabled {
            return Some(Destination::direct(account, outlet));
        }
        // A queue takes what comes in faster than it leaves.
        let queue = MemoryQueue::start(queue.clone(), stats, outlet, clock);
        gateway.registrations.extend(queue.register(&gateway.registry, id, signal));
        queue.tell(watch.clone());
        let shown = Arc::downgrade(&queue);
        watch.observe_queue(move || shown.upgrade().map_or(0, |queue| queue.len()));
        gateway.queues.push(queue.clone());
        Some(Destination::queued(account, queue))
    }

    /// Where a signal is sent.
    fn target(&self, signal: Signal) -> Option<(&str, &Target)> {
        let own = self.endpoints.iter().find(|(known, _)| *known == signal);
        let endpoint = own.or(self.endpoints.first()).map_or("", |(_, endpoint)| endpoint);
        Some((endpoint, self.targets.get(endpoint)?))
    }
}

// === impl Started ===

impl Started {
    /// Starts the component of that id.
    pub(super) async fn start(id: &str, lifecycle: Lifecycle) -> Result<Self, StartError> {
        let started = lifecycle.start().await;
        started.map_err(|source| StartError::Component { component: id.into(), source })?;
        Ok(Self(lifecycle))
    }

    /// Flushes and stops the component; each is cut off at `deadline`, and begun in any case.
    pub(super) async fn finish(&self, clock: &dyn Clock, deadline: Instant) {
        for step in [self.0.flush(), self.0.stop()] {
            tokio::select! {
                biased;
                () = step => {}
                () = clock.sleep_until(deadline) => {}
            }
        }
    }
}

/// A sender that waits for the answer waits no longer than this for a delay that others caused; a client's own time
/// limit is 10 s by default.
const MAX_SENDER_WAIT: Duration = Duration::from_secs(5);
