//! The gateway that runs without a configuration: shows what arrives, forwards it if the environment says where.

mod show;

use crate::args::LocalArgs;
use crate::config::auth::AuthPlans;
use crate::config::exporter;
use crate::config::listen::are_one;
use crate::config::plan::{ExporterPlan, Outlet, Plan, ReceiverPlan, ServerPlan};
use crate::config::problem::Problem;
use crate::config::telemetry::LogConfig;
use crate::otel_env::{Forward, variable};
use crate::protocol::Protocol;
use otlp_protocol::Signal;
use otlp_service::{ContextNeeds, PipelineSpec, QueueConfig, RetryConfig, ServerSpec};
use otlp_transport::{BoxExport, MultiplexTransportStrategy, ServerConfig, TransportStrategy};
use show::Show;
use std::sync::Arc;

/// The plan of the local gateway. It serves neither metrics nor health: it needs no further port.
pub(crate) fn plan(args: &LocalArgs, forward: Option<Forward>) -> Plan {
    let server = |strategy: Arc<dyn TransportStrategy>, endpoint: &str| ServerPlan {
        spec: ServerSpec { strategy, config: ServerConfig::new(endpoint), http_paths: Vec::new() },
        include_metadata: false,
        auth: None,
        check: None,
    };
    let servers = if are_one(&args.grpc, &args.http) {
        vec![server(Arc::new(MultiplexTransportStrategy), &args.grpc)]
    } else {
        vec![server(Protocol::Grpc.strategy(), &args.grpc), server(Protocol::Http.strategy(), &args.http)]
    };
    let details = args.details;
    let show = move || BoxExport::new(Show { details });
    let mut exporters = vec![(SHOW.to_owned(), exporter::local(show))];
    exporters.extend(forward.map(|forward| (FORWARD.to_owned(), forward.exporter())));
    let of = |signal: Signal| {
        let takes =
            |plan: &ExporterPlan| plan.takes.as_ref().is_none_or(|takes| takes.contains(&signal.name));
        exporters.iter().filter(|(_, plan)| takes(plan)).map(|(id, _)| id.clone()).collect()
    };
    let pipelines = Signal::ALL.map(|signal| PipelineSpec {
        id: signal.name.into(),
        signal,
        receivers: vec![RECEIVER.into()],
        processors: Vec::new(),
        batch: None,
        exporters: of(signal),
    });
    Plan {
        receivers: vec![(RECEIVER.into(), ReceiverPlan { servers })],
        exporters,
        pipelines: pipelines.into(),
        metrics_endpoint: None,
        health: Vec::new(),
        auth: AuthPlans::default(),
        memory_limit_bytes: None,
        files: Vec::new(),
        logs: LogConfig::default(),
        notes: Vec::new(),
    }
}

impl Forward {
    fn exporter(self) -> ExporterPlan {
        let Self { protocol, config, takes } = self;
        let endpoints = exporter::endpoints(&config);
        ExporterPlan {
            endpoints,
            connect: Box::new(move |context, _| {
                let client = protocol.strategy().client(context, config);
                client
                    .map(Outlet::from)
                    .map_err(|error| Problem::new(format!("{}: {}", variable(error.key), error.problem)))
            }),
            queue: QueueConfig::default(),
            retry: RetryConfig::default(),
            takes,
            auth: None,
            needs: ContextNeeds::default(),
        }
    }
}

const RECEIVER: &str = "otlp";
const SHOW: &str = "show";
const FORWARD: &str = "forward";

#[cfg(test)]
mod tests;
