//! Addresses that receivers, metrics and health listen on: each at most once.

use super::Defined;
use crate::config::listen::are_one;
use crate::config::plan::HealthPlan;
use crate::config::problem::{Problem, Problems};
use otlp_service::MetricsPage;

impl Defined<'_> {
    /// Reports receivers in use whose address is used twice. The system would refuse the second listener too, but only at the
    /// start, and without a place in the file.
    pub(super) fn check_listeners(
        &self,
        pages: &[MetricsPage],
        health: &HealthPlan,
        problems: &mut Problems,
    ) {
        let mut taken: Vec<(&str, &str)> = Vec::new();
        taken.extend(pages.iter().map(|page| (page.endpoint.as_str(), "service.telemetry.metrics")));
        taken.extend(health.endpoints().map(|endpoint| (endpoint, "health_check")));
        for built in self.receivers.iter().filter(|built| built.used) {
            for server in built.plan.iter().flat_map(|plan| &plan.servers) {
                let endpoint = &server.spec.config.endpoint;
                if let Some((_, other)) = taken.iter().find(|(known, _)| are_one(known, endpoint)) {
                    let message =
                        format!("{}: address {endpoint} is used twice: {other} listens on it, too", built.id);
                    let help = "give each an address of its own; only gRPC and HTTP of one receiver may share an address";
                    problems.push(Problem::at(built.span, message).help(help));
                }
                taken.push((endpoint, &built.id));
            }
        }
    }
}
