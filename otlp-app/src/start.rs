//! A plan into a gateway.

use crate::config::plan::{ExporterPlan, Outlet, Plan};
use crate::config::problem::Problems;
use crate::memory::default_budget_bytes;
use otlp_service::{ExporterSpec, GatewaySpec, ReceiverSpec};
use otlp_transport::TransportContext;

/// Time, network and memory as the plan wants them.
pub(crate) fn context(plan: &Plan) -> TransportContext {
    TransportContext::tcp(plan.memory_limit_bytes.unwrap_or_else(default_budget_bytes))
}

/// Everything of the plan but the network: clients are made, nothing is connected.
pub(crate) fn spec(plan: Plan, context: &TransportContext) -> Result<GatewaySpec, Problems> {
    let mut problems = Problems::default();
    let mut exporters = Vec::with_capacity(plan.exporters.len());
    for (id, ExporterPlan { connect, queue, retry, .. }) in plan.exporters {
        match connect(context) {
            Ok(Outlet { export: client, stats }) => {
                exporters.push(ExporterSpec { id, client, stats, queue, retry })
            }
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let receivers =
        plan.receivers.into_iter().map(|(id, receiver)| ReceiverSpec { id, servers: receiver.servers });
    Ok(GatewaySpec {
        receivers: receivers.collect(),
        exporters,
        pipelines: plan.pipelines,
        metrics_endpoint: plan.metrics_endpoint,
        health: plan.health,
    })
}
