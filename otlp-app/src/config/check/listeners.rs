//! Who listens where: no two at one place.

use super::Defined;
use crate::config::listen::are_one;
use crate::config::problem::{Problem, Problems};
use otlp_service::HealthSpec;

impl Defined<'_> {
    /// Checks that receivers in use listen where nobody else does. The network would refuse the second, but only at the
    /// start, and without a place in the file.
    pub(super) fn check_listeners(
        &self,
        metrics: Option<&str>,
        health: &[HealthSpec],
        problems: &mut Problems,
    ) {
        let mut taken: Vec<(&str, &str)> = Vec::new();
        taken.extend(metrics.map(|endpoint| (endpoint, "service.telemetry.metrics")));
        taken.extend(health.iter().map(|health| (health.endpoint.as_str(), "health_check")));
        for built in self.receivers.iter().filter(|built| built.used) {
            for server in built.plan.iter().flat_map(|plan| &plan.servers) {
                let endpoint = &server.spec.config.endpoint;
                if let Some((_, other)) = taken.iter().find(|(known, _)| are_one(known, endpoint)) {
                    let message = format!("{}: {other} listens on {endpoint}, too", built.id);
                    let help =
                        "each needs an address of its own; only the protocols of one receiver may share one";
                    problems.push(Problem::at(built.span, message).help(help));
                }
                taken.push((endpoint, &built.id));
            }
        }
    }
}
