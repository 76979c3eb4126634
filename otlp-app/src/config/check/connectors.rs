//! Connectors: each ends one pipeline, as an exporter does, and feeds another, as a receiver does.

use super::{Built, Defined};
use crate::config::plan::{ConnectorPlan, NamedPipeline};
use crate::config::problem::{Problem, Problems};
use otlp_service::PipelineSpec;

impl Defined<'_> {
    /// Checks that each connector in use stands at both places, and that its id is no other component's.
    pub(super) fn check_connectors(&self, pipelines: &[PipelineSpec], problems: &mut Problems) {
        for built in self.connectors.iter().filter(|built| built.used) {
            if let Some(message) = built.one_sided(pipelines) {
                problems.push(Problem::at(built.span, message).help(BOTH_PLACES));
            }
            let named = built.plan.iter().flat_map(|plan| &plan.pipelines);
            named.for_each(|named| named.check(&built.id, pipelines, problems));
        }
        for built in &self.connectors {
            let is_receiver = self.receivers.iter().any(|other| other.id == built.id);
            let is_exporter = self.exporters.iter().any(|other| other.id == built.id);
            if is_receiver || is_exporter {
                let other = if is_receiver { "a receiver" } else { "an exporter" };
                let message =
                    format!("{}: {other} has the same id, so pipelines could mean either", built.id);
                problems
                    .push(Problem::at(built.span, message).help("give one of them another id: `type/name`"));
            }
        }
    }
}

impl Built<ConnectorPlan> {
    /// Returns true if the connector ends the pipeline `from` and emits into the pipeline `to`.
    pub(super) fn leads(&self, from: &PipelineSpec, to: &PipelineSpec) -> bool {
        let connector = self.plan.as_ref().map(|plan| &plan.connector);
        from.exporters.contains(&self.id)
            && to.receivers.contains(&self.id)
            && connector.is_none_or(|connector| connector.connects(from.signal, to.signal))
    }

    /// The problem of a connector that stands at one place only, or nowhere at the other place in a pipeline of the same signal.
    fn one_sided(&self, pipelines: &[PipelineSpec]) -> Option<String> {
        let id = &self.id;
        let is_limited = self.plan.as_ref().is_some_and(|plan| plan.connector.same_signal);
        let of = |pipeline: &PipelineSpec| match is_limited {
            true => format!("no pipeline of {}", pipeline.signal),
            false => "no pipeline".to_owned(),
        };
        let stuck = pipelines
            .iter()
            .find(|from| from.exporters.contains(id) && !pipelines.iter().any(|to| self.leads(from, to)));
        let unfed = pipelines
            .iter()
            .find(|to| to.receivers.contains(id) && !pipelines.iter().any(|from| self.leads(from, to)));
        match (stuck, unfed) {
            (Some(ends), _) => {
                Some(format!("{id} is an exporter of {}, but {} has it as a receiver", ends.id, of(ends)))
            }
            (None, Some(fed)) => {
                Some(format!("{id} is a receiver of {}, but {} has it as an exporter", fed.id, of(fed)))
            }
            (None, None) => None,
        }
    }
}

// === impl NamedPipeline ===

impl NamedPipeline {
    /// Checks that the pipeline has the connector among its receivers.
    fn check(&self, connector: &str, pipelines: &[PipelineSpec], problems: &mut Problems) {
        let Self { id, span, what } = self;
        let is_fed =
            |pipeline: &&PipelineSpec| pipeline.receivers.iter().any(|receiver| receiver == connector);
        let shown = id.escape_debug();
        let problem = match pipelines.iter().find(|pipeline| pipeline.id == *id) {
            Some(pipeline) if is_fed(&pipeline) => return,
            Some(_) => {
                let message =
                    format!("{what}: the pipeline `{shown}` does not have {connector} among its receivers");
                let help = format!("add {connector} to the `receivers` of {shown}");
                Problem::at(*span, message).help(help)
            }
            None => Problem::at(*span, format!("{what}: the pipeline `{shown}` is not defined")),
        };
        let fed: Vec<_> = pipelines.iter().filter(is_fed).map(|pipeline| pipeline.id.as_str()).collect();
        problems.push(problem.choice(id, "pipelines behind the connector", &fed));
    }
}

const BOTH_PLACES: &str = "list the connector under `exporters` of the pipelines that send to it, and under `receivers` of the pipelines that it sends to";
