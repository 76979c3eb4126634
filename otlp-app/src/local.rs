//! The gateway without a configuration: shows the telemetry that arrives, and forwards it if the environment has an endpoint.

use crate::args::ShowArgs;
use crate::config::SystemLookup;
use crate::config::auth::AuthPlans;
use crate::config::exporter;
use crate::config::fingerprint::Fingerprints;
use crate::config::listen::are_one;
use crate::config::plan::{ExporterPlan, HealthPlan, Plan, ReceiverPlan, ServerPlan};
use crate::config::problem::Problems;
use crate::config::source::Sources;
use crate::config::telemetry::OwnTelemetry;
use crate::otel_env::{self, Forward, variable};
use crate::output::Output;
use crate::own_addresses::{OwnAddresses, Place};
use crate::protocol::Protocol;
use otlp_protocol::Signal;
use otlp_service::{
    DebugConfig, DebugExporter, DebugFormat, ExporterPart, PipelineSpec, ServerSpec, SettingsError,
};
use otlp_transport::{BoxAttempt, ConfigError, MultiplexTransportStrategy, ServerConfig, ServerStrategy};
use std::sync::Arc;

/// The local gateway that flags and environment describe.
pub(crate) struct Local {
    /// The gateway.
    pub(crate) plan: Plan,
    /// Warnings about variables.
    pub(crate) warnings: Vec<String>,
    /// Hosts and ports that telemetry is forwarded to, if the environment has an endpoint.
    pub(crate) forwards_to: Option<String>,
}

/// Makes the plan of the local gateway, which forwards to the endpoint of the environment. `servers` listen, and `show` is
/// what is shown on `output`.
pub(crate) fn of_environment(
    servers: Vec<ServerPlan>,
    show: DebugConfig,
    output: &'static Output,
    own: &[&str],
    sources: &mut Sources,
) -> Local {
    let (forward, mut warnings) = otel_env::forward(&SystemLookup);
    if let Some(Forward { config, .. }) = &forward {
        sources.hide_secrets_of(&config.endpoint);
        config.signal_endpoints.iter().for_each(|(_, url)| sources.hide_secrets_of(url));
    }
    let forward = forward.and_then(|forward| without_own(forward, own, &mut warnings));
    let forwards_to = forward.as_ref().map(Forward::places);
    Local { plan: plan(servers, show, output, forward), warnings, forwards_to }
}

/// Makes the servers of the flags `--grpc` and `--http`.
pub(crate) fn servers(grpc: &str, http: &str) -> Vec<ServerPlan> {
    if are_one(grpc, http) {
        vec![one_server(grpc)]
    } else {
        vec![server(Protocol::Grpc.strategy(), grpc), server(Protocol::Http.strategy(), http)]
    }
}

/// Makes a server for both protocols on one port.
pub(crate) fn one_server(endpoint: &str) -> ServerPlan {
    server(Arc::new(MultiplexTransportStrategy), endpoint)
}

fn server(strategy: Arc<dyn ServerStrategy>, endpoint: &str) -> ServerPlan {
    ServerPlan {
        spec: ServerSpec { keep_headers: false, ..ServerSpec::new(strategy, ServerConfig::new(endpoint)) },
        auth: None,
        check: None,
    }
}

/// Makes the plan. The local gateway serves neither metrics nor health, and so needs no further ports.
fn plan(
    servers: Vec<ServerPlan>,
    show: DebugConfig,
    output: &'static Output,
    forward: Option<Forward>,
) -> Plan {
    let show = exporter::local(move |context| {
        BoxAttempt::new(DebugExporter::new(show, context.clock.clone(), output))
    });
    let mut exporters = vec![(SHOW.to_owned(), ExporterPlan::without_file(show))];
    exporters.extend(forward.map(|forward| (FORWARD.to_owned(), forward.exporter())));
    let of = |signal: Signal| {
        let takes =
            |plan: &ExporterPlan| plan.part.takes.as_ref().is_none_or(|takes| takes.contains(&signal.name));
        exporters.iter().filter(|(_, plan)| takes(plan)).map(|(id, _)| id.clone()).collect()
    };
    let pipelines = Signal::ALL.map(|signal| PipelineSpec {
        id: signal.name.into(),
        signal,
        receivers: vec![RECEIVER.into()],
        stages: Vec::new(),
        exporters: of(signal),
    });
    Plan {
        receivers: vec![(RECEIVER.into(), ReceiverPlan { servers, other: None })],
        connectors: Vec::new(),
        exporters,
        pipelines: pipelines.into(),
        places: Vec::new(),
        health: HealthPlan::default(),
        extensions: Vec::new(),
        auth: AuthPlans::default(),
        storages: Vec::new(),
        memory_limit_bytes: None,
        settings: Fingerprints::default(),
        files: Vec::new(),
        telemetry: OwnTelemetry::default(),
        notes: Vec::new(),
        loops: Problems::default(),
    }
}

impl ShowArgs {
    /// Returns the settings of the exporter that shows, for a stream that is a terminal with colours or not.
    pub(crate) fn config(&self, has_color: bool) -> DebugConfig {
        let mut config = DebugConfig::default();
        config.has_color = has_color;
        config.format = match self {
            Self { json: true, .. } => DebugFormat::Json,
            Self { details: true, .. } => DebugFormat::Detailed,
            _ => DebugFormat::Lines,
        };
        config.signals.clone_from(&self.signal);
        config.service.clone_from(&self.service);
        config.grep.clone_from(&self.grep);
        config.max_items_per_second = self.max_items_per_second;
        config
    }
}

/// Removes endpoints of the environment that are the gateway itself, which listens on `listeners`.
fn without_own(forward: Forward, listeners: &[&str], warnings: &mut Vec<String>) -> Option<Forward> {
    let own = OwnAddresses::of_machine();
    let listeners: Vec<_> = listeners.iter().filter_map(|listener| Place::of(listener)).collect();
    let is_own = |place: &Place| listeners.iter().any(|listener| own.reaches(place, listener));
    forward.without_own(is_own, warnings)
}

impl Forward {
    fn exporter(self) -> ExporterPlan {
        let Self { protocol, config, takes } = self;
        let endpoints = exporter::endpoints(&config);
        let mut part = ExporterPart::new(move |id, context, _| {
            let client = protocol.strategy().client(context, config);
            let wrong = |error: ConfigError| format!("{}: {}", variable(error.key), error.without_key());
            let made = client.map(|client| exporter::of_client(id, client));
            made.map_err(|error| SettingsError::new(wrong(error)))
        });
        (part.endpoints, part.takes) = (endpoints, takes);
        ExporterPlan::without_file(part)
    }
}

const RECEIVER: &str = "otlp";
const SHOW: &str = "show";
const FORWARD: &str = "forward";

#[cfg(test)]
mod tests;
