//! The gateway without a configuration: shows the telemetry that arrives, and forwards it if the environment has an endpoint.

use crate::args::{LocalArgs, ShowArgs};
use crate::config::auth::AuthPlans;
use crate::config::exporter;
use crate::config::fingerprint::Fingerprints;
use crate::config::listen::are_one;
use crate::config::plan::{ExporterPlan, HealthPlan, Plan, ReceiverPlan, ServerPlan};
use crate::config::problem::Problems;
use crate::config::telemetry::OwnTelemetry;
use crate::otel_env::{Forward, variable};
use crate::output::Output;
use crate::own_addresses::{OwnAddresses, Place};
use crate::protocol::Protocol;
use otlp_protocol::Signal;
use otlp_service::{
    DebugConfig, DebugExporter, DebugFormat, ExporterPart, PipelineSpec, ServerSpec, SettingsError,
};
use otlp_transport::{BoxAttempt, ConfigError, MultiplexTransportStrategy, ServerConfig, ServerStrategy};
use std::sync::Arc;

/// Makes the plan of the local gateway. It serves neither metrics nor health, and so needs no further ports.
pub(crate) fn plan(args: &LocalArgs, has_color: bool, forward: Option<Forward>) -> Plan {
    let server = |strategy: Arc<dyn ServerStrategy>, endpoint: &str| ServerPlan {
        spec: ServerSpec { keep_headers: false, ..ServerSpec::new(strategy, ServerConfig::new(endpoint)) },
        auth: None,
        check: None,
    };
    let servers = if are_one(&args.grpc, &args.http) {
        vec![server(Arc::new(MultiplexTransportStrategy), &args.grpc)]
    } else {
        vec![server(Protocol::Grpc.strategy(), &args.grpc), server(Protocol::Http.strategy(), &args.http)]
    };
    let mut show = args.show.config();
    show.has_color = has_color;
    let show = exporter::local(move |context| {
        BoxAttempt::new(DebugExporter::new(show, context.clock.clone(), Output::stdout()))
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
        memory_limit_bytes: None,
        settings: Fingerprints::default(),
        files: Vec::new(),
        telemetry: OwnTelemetry::default(),
        notes: Vec::new(),
        loops: Problems::default(),
    }
}

impl ShowArgs {
    fn config(&self) -> DebugConfig {
        let mut config = DebugConfig::default();
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

/// Removes endpoints of the environment that are the gateway itself.
pub(crate) fn without_own(forward: Forward, args: &LocalArgs, warnings: &mut Vec<String>) -> Option<Forward> {
    let own = OwnAddresses::of_machine();
    let listeners: Vec<_> =
        [&args.grpc, &args.http].into_iter().filter_map(|listener| Place::of(listener)).collect();
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
