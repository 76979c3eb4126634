//! Checks of a spec before anything of the spec is built.

use super::StartError;
use crate::spec::{GatewaySpec, PipelineSpec, StageSpec};
use std::collections::HashSet;

impl GatewaySpec {
    /// Checks that ids are unique, that pipelines name only what is there, and that connectors lead somewhere and never
    /// back to where they came from. [`Gateway::start`](crate::Gateway::start) checks the same.
    ///
    /// # Errors
    /// The first fault found.
    pub fn check(&self) -> Result<(), StartError> {
        unique("extension", self.extensions.iter().map(|extension| &*extension.id))?;
        let receivers = unique("receiver", self.receivers.iter().map(|receiver| &*receiver.id))?;
        let connectors = unique("connector", self.connectors.iter().map(|connector| &*connector.id))?;
        let exporters = unique("exporter", self.exporters.iter().map(|exporter| &*exporter.id))?;
        unique("pipeline", self.pipelines.iter().map(|pipeline| &*pipeline.id))?;
        let shared = connectors.iter().find(|id| receivers.contains(*id) || exporters.contains(*id));
        if let Some(id) = shared {
            return Err(StartError::Duplicate { kind: "connector", id: (*id).into() });
        }
        for pipeline in &self.pipelines {
            check_names(pipeline, [&receivers, &connectors, &exporters])?;
        }
        let mut open = Vec::new();
        let mut done = HashSet::new();
        self.pipelines.iter().try_for_each(|pipeline| self.find_cycle(pipeline, &mut open, &mut done))
    }

    /// The connectors in which a pipeline ends, and those pipelines into which each of them leads.
    pub(crate) fn led_into(
        &self,
        pipeline: &PipelineSpec,
    ) -> impl Iterator<Item = (&str, Vec<&PipelineSpec>)> {
        let connectors = self.connectors.iter().filter(|known| pipeline.exporters.contains(&known.id));
        connectors.map(|connector| {
            let fed = self.pipelines.iter().filter(|fed| connector.leads(pipeline, fed));
            (&*connector.id, fed.collect())
        })
    }

    /// Follows the connectors of a pipeline. `open` is the way there, `done` are pipelines that lead into no cycle.
    fn find_cycle<'a>(
        &'a self,
        pipeline: &'a PipelineSpec,
        open: &mut Vec<&'a str>,
        done: &mut HashSet<&'a str>,
    ) -> Result<(), StartError> {
        if done.contains(&*pipeline.id) {
            return Ok(());
        }
        if let Some(begin) = open.iter().position(|id| *id == pipeline.id) {
            let path = [&open[begin..], &[&*pipeline.id]].concat().join(" -> ");
            return Err(StartError::Cycle { path });
        }
        open.push(&pipeline.id);
        for (connector, pipelines) in self.led_into(pipeline) {
            if pipelines.is_empty() {
                let (connector, pipeline) = (connector.into(), pipeline.id.clone());
                return Err(StartError::LeadsNowhere { connector, pipeline });
            }
            open.push(connector);
            for fed in pipelines {
                self.find_cycle(fed, open, done)?;
            }
            open.pop();
        }
        open.pop();
        done.insert(&pipeline.id);
        Ok(())
    }
}

fn check_names(pipeline: &PipelineSpec, known: [&HashSet<&str>; 3]) -> Result<(), StartError> {
    let [receivers, connectors, exporters] = known;
    if pipeline.exporters.is_empty() {
        return Err(StartError::NoExporter { pipeline: pipeline.id.clone() });
    }
    // Each has a line of its own in the ledger.
    let holders = pipeline.stages.iter().filter(|stage| matches!(stage.stage, StageSpec::Holder(_)));
    let lines = pipeline.exporters.iter().map(|id| ("exporter", &**id));
    let lines = lines.chain(holders.map(|stage| ("stage", &*stage.id)));
    let mut seen = HashSet::new();
    for (kind, id) in lines {
        if !seen.insert(id) {
            return Err(StartError::Repeated { pipeline: pipeline.id.clone(), kind, id: id.into() });
        }
    }
    let named = [("receiver", &pipeline.receivers, receivers), ("exporter", &pipeline.exporters, exporters)];
    for (kind, ids, known) in named {
        let unknown = ids.iter().find(|id| !known.contains(id.as_str()) && !connectors.contains(id.as_str()));
        if let Some(id) = unknown {
            return Err(StartError::Unknown { pipeline: pipeline.id.clone(), kind, id: id.clone() });
        }
    }
    Ok(())
}

fn unique<'a>(
    kind: &'static str,
    ids: impl Iterator<Item = &'a str>,
) -> Result<HashSet<&'a str>, StartError> {
    let mut seen = HashSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(StartError::Duplicate { kind, id: id.into() });
        }
    }
    Ok(seen)
}
