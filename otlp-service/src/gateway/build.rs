//! From a spec to what runs.

use super::inlet::{Inlet, PipelineEntry};
use super::readiness::{Readiness, ReadinessCheck};
use super::{Gateway, StartError, pages};
use crate::batch::BatchProcessor;
use crate::component::Processor;
use crate::exporter::{Outlet, Watch, WatchedAttempt};
use crate::fanout::{Destination, FanOut};
use crate::health::{HealthChecker, NetworkHealthCheck, Reachability};
use crate::ledger::{Account, Hop, Ledger};
use crate::processor::{ProcessorChain, ResourceKeys};
use crate::queue::{MemoryQueue, Queue, QueueConfig};
use crate::retry::{ExponentialBackoffRetry, RetryConfig, Throttle};
use crate::spec::{ExporterSpec, GatewaySpec, PipelineSpec, ReceiverSpec, ServerSpec};
use crate::telemetry::{
    BatchStats, ExporterStats, MemoryStats, MetricKind, ProcessorStats, ReceiverStats, Registry,
    register_certificates, register_client, register_process, register_server,
};
use otlp_protocol::{HopId, Signal};
use otlp_transport::{BoxAttempt, BoxExport, ReloadStats, Routes, TransportContext};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What is built so far.
struct Builder {
    context: TransportContext,
    ledger: Ledger,
    registry: Registry,
    health: HealthChecker,
    exporters: HashMap<String, Exporter>,
    /// One for each exporter and signal, shared by the pipelines that name it.
    destinations: HashMap<(String, Signal), Destination>,
    entries: Vec<(PipelineSpec, PipelineEntry)>,
    batchers: Vec<Arc<BatchProcessor>>,
    fanouts: Vec<FanOut>,
    queues: Vec<Arc<dyn Queue>>,
    /// By signal, shared by all receivers.
    memory: HashMap<Signal, MemoryStats>,
}

struct Exporter {
    client: BoxAttempt,
    queue: QueueConfig,
    retry: RetryConfig,
    endpoints: Vec<(Signal, String)>,
    /// What is known of each endpoint, made when the first signal is sent there.
    targets: HashMap<String, Target>,
}

/// What the signals share that are sent to one endpoint.
#[derive(Clone)]
struct Target {
    throttle: Arc<Throttle>,
    reachability: Arc<Reachability>,
}

pub(super) async fn start(context: TransportContext, spec: GatewaySpec) -> Result<Gateway, StartError> {
    let GatewaySpec { receivers, exporters, pipelines, metrics_endpoint, health, dropped_lines } = spec;
    check_ids(&receivers, &exporters, &pipelines)?;
    let readiness = Arc::new(Readiness::default());
    let mut builder = Builder::new(context);
    builder.health.add(ReadinessCheck(readiness.clone()));
    register_dropped_lines(&builder.registry, dropped_lines);
    exporters.into_iter().for_each(|exporter| builder.exporter(exporter));
    for pipeline in pipelines {
        builder.pipeline(pipeline)?;
    }
    let mut pages = Vec::new();
    if let Some(endpoint) = &metrics_endpoint {
        pages.push((
            "metrics",
            pages::serve_metrics(&builder.context, endpoint, builder.registry.clone()).await?,
        ));
    }
    for spec in &health {
        pages.push(("health", pages::serve_health(&builder.context, spec, builder.health.clone()).await?));
    }
    let mut servers = Vec::new();
    for ReceiverSpec { id, servers: specs } in receivers {
        let hop = HopId::random();
        for mut spec in specs {
            spec.config.hop = hop;
            let name = format!("{id}/{}", spec.strategy.name());
            servers.push((name.clone(), builder.server(&id, name, spec).await?));
        }
    }
    readiness.ready();
    let Builder { context, ledger, registry, health, batchers, fanouts, queues, .. } = builder;
    let clock = context.clock;
    Ok(Gateway { clock, ledger, registry, health, readiness, servers, pages, batchers, fanouts, queues })
}

/// Ids are unique, and pipelines name only what is there.
fn check_ids(
    receivers: &[ReceiverSpec],
    exporters: &[ExporterSpec],
    pipelines: &[PipelineSpec],
) -> Result<(), StartError> {
    let receivers = unique("receiver", receivers.iter().map(|receiver| &*receiver.id))?;
    let exporters = unique("exporter", exporters.iter().map(|exporter| &*exporter.id))?;
    unique("pipeline", pipelines.iter().map(|pipeline| &*pipeline.id))?;
    for PipelineSpec { id: pipeline, receivers: named_receivers, exporters: named_exporters, .. } in pipelines
    {
        if named_exporters.is_empty() {
            return Err(StartError::NoExporter { pipeline: pipeline.clone() });
        }
        if let Err(StartError::Duplicate { kind, id }) =
            unique("exporter", named_exporters.iter().map(|id| &**id))
        {
            return Err(StartError::Repeated { pipeline: pipeline.clone(), kind, id });
        }
        for (kind, named, known) in
            [("receiver", named_receivers, &receivers), ("exporter", named_exporters, &exporters)]
        {
            if let Some(id) = named.iter().find(|id| !known.contains(id.as_str())) {
                return Err(StartError::Unknown { pipeline: pipeline.clone(), kind, id: id.clone() });
            }
        }
    }
    Ok(())
}

fn unique<'a>(
    kind: &'static str,
    ids: impl Iterator<Item = &'a str>,
) -> Result<HashSet<&'a str>, StartError> {
    let mut seen = HashSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(StartError::Duplicate { kind, id: id.into() });
        }
    }
    Ok(seen)
}

// === impl Builder ===

impl Builder {
    fn new(context: TransportContext) -> Self {
        let registry = Registry::new();
        register_process(&registry, &context.clock);
        register_budget(&registry, &context);
        register_reloads(&registry, &context);
        register_certificates(&registry, &context);
        Self {
            context,
            ledger: Ledger::new(),
            registry,
            health: HealthChecker::new(),
            exporters: HashMap::new(),
            destinations: HashMap::new(),
            entries: Vec::new(),
            batchers: Vec::new(),
            fanouts: Vec::new(),
            queues: Vec::new(),
            memory: HashMap::new(),
        }
    }

    fn exporter(&mut self, spec: ExporterSpec) {
        let ExporterSpec { id, client, stats, endpoints, queue, retry } = spec;
        if let Some(stats) = &stats {
            register_client(&self.registry, &id, stats);
        }
        let mut exporter = Exporter { client, queue, retry, endpoints, targets: HashMap::new() };
        let mut endpoints: Vec<_> = exporter.endpoints.iter().map(|(_, endpoint)| endpoint.clone()).collect();
        endpoints.sort_unstable();
        endpoints.dedup();
        for endpoint in &endpoints {
            let check = match endpoints.len() {
                1 => format!("exporter/{id}"),
                _ => format!("exporter/{id} ({endpoint})"),
            };
            exporter.targets.insert(endpoint.clone(), self.target(check));
        }
        if endpoints.is_empty() {
            exporter.targets.insert(String::new(), self.target(format!("exporter/{id}")));
        }
        self.exporters.insert(id, exporter);
    }

    /// A new target, with a health check of that name.
    fn target(&self, check: String) -> Target {
        let throttle = Arc::new(Throttle::new(self.context.clock.now()));
        let reachability = Arc::new(Reachability::default());
        self.health.add(NetworkHealthCheck::new(check, reachability.clone()));
        Target { throttle, reachability }
    }

    fn pipeline(&mut self, spec: PipelineSpec) -> Result<(), StartError> {
        let mut destinations = Vec::new();
        for id in &spec.exporters {
            let unknown =
                || StartError::Unknown { pipeline: spec.id.clone(), kind: "exporter", id: id.clone() };
            let account = self.ledger.account(&spec.id, id);
            account.register(&self.registry);
            destinations.push(self.destination(id, spec.signal, account).ok_or_else(unknown)?);
        }
        let fanout = FanOut::new(destinations, self.context.clock.clone());
        self.fanouts.push(fanout.clone());
        let last = match &spec.batch {
            None => PipelineEntry::FanOut(fanout.clone()),
            Some((id, config)) => {
                let stats = BatchStats::new(&self.registry, id, &spec.id, spec.signal);
                let clock = self.context.clock.clone();
                let batcher = Arc::new(BatchProcessor::start_before(config.clone(), &fanout, clock, stats));
                self.batchers.push(batcher.clone());
                PipelineEntry::Batch(batcher)
            }
        };
        let entry = self.processors(&spec, last, fanout.hop().clone());
        self.entries.push((spec, entry));
        Ok(())
    }

    /// The processors of a pipeline in front of its last part.
    fn processors(&self, spec: &PipelineSpec, last: PipelineEntry, hop: Hop) -> PipelineEntry {
        let own = spec.processors.iter().map(|(id, processor)| {
            let stats = ProcessorStats::new(&self.registry, id, &spec.id, spec.signal);
            (id.clone(), processor.clone(), stats)
        });
        let cutting = spec.batch.as_ref().filter(|(_, config)| !config.resource_keys.is_empty());
        // It counts with the batch processor that it works for.
        let cutting = cutting.map(|(id, config)| {
            let cut = ResourceKeys::new(config.resource_keys.clone(), config.metadata_cardinality_limit);
            (id.clone(), Arc::new(cut) as Arc<dyn Processor>, ProcessorStats::default())
        });
        let processors: Vec<_> = own.chain(cutting).collect();
        if processors.is_empty() {
            return last;
        }
        let clock = self.context.clock.clone();
        PipelineEntry::Processors(ProcessorChain::new(processors, BoxExport::new(last), hop, clock))
    }

    /// An exporter's way for a signal, made when the first pipeline needs it; `account` is the pipeline's.
    fn destination(&mut self, id: &str, signal: Signal, account: Arc<Account>) -> Option<Destination> {
        if let Some(known) = self.destinations.get(&(id.to_owned(), signal)) {
            return Some(known.with_account(account));
        }
        let exporter = self.exporters.get(id)?;
        let (endpoint, target) = exporter.target(signal)?;
        let (queue, clock) = (&exporter.queue, self.context.clock.clone());
        let end_to_end = !queue.enabled || queue.wait_for_result;
        let stats = ExporterStats::new(&self.registry, id, signal);
        let watch = Arc::new(Watch::new(id, signal, endpoint, end_to_end, clock.clone()));
        let Target { throttle, reachability } = target.clone();
        let attempt = WatchedAttempt {
            client: exporter.client.clone(),
            clock: clock.clone(),
            reachability,
            stats: stats.clone(),
            watch: watch.clone(),
        };
        let mut retry =
            ExponentialBackoffRetry::new(exporter.retry.clone(), clock, attempt).with_throttle(throttle);
        if end_to_end {
            retry = retry.with_max_first_wait(MAX_SENDER_WAIT);
        }
        let outlet = Outlet { retry, stats: stats.clone(), watch: watch.clone() };
        let destination = if queue.enabled {
            let queue = MemoryQueue::start(queue.clone(), stats, outlet, self.context.clock.clone());
            queue.register(&self.registry, id, signal);
            queue.tell(watch.clone());
            let shown = Arc::downgrade(&queue);
            watch.observe_queue(move || shown.upgrade().map_or(0, |queue| queue.len()));
            self.queues.push(queue.clone());
            Destination::queued(account.clone(), queue)
        } else {
            Destination::direct(account.clone(), outlet)
        };
        let own = destination.with_account(account);
        self.destinations.insert((id.to_owned(), signal), destination);
        Some(own)
    }

    /// A server of a receiver, for the signals of the pipelines that name it.
    async fn server(
        &mut self,
        receiver: &str,
        name: String,
        spec: ServerSpec,
    ) -> Result<otlp_transport::Server, StartError> {
        let ServerSpec { strategy, mut config, http_paths } = spec;
        receiver.clone_into(&mut config.name);
        let mut routes = Routes::new();
        for (signal, pipelines) in self.fed_by(receiver) {
            let memory = self.memory.entry(signal);
            let memory = memory.or_insert_with(|| MemoryStats::new(&self.registry, signal)).clone();
            let stats = ReceiverStats::new(&self.registry, receiver, strategy.name(), signal, memory);
            let inlet = BoxExport::new(Inlet { pipelines, stats });
            let path = http_paths.iter().find(|(known, _)| *known == signal).map(|(_, path)| path.clone());
            routes = match path {
                Some(path) => routes.with_path(signal, path, inlet),
                None => routes.with(signal, inlet),
            };
        }
        let endpoint = config.endpoint.clone();
        let server = strategy
            .bind(&self.context, config, routes)
            .await
            .map_err(|source| StartError::Bind { component: name, endpoint, source })?;
        register_server(&self.registry, receiver, strategy.name(), server.stats());
        Ok(server)
    }

    /// The pipelines that a receiver feeds, by signal.
    fn fed_by(&self, receiver: &str) -> Vec<(Signal, Vec<PipelineEntry>)> {
        let mut by_signal: Vec<(Signal, Vec<PipelineEntry>)> = Vec::new();
        for (spec, entry) in &self.entries {
            if !spec.receivers.iter().any(|id| id == receiver) {
                continue;
            }
            match by_signal.iter_mut().find(|(signal, _)| *signal == spec.signal) {
                Some((_, pipelines)) => pipelines.push(entry.clone()),
                None => by_signal.push((spec.signal, vec![entry.clone()])),
            }
        }
        by_signal
    }
}

// === impl Exporter ===

impl Exporter {
    /// Where a signal is sent.
    fn target(&self, signal: Signal) -> Option<(&str, &Target)> {
        let own = self.endpoints.iter().find(|(known, _)| *known == signal);
        let endpoint = own.or(self.endpoints.first()).map_or("", |(_, endpoint)| endpoint);
        Some((endpoint, self.targets.get(endpoint)?))
    }
}

/// A sender that waits for the answer waits no longer than this for a delay that others caused; a client's own time
/// limit is 10 s by default.
const MAX_SENDER_WAIT: Duration = Duration::from_secs(5);

fn register_budget(registry: &Registry, context: &TransportContext) {
    let budget = context.budget.clone();
    let gauge = |name, help, read: fn(&otlp_protocol::ByteBudget) -> u64, kind| {
        let budget = budget.clone();
        registry.observe(kind, name, help, &[], move || read(&budget) as f64);
    };
    let limit_help = "Bytes that bodies may pin.";
    gauge("otlp_memory_budget_limit", limit_help, |budget| budget.limit(), MetricKind::Gauge);
    gauge("otlp_memory_budget_used", "Bytes that bodies pin.", |budget| budget.used(), MetricKind::Gauge);
    let refusals_help = "Bodies refused because the memory budget was used up.";
    gauge("otlp_memory_budget_refusals", refusals_help, |budget| budget.refusals(), MetricKind::Counter);
}

fn register_reloads(registry: &Registry, context: &TransportContext) {
    let observe = |name, help, read: fn(&ReloadStats) -> &AtomicU64| {
        let stats = context.reloads.clone();
        registry.observe(MetricKind::Counter, name, help, &[], move || {
            read(&stats).load(Ordering::Relaxed) as f64
        });
    };
    observe("otlp_file_reloads", "Changed files that were taken into use.", |stats| &stats.reloads);
    let failures = "Changed files that could not be used.";
    observe("otlp_file_reload_failures", failures, |stats| &stats.reload_failures);
}

fn register_dropped_lines(registry: &Registry, streams: Vec<(&'static str, Arc<AtomicU64>)>) {
    let help = "Lines dropped because the stream was not read.";
    for (stream, lines) in streams {
        let read = move || lines.load(Ordering::Relaxed) as f64;
        let labels = [("stream", stream)];
        registry.observe(MetricKind::Counter, "otlp_process_dropped_lines", help, &labels, read);
    }
}
