//! Own metrics, logs and traces on their way to the destinations of `service.telemetry`: an extension of the gateway, which
//! starts before and stops after all other components, so that the last push has the totals of the drain.

use crate::config::problem::Problem;
use crate::config::telemetry::{
    OwnDestination, OwnExporterPlan, OwnTelemetry, ProcessorPlan, ReaderPlan, SpansPlan,
};
use crate::logging::{Attached, LogExport, LogLine, Unexported};
use crate::output::Output;
use crate::own_addresses::{OwnAddresses, Place};
use otlp_protocol::AttributeValue;
use otlp_service::{
    BoxError, DebugConfig, DebugExporter, DebugFormat, ExponentialBackoffRetry, Extension, ExtensionSpec,
    KeyValueStores, MetricsReader, MetricsReaderConfig, OwnQueue, OwnQueueConfig, OwnResource, OwnSender,
    OwnSpan, OwnSpans, Recording, Registry, RetryConfig, Sampler, Temporality,
};
use otlp_transport::{BoxAttempt, BoxExport, Clock, TransportContext};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Sources of own telemetry, and what else lives as long as the process.
#[derive(Clone)]
pub(crate) struct OwnSources {
    /// Own metrics.
    pub(crate) registry: Registry,
    /// Own spans.
    pub(crate) spans: OwnSpans,
    /// Lines of the log.
    pub(crate) logs: LogExport,
    /// The stored states of components that are open: those of a reload find those of the components before.
    pub(crate) stores: KeyValueStores,
}

/// Destinations of one configuration, and the tasks that send to them.
struct OwnTelemetryTasks {
    sources: OwnSources,
    clock: Arc<dyn Clock>,
    /// Attributes of the resource that the file has.
    resource: Vec<(String, Option<AttributeValue>)>,
    readers: Vec<(MetricsReaderConfig, Destination)>,
    log_processors: Vec<(OwnQueueConfig, Destination)>,
    spans: Option<Spans>,
    running: Mutex<Option<Running>>,
}

/// A destination of own telemetry.
#[derive(Clone)]
struct Destination {
    export: BoxExport,
    /// True for a receiver of this gateway.
    is_own: bool,
}

/// Destinations of spans.
struct Spans {
    sampler: Sampler,
    is_propagated: bool,
    processors: Vec<(OwnQueueConfig, Destination)>,
}

/// Running tasks. Sources are detached before the queues are closed.
struct Running {
    attached: Option<Attached>,
    recording: Option<Recording>,
    /// Senders, and true for those that send to this gateway.
    senders: Vec<(OwnSender, bool)>,
    readers: Vec<MetricsReader>,
}

// === impl OwnSources ===

impl OwnSources {
    /// Makes sources for a process with this context.
    pub(crate) fn new(context: &TransportContext, logs: LogExport) -> Self {
        let (registry, spans) = (Registry::new(), OwnSpans::of(context));
        let stores = KeyValueStores::new(context, &registry);
        Self { registry, spans, logs, stores }
    }

    /// Returns the attributes of the resource. The defaults are those of `target_info`.
    fn resource(&self, given: &[(String, Option<AttributeValue>)]) -> OwnResource {
        let metrics = self.registry.snapshot();
        let info = metrics.families.iter().find(|family| family.name == "target_info");
        let labels = info.and_then(|info| Some(&info.samples.first()?.labels));
        let instance = labels.and_then(|labels| labels.iter().find(|(key, _)| *key == "service_instance_id"));
        let instance = instance.map_or("", |(_, id)| id);
        let defaults = [
            ("service.name", "otlp"),
            ("service.version", env!("CARGO_PKG_VERSION")),
            ("service.instance.id", instance),
        ];
        let defaults = defaults.map(|(key, value)| (key.to_owned(), Some(AttributeValue::string(value))));
        let mut all: Vec<(String, Option<AttributeValue>)> = Vec::new();
        for (key, value) in defaults.into_iter().chain(given.iter().cloned()) {
            match all.iter_mut().find(|(known, _)| *known == key) {
                Some((_, known)) => *known = value,
                None => all.push((key, value)),
            }
        }
        all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

/// Makes the extension that sends own telemetry. Opens no connection. `None` if nothing is to be sent. `listeners` are the
/// addresses of this gateway's receivers.
///
/// # Errors
/// If a destination cannot be used.
pub(crate) fn extension(
    plan: OwnTelemetry,
    context: &TransportContext,
    sources: &OwnSources,
    listeners: &[Place],
) -> Result<Option<ExtensionSpec>, Problem> {
    if plan.is_unsent() {
        return Ok(None);
    }
    let OwnTelemetry { readers, log_processors, spans, resource, settings, .. } = plan;
    let making = Making { context, sources, listeners, own: OwnAddresses::of_machine() };
    let spans = spans.map(|SpansPlan { sampler, is_propagated, processors }| {
        Ok(Spans { sampler, is_propagated, processors: making.processors(processors)? })
    });
    let tasks = OwnTelemetryTasks {
        resource,
        readers: readers.into_iter().map(|reader| making.reader(reader)).collect::<Result<_, _>>()?,
        log_processors: making.processors(log_processors)?,
        spans: spans.transpose()?,
        clock: context.clock.clone(),
        sources: sources.clone(),
        running: Mutex::new(None),
    };
    let spec = ExtensionSpec::new(ID, tasks);
    Ok(Some(ExtensionSpec { settings, ..spec }))
}

/// Makes clients.
struct Making<'a> {
    context: &'a TransportContext,
    sources: &'a OwnSources,
    listeners: &'a [Place],
    own: OwnAddresses,
}

// === impl Making ===

impl Making<'_> {
    fn reader(&self, plan: ReaderPlan) -> Result<(MetricsReaderConfig, Destination), Problem> {
        let ReaderPlan { interval, timeout, level, exporter } = plan;
        let mut config = MetricsReaderConfig::default();
        (config.interval, config.timeout, config.level) = (interval, timeout, level);
        if exporter.is_delta {
            config.temporality = Temporality::Delta;
        }
        Ok((config, self.export(exporter, timeout)?))
    }

    fn processors(&self, plans: Vec<ProcessorPlan>) -> Result<Vec<(OwnQueueConfig, Destination)>, Problem> {
        let make = |ProcessorPlan { queue, export_timeout, exporter }| {
            Ok((queue, self.export(exporter, export_timeout)?))
        };
        plans.into_iter().map(make).collect()
    }

    /// True if a receiver of this gateway listens there.
    fn is_own(&self, place: &Place) -> bool {
        self.listeners.iter().any(|listener| self.own.reaches(place, listener))
    }

    /// Makes an export to a destination, with retries. What it sends is marked as own telemetry, and what it logs is not sent.
    fn export(&self, plan: OwnExporterPlan, timeout: Duration) -> Result<Destination, Problem> {
        let place = plan.server().and_then(|server| Place::of(server.url()));
        let is_own = place.is_some_and(|place| self.is_own(&place));
        let attempt = match &plan.destination {
            OwnDestination::Otlp(protocol, config) => {
                let client = protocol.strategy().client(self.context, (**config).clone());
                client.map_err(|error| plan.wrong(&error))?.into_attempt()
            }
            OwnDestination::Console => {
                let mut config = DebugConfig::default();
                config.format = DebugFormat::Json;
                let clock = self.context.clock.clone();
                BoxAttempt::new(DebugExporter::new(config, clock, Output::stdout()))
            }
        };
        let mut retry = RetryConfig::default();
        retry.initial_interval = FIRST_RETRY;
        retry.max_elapsed_time = Some(timeout);
        let retry = ExponentialBackoffRetry::new(retry, self.context.clock.clone(), attempt);
        Ok(Destination { export: self.sources.spans.mark(Unexported(retry)), is_own })
    }
}

// === impl OwnTelemetryTasks ===

impl OwnTelemetryTasks {
    fn run(&self) -> Running {
        let OwnSources { registry, spans, logs, .. } = &self.sources;
        let resource = self.sources.resource(&self.resource);
        let mut senders = Vec::new();
        let mut queues = Vec::new();
        for (config, Destination { export, is_own }) in &self.log_processors {
            let queue = OwnQueue::<Arc<LogLine>>::new(config.clone(), registry);
            senders.push((queue.start(resource.clone(), export.clone(), self.clock.clone()), *is_own));
            queues.push(queue);
        }
        let attached = (!queues.is_empty()).then(|| logs.attach(queues));
        let recording = self.spans.as_ref().map(|Spans { sampler, is_propagated, processors }| {
            let mut queues = Vec::new();
            for (config, Destination { export, is_own }) in processors {
                let queue = OwnQueue::<Arc<OwnSpan>>::new(config.clone(), registry);
                senders.push((queue.start(resource.clone(), export.clone(), self.clock.clone()), *is_own));
                queues.push(queue);
            }
            spans.record(sampler.clone(), *is_propagated, queues)
        });
        let readers = self.readers.iter().map(|(config, Destination { export, .. })| {
            let resource = resource.to_vec();
            MetricsReader::start(
                registry.clone(),
                config.clone(),
                resource,
                export.clone(),
                self.clock.clone(),
            )
        });
        Running { attached, recording, readers: readers.collect(), senders }
    }
}

impl Extension for OwnTelemetryTasks {
    async fn start(&self) -> Result<(), BoxError> {
        *self.running.lock() = Some(self.run());
        Ok(())
    }

    async fn stop(&self) {
        let running = self.running.lock().take();
        let Some(Running { attached, recording, senders, readers }) = running else { return };
        drop((attached, recording));
        // Metrics go last: they count the spans and log records that were sent. A destination that hangs must not cost the last push
        // to another.
        let mut draining = JoinSet::new();
        for (sender, is_own) in senders {
            let clock = self.clock.clone();
            draining.spawn(async move {
                tokio::select! {
                    biased;
                    () = sender.drain() => {}
                    () = clock.sleep(OWN_TIME), if is_own => {}
                }
            });
        }
        tokio::select! {
            biased;
            () = async { while draining.join_next().await.is_some() {} } => {}
            () = self.clock.sleep(HEAD_START) => {}
        }
        for (reader, (config, destination)) in readers.into_iter().zip(&self.readers) {
            let timeout = if destination.is_own { config.timeout.min(OWN_TIME) } else { config.timeout };
            draining.spawn(reader.drain(self.clock.now() + timeout));
        }
        while draining.join_next().await.is_some() {}
    }
}

/// The extension's id, in texts of changes.
const ID: &str = "service.telemetry";
/// Time that spans and log records have before the last push of metrics.
const HEAD_START: Duration = Duration::from_millis(500);
/// Time for the last requests to this gateway itself: enough at a reload; at the end of the process its receivers are closed.
const OWN_TIME: Duration = Duration::from_millis(500);
const FIRST_RETRY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
