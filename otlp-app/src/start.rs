//! A plan into a gateway.

use crate::auth::Authenticators;
use crate::config::plan::{ExporterPlan, Outlet, Plan, ReceiverPlan, ServerPlan};
use crate::config::problem::{Problem, Problems};
use crate::config::{Lookup, files};
use crate::descriptors::max_connections;
use crate::memory::default_budget_bytes;
use crate::output::Output;
use otlp_service::{ExporterSpec, GatewaySpec, ReceiverSpec, ServerSpec};
use otlp_transport::{Connections, ProxyConfig, TransportContext};
use std::sync::Arc;

/// Time, network and memory as the plan wants them.
pub(crate) fn context(plan: &Plan) -> TransportContext {
    let connections = Arc::new(Connections::new(max_connections()));
    let budget_bytes = plan.memory_limit_bytes.unwrap_or_else(default_budget_bytes);
    TransportContext { connections, ..TransportContext::tcp(budget_bytes) }
}

/// The proxies that the environment names.
pub(crate) fn proxies(lookup: &dyn Lookup) -> Arc<ProxyConfig> {
    Arc::new(ProxyConfig::from_env(|name| lookup.env(name)))
}

/// Everything of the plan but the network: files are read and clients made, nothing is connected.
pub(crate) fn spec(plan: Plan, context: &TransportContext) -> Result<GatewaySpec, Problems> {
    let mut problems = Problems::default();
    files::check(&plan.files, &*context.disk, &mut problems);
    let mut auth = Authenticators::new(context, plan.auth);
    let mut exporters = Vec::with_capacity(plan.exporters.len());
    for (id, ExporterPlan { connect, endpoints, queue, retry, auth: named, needs, .. }) in plan.exporters {
        let credentials = named.map(|named| auth.client(&named)).transpose();
        match credentials.and_then(|credentials| connect(context, credentials)) {
            Ok(Outlet { attempt: client, stats }) => {
                let mut spec = ExporterSpec::new(id, client);
                (spec.stats, spec.endpoints, spec.queue) = (stats, endpoints, queue);
                (spec.retry, spec.needs) = (retry, needs);
                exporters.push(spec);
            }
            Err(problem) => problems.push_unless_placed(problem),
        }
    }
    let mut receivers = Vec::with_capacity(plan.receivers.len());
    for (id, ReceiverPlan { servers }) in plan.receivers {
        let servers: Vec<_> = servers.into_iter().map(|plan| server(plan, context, &mut auth)).collect();
        match servers.into_iter().collect() {
            Ok(servers) => receivers.push(ReceiverSpec::otlp(id, servers)),
            Err(problem) => problems.push_unless_placed(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(GatewaySpec {
        receivers,
        connectors: Vec::new(),
        exporters,
        pipelines: plan.pipelines,
        metrics_endpoint: plan.metrics_endpoint,
        health: plan.health,
        dropped_lines: [("stderr", Output::stderr()), ("stdout", Output::stdout())]
            .map(|(stream, output)| (stream, output.dropped_lines()))
            .into(),
    })
}

/// A server with its authentication.
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
