//! Exporters, and the way of each signal to one: queue → retry → attempt.

use super::StartError;
use super::shared::{Managed, Shared};
use crate::batch::AttemptFeedback;
use crate::dead_letter::DeadLetter;
use crate::exporter::{SignalExporter, Watch, WatchedAttempt};
use crate::fanout::{Delivery, Destination};
use crate::health::{Affects, HealthCheckConfig, HealthEntry, NetworkHealthCheck, Reachability};
use crate::ledger::{Account, Hop, Ledger};
use crate::queue::{DiskQueue, MemoryQueue, Queue, QueueConfig, StorageCheck, register_queue};
use crate::retry::{ExponentialBackoffRetry, RetryConfig, Throttle};
use crate::spec::{ExporterSpec, Fingerprint};
use crate::telemetry::{ExporterStats, Registration, register_client};
use otlp_protocol::Signal;
use otlp_transport::BoxAttempt;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A running exporter, shared by the pipelines that name it.
pub(super) struct Exporter {
    pub(super) id: String,
    pub(super) settings: Option<Fingerprint>,
    /// If the exporter is started and stopped.
    pub(super) managed: Option<Arc<Managed>>,
    client: BoxAttempt,
    queue: QueueConfig,
    retry: RetryConfig,
    dead_letter: Option<DeadLetter>,
    endpoints: Vec<(Signal, String)>,
    /// State of each endpoint.
    targets: HashMap<String, Target>,
    shown: Mutex<Shown>,
    _metrics: Vec<Registration>,
}

/// The health checks of an exporter's endpoints.
#[derive(Default)]
struct Shown {
    /// Empty until the exporter is in use.
    checks: Vec<HealthEntry>,
    /// Settings of the connections that the checks open.
    connect: Option<HealthCheckConfig>,
}

/// State that the signals share which are sent to one endpoint.
#[derive(Clone)]
struct Target {
    /// Name of the health check.
    check: String,
    throttle: Arc<Throttle>,
    reachability: Arc<Reachability>,
}

/// The way of a signal to an exporter.
pub(super) struct Way {
    pub(super) serial: u64,
    pub(super) delivery: Delivery,
    pub(super) queue: Option<Arc<dyn Queue>>,
    /// The check of the queue's files, if the queue is on disk.
    pub(super) storage: Option<StorageCheck>,
    /// Counts nowhere.
    destination: Destination,
    _metrics: Vec<Registration>,
}

// === impl Exporter ===

impl Exporter {
    /// Starts an exporter.
    pub(super) async fn start(shared: &Shared, spec: ExporterSpec) -> Result<Self, StartError> {
        let dead_letter = dead_letter(shared, &spec).await?;
        let ExporterSpec { id, client, stats, endpoints, queue, retry, lifecycle, settings, .. } = spec;
        let managed = match lifecycle {
            Some(lifecycle) => Some(Managed::start(&id, lifecycle).await?),
            None => None,
        };
        let stats = stats.as_ref();
        let metrics = stats.map(|stats| register_client(&shared.registry, &id, stats)).unwrap_or_default();
        let targets = targets(shared, &id, &endpoints);
        Ok(Self {
            id,
            settings,
            managed,
            client,
            queue,
            retry,
            dead_letter,
            endpoints,
            targets,
            shown: Mutex::default(),
            _metrics: metrics,
        })
    }

    /// Shows in the gateway's health what the exporter's endpoints are like, until [`hide`](Self::hide). With `connect` the checks
    /// open connections while no attempts are made.
    pub(super) fn show(&self, shared: &Shared, connect: Option<&HealthCheckConfig>) {
        let mut shown = self.shown.lock();
        if !shown.checks.is_empty() && shown.connect.as_ref() == connect {
            return;
        }
        *shown = Shown { checks: Vec::new(), connect: connect.cloned() };
        let mut targets: Vec<_> = self.targets.iter().collect();
        targets.sort_by(|(_, one), (_, other)| one.check.cmp(&other.check));
        shown
            .checks
            .extend(targets.into_iter().map(|(endpoint, target)| target.show(endpoint, shared, connect)));
    }

    pub(super) fn hide(&self) {
        drop(std::mem::take(&mut *self.shown.lock()));
    }

    /// Makes the way of a signal; `None` if the exporter has no endpoint for the signal.
    ///
    /// # Errors
    /// If the files of the queue cannot be opened.
    pub(super) fn way(&self, shared: &Shared, signal: Signal) -> Result<Option<Way>, StartError> {
        let Some((endpoint, target)) = self.target(signal) else { return Ok(None) };
        let (id, queue, clock) = (&self.id, &self.queue, shared.clock());
        let end_to_end = queue.delivery() == Delivery::EndToEnd;
        let stats = ExporterStats::new(&shared.registry, id, signal);
        let watch = Arc::new(Watch::new(id, signal, endpoint, end_to_end, clock.clone()));
        let Target { throttle, reachability, .. } = target.clone();
        let feedback = AttemptFeedback::new();
        // Each attempt is timed, and tells health, log and adaptive batch processors.
        let attempt = WatchedAttempt {
            client: self.client.clone(),
            clock: clock.clone(),
            reachability,
            stats: stats.clone(),
            feedback: feedback.clone(),
            watch: watch.clone(),
            spans: shared.spans.clone(),
        };
        // What failed and may succeed later is tried again.
        let mut retry =
            ExponentialBackoffRetry::new(self.retry.clone(), clock.clone(), attempt).with_throttle(throttle);
        if end_to_end {
            retry = retry.with_max_first_wait(MAX_SENDER_WAIT);
        }
        // What is lost for good is kept in files.
        if let Some(dead_letter) = &self.dead_letter {
            retry = retry.with_lost(dead_letter.of_signal(&shared.registry, signal));
        }
        // What has been settled is counted once.
        let outlet =
            SignalExporter { retry, stats: stats.clone(), watch: watch.clone(), spans: shared.spans.clone() };
        let (serial, delivery) = (shared.serial(), queue.delivery());
        let nowhere = Ledger::new().account("", "");
        if !queue.enabled {
            let destination = Destination::direct(nowhere, outlet).with_feedback(feedback);
            let (queue, storage) = (None, None);
            return Ok(Some(Way { serial, delivery, queue, storage, destination, _metrics: Vec::new() }));
        }
        // A queue takes what comes in faster than it leaves.
        let labels = [("exporter", &**id), ("data_type", signal.name)];
        let (queue, storage, joined): (Arc<dyn Queue>, _, _) = match &queue.storage {
            None => {
                let started = MemoryQueue::start(queue.clone(), stats, outlet, clock);
                started.tell(watch.clone());
                let joined = started.register_joined(&shared.registry, &labels);
                (started, None, joined)
            }
            Some(storage) => {
                let (ledger, exporter) = (shared.ledger.clone(), id.clone());
                let hops = Arc::new(move |pipeline: &str| Hop::of([ledger.account(pipeline, &exporter)]));
                let directory = storage.directory_of(id, signal);
                let opened = DiskQueue::open(
                    &shared.stores,
                    &shared.context,
                    &directory,
                    queue.clone(),
                    hops,
                    stats,
                    outlet,
                );
                let opened =
                    opened.map_err(|source| StartError::Queue { exporter: id.clone(), directory, source })?;
                opened.tell(watch.clone());
                opened.register_files(&shared.registry, &labels);
                let check = opened.check(format!("storage/{id}/{}", signal.name));
                let joined = opened.register_joined(&shared.registry, &labels);
                (opened, Some(check), joined)
            }
        };
        let metrics = register_queue(&queue, &shared.registry, &labels).into_iter().chain(joined).collect();
        let shown = Arc::downgrade(&queue);
        watch.observe_queue(move || shown.upgrade().map_or(0, |queue| queue.len()));
        let destination = Destination::queued(nowhere, queue.clone()).with_feedback(feedback);
        Ok(Some(Way { serial, delivery, queue: Some(queue), storage, destination, _metrics: metrics }))
    }

    /// The endpoint of a signal.
    fn target(&self, signal: Signal) -> Option<(&str, &Target)> {
        let own = self.endpoints.iter().find(|(known, _)| *known == signal);
        let endpoint = own.or(self.endpoints.first()).map_or("", |(_, endpoint)| endpoint);
        Some((endpoint, self.targets.get(endpoint)?))
    }
}

// === impl Target ===

impl Target {
    fn show(&self, endpoint: &str, shared: &Shared, connect: Option<&HealthCheckConfig>) -> HealthEntry {
        let Self { check, reachability, .. } = self;
        let check = NetworkHealthCheck::of_attempts(check.clone(), endpoint.into(), reachability.clone());
        let (context, health) = (&shared.context, &shared.health);
        // A proxy may be the only way to the destination.
        let is_direct = context.proxies.http_proxy.is_empty() && context.proxies.https_proxy.is_empty();
        match connect.filter(|_| is_direct && !endpoint.is_empty()) {
            None => health.add(check),
            Some(config) => {
                let task = check.connect_when_idle(context.net.clone(), config, context.clock.clone());
                health.add_with_task(check, Affects::Readiness, task)
            }
        }
    }
}

/// The dead letter of an exporter, if the exporter has one. End to end there is none: senders keep what is not delivered.
async fn dead_letter(shared: &Shared, spec: &ExporterSpec) -> Result<Option<DeadLetter>, StartError> {
    let config = spec.dead_letter.clone().filter(|_| spec.queue.delivery() != Delivery::EndToEnd);
    let Some(config) = config else { return Ok(None) };
    let disk = shared.context.disk.clone();
    let opened = DeadLetter::open(&spec.id, config, disk, shared.clock(), &shared.registry).await;
    let failed = |error: String| StartError::Component { component: spec.id.clone(), source: error.into() };
    opened.map(Some).map_err(failed)
}

/// A throttle and a health check for each endpoint of an exporter.
fn targets(shared: &Shared, id: &str, endpoints: &[(Signal, String)]) -> HashMap<String, Target> {
    let mut endpoints: Vec<_> = endpoints.iter().map(|(_, endpoint)| endpoint.clone()).collect();
    endpoints.sort_unstable();
    endpoints.dedup();
    if endpoints.is_empty() {
        endpoints.push(String::new());
    }
    let several = endpoints.len() > 1;
    let target = |endpoint: String| {
        let check = if several { format!("exporter/{id} ({endpoint})") } else { format!("exporter/{id}") };
        let throttle = Arc::new(Throttle::new(shared.context.clock.now()));
        (endpoint, Target { check, throttle, reachability: Arc::default() })
    };
    endpoints.into_iter().map(target).collect()
}

// === impl Way ===

impl Way {
    /// The destination as a pipeline has it that counts in `account`.
    pub(super) fn destination(&self, account: Arc<Account>) -> Destination {
        self.destination.with_account(account)
    }
}

/// A sender that waits for the answer waits no longer than this for a delay that others caused; a client's own time
/// limit is 10 s by default.
const MAX_SENDER_WAIT: Duration = Duration::from_secs(5);
