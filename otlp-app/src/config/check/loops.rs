//! Exporters that send to the gateway itself.

use super::Defined;
use crate::config::plan::Target;
use crate::config::problem::{Problem, Problems};
use crate::own_addresses::{OwnAddresses, Place};
use otlp_service::{PipelineSpec, ServerSpec};

/// A connection of two pipelines: an exporter of the first sends to a receiver of the second, in the same gateway.
struct Way<'a> {
    from: &'a PipelineSpec,
    to: &'a PipelineSpec,
    exporter: &'a str,
    target: &'a Target,
    receiver: &'a str,
}

impl Defined<'_> {
    /// The exporters through which telemetry comes back to the pipeline it left. Pipelines that follow one another
    /// through the network are no loop.
    pub(super) fn find_loops(&self, pipelines: &[PipelineSpec]) -> Problems {
        let own = OwnAddresses::of_machine();
        let ways: Vec<_> = pipelines.iter().flat_map(|from| self.ways(from, pipelines, &own)).collect();
        let (mut told, mut problems) = (Vec::new(), Problems::default());
        for way in &ways {
            if told.contains(&way.target.span) || !self.leads_to(&ways, pipelines, way.to, way.from) {
                continue;
            }
            told.push(way.target.span);
            let Way { from, exporter, target, receiver, .. } = way;
            let message = format!(
                "{exporter}: {}: {} is this gateway's own receiver {receiver}: the telemetry of {} would \
                 come back in an endless loop",
                target.part.path, target.place, from.id
            );
            let help = format!(
                "give the address of another gateway or backend, or take {exporter} out of {}",
                from.id
            );
            problems.push(Problem::at(target.span, message).help(help));
        }
        problems
    }

    /// Finds the connections from pipeline `from` to pipelines of this gateway, `from` included.
    fn ways<'a>(
        &'a self,
        from: &'a PipelineSpec,
        pipelines: &'a [PipelineSpec],
        own: &OwnAddresses,
    ) -> Vec<Way<'a>> {
        let mut ways = Vec::new();
        for exporter in self.exporters.iter().filter(|built| from.exporters.contains(&built.id)) {
            let targets = exporter.plan.iter().flat_map(|plan| &plan.targets);
            for target in
                targets.filter(|target| target.part.signal.is_none_or(|name| name == from.signal.name))
            {
                for receiver in self.listening(target, own) {
                    let fed = pipelines.iter().filter(|to| {
                        to.signal == from.signal && to.receivers.iter().any(|id| id == receiver)
                    });
                    ways.extend(fed.map(|to| Way { from, to, exporter: &exporter.id, target, receiver }));
                }
            }
        }
        ways
    }

    /// Finds the receivers that requests to the exporter's `target` reach.
    fn listening<'a>(&'a self, target: &Target, own: &OwnAddresses) -> Vec<&'a str> {
        let receivers = self.receivers.iter().filter(|built| {
            let mut servers = built.plan.iter().flat_map(|plan| &plan.servers);
            servers.any(|server| takes(&server.spec, target, own))
        });
        receivers.map(|built| built.id.as_str()).collect()
    }

    /// Returns whether telemetry of pipeline `from` reaches pipeline `to` over `ways` and connectors; a pipeline reaches
    /// itself.
    fn leads_to(
        &self,
        ways: &[Way<'_>],
        pipelines: &[PipelineSpec],
        from: &PipelineSpec,
        to: &PipelineSpec,
    ) -> bool {
        let mut reached = vec![from];
        let mut next = 0;
        while let Some(&pipeline) = reached.get(next) {
            if pipeline.id == to.id {
                return true;
            }
            let over_network = ways.iter().filter(|way| way.from.id == pipeline.id).map(|way| way.to);
            let fed = self
                .connectors
                .iter()
                .flat_map(|built| pipelines.iter().filter(|fed| built.leads(pipeline, fed)));
            for found in over_network.chain(fed) {
                if reached.iter().all(|known| known.id != found.id) {
                    reached.push(found);
                }
            }
            next += 1;
        }
        false
    }
}

/// Returns whether requests to the exporter's `target` reach `server`: same address, same protocol.
fn takes(server: &ServerSpec, target: &Target, own: &OwnAddresses) -> bool {
    let mut spoken = server.strategy.name().split('+');
    let listener = Place::of(&server.config.endpoint);
    spoken.any(|name| name == target.part.transport)
        && listener.is_some_and(|listener| own.reaches(&target.place, &listener))
}
