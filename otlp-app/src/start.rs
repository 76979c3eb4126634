//! Makes the spec of a gateway from a plan.

use crate::auth::Authenticators;
use crate::config::plan::{ExporterPlan, Plan, ReceiverPlan, ServerPlan, StoragePlan};
use crate::config::problem::{Problem, Problems};
use crate::config::rules::Note;
use crate::config::source::Span;
use crate::config::{Lookup, files};
use crate::descriptors::max_connections;
use crate::host_disk::HostDisk;
use crate::memory::default_budget_bytes;
use crate::output::Output;
use crate::own_addresses::Place;
use crate::own_telemetry::{self, OwnSources};
use otlp_service::{
    ConnectorSpec, ExporterPart, ExtensionSpec, GatewaySpec, Kind, PipelineDelivery, ReceiverSpec,
    ServerSpec, StartError,
};
use otlp_transport::{Connections, ProxyConfig, TransportContext};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Makes the context of the gateway: time, network, connections and the memory budget.
pub(crate) fn context(plan: &Plan) -> TransportContext {
    let connections = Arc::new(Connections::new(max_connections()));
    let budget_bytes = plan.memory_limit_bytes.unwrap_or_else(default_budget_bytes);
    let disk = Arc::new(HostDisk);
    TransportContext { connections, disk, ..TransportContext::tcp(budget_bytes) }
}

/// Reads the proxies from the environment.
pub(crate) fn proxies(lookup: &dyn Lookup) -> Arc<ProxyConfig> {
    Arc::new(ProxyConfig::from_env(|name| lookup.env(name)))
}

/// Makes the spec: reads files and makes clients, but opens no port and no connection.
pub(crate) fn spec(
    plan: Plan,
    context: &TransportContext,
    sources: &OwnSources,
) -> Result<GatewaySpec, Problems> {
    let mut problems = Problems::default();
    files::check(&plan.files, &*context.disk, &mut problems);
    for StoragePlan { kind, storage, config } in &plan.storages {
        storage.bind(&sources.stores, config, *kind);
    }
    let mut auth = Authenticators::new(context, plan.auth);
    let mut exporters = Vec::with_capacity(plan.exporters.len());
    for (id, ExporterPlan { part, component, auth: named, storage, .. }) in plan.exporters {
        let ExporterPart { connect, endpoints, queue, retry, dead_letter, needs, .. } = part;
        let extensions = named.iter().flat_map(|named| auth.ids(named));
        let extensions = extensions.chain(storage.iter().map(|storage| storage.id.as_str()));
        let settings = plan.settings.with_extensions(Kind::Exporter, &id, extensions);
        let credentials = named.map(|named| auth.client(&named)).transpose();
        let wrong = |error| match &component {
            Some(component) => component.wrong(&error),
            None => Problem::new(error.problem),
        };
        match credentials.and_then(|credentials| connect(id, context, credentials).map_err(wrong)) {
            Ok(mut spec) => {
                (spec.endpoints, spec.queue, spec.retry, spec.needs) = (endpoints, queue, retry, needs);
                spec.dead_letter = dead_letter;
                spec.settings = settings;
                exporters.push(spec);
            }
            Err(problem) => problems.push_unless_placed(problem),
        }
    }
    let servers = plan.receivers.iter().flat_map(|(_, receiver)| &receiver.servers);
    let listeners: Vec<_> = servers.filter_map(|server| Place::of(&server.spec.config.endpoint)).collect();
    let mut receivers = Vec::with_capacity(plan.receivers.len());
    for (id, ReceiverPlan { servers, other }) in plan.receivers {
        let extensions = servers.iter().filter_map(|server| server.auth.as_ref());
        let extensions = extensions.flat_map(|named| auth.ids(named));
        let settings = plan.settings.with_extensions(Kind::Receiver, &id, extensions);
        if let Some(receiver) = other {
            receivers.push(ReceiverSpec { id, receiver, settings });
            continue;
        }
        let servers: Vec<_> = servers.into_iter().map(|plan| server(plan, context, &mut auth)).collect();
        match servers.into_iter().collect() {
            Ok(servers) => receivers.push(ReceiverSpec { settings, ..ReceiverSpec::otlp(id, servers) }),
            Err(problem) => problems.push_unless_placed(problem),
        }
    }
    let pages = plan.telemetry.pages.clone();
    let own = own_telemetry::extension(plan.telemetry, context, sources, &listeners);
    let own = own.map_err(|problem| problems.push_unless_placed(problem)).ok().flatten();
    if !problems.is_empty() {
        return Err(problems);
    }
    let connectors = plan.connectors.into_iter().map(|(id, connector)| {
        let settings = plan.settings.of(Kind::Connector, &id);
        ConnectorSpec { settings, ..ConnectorSpec::new(id, connector) }
    });
    let extensions = plan.extensions.into_iter().map(|(id, extension)| {
        let settings = plan.settings.of(Kind::Extension, &id);
        ExtensionSpec { id, extension, settings }
    });
    let mut pipelines = plan.pipelines;
    for stage in pipelines.iter_mut().flat_map(|pipeline| &mut pipeline.stages) {
        stage.settings = plan.settings.of(Kind::Processor, &stage.id);
    }
    let spec = GatewaySpec {
        // Also without a setting: a reload may have taken the setting away.
        memory_limit_bytes: Some(plan.memory_limit_bytes.unwrap_or_else(default_budget_bytes)),
        // Own telemetry stops after all others.
        extensions: own.into_iter().chain(extensions).collect(),
        receivers,
        connectors: connectors.collect(),
        exporters,
        pipelines,
        metrics_pages: pages,
        health: plan.health.probes,
        status: plan.health.status,
        health_checks: plan.health.checks,
        dropped_lines: dropped_lines(),
        registry: sources.registry.clone(),
        own_spans: sources.spans.clone(),
        ..GatewaySpec::default()
    };
    match spec.check() {
        Ok(()) => Ok(spec),
        Err(error) => Err(unconnected(&error, &plan.places).into()),
    }
}

/// Makes a note for each pipeline that answers while a component holds the data in memory, although an exporter behind the
/// component answers end to end.
pub(crate) fn admitting<'a>(
    spec: &GatewaySpec,
    places: &'a [(String, Span)],
) -> impl Iterator<Item = Note> + 'a {
    let deliveries = spec.deliveries().into_iter();
    deliveries.filter_map(|PipelineDelivery { pipeline, admitted_by, .. }| {
        let (_, span) = places.iter().find(|(id, _)| *id == pipeline)?;
        let text = format!(
            "{pipeline} answers before delivery: {} holds data in memory, which a crash loses, although an exporter behind it \
             answers end to end",
            admitted_by?
        );
        Some(Note { span: *span, text })
    })
}

/// Returns the counters of dropped lines, by stream.
fn dropped_lines() -> Vec<(&'static str, Arc<AtomicU64>)> {
    let files = Output::files().into_iter().map(|file| ("file", file));
    let streams = [("stderr", Output::stderr()), ("stdout", Output::stdout())];
    let all = streams.into_iter().chain(files);
    all.map(|(stream, output)| (stream, output.dropped_lines())).collect()
}

/// Turns an error in the connections of pipelines into a problem at the first pipeline that the error names.
fn unconnected(error: &StartError, places: &[(String, Span)]) -> Problem {
    let text = error.to_string();
    let concerned = places.iter().find(|(id, _)| text.split([' ', ':']).any(|word| word == id));
    match concerned {
        Some((_, span)) => Problem::at(*span, text),
        None => Problem::new(text),
    }
}

pub(crate) fn server(
    ServerPlan { mut spec, auth: named, check, .. }: ServerPlan,
    context: &TransportContext,
    auth: &mut Authenticators<'_>,
) -> Result<ServerSpec, Problem> {
    if let Some(check) = check {
        check(context)?;
    }
    spec.config.auth = named.map(|named| auth.server(&named)).transpose()?;
    Ok(spec)
}
