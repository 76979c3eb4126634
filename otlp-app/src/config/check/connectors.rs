//! Connectors: each ends one pipeline, as an exporter does, and feeds another, as a receiver does.

use super::Defined;
use crate::config::problem::{Problem, Problems};
use otlp_service::PipelineSpec;

impl Defined<'_> {
    /// Checks that each connector in use stands at both places, and that its id is no other component's.
    pub(super) fn check_connectors(&self, pipelines: &[PipelineSpec], problems: &mut Problems) {
        for built in self.connectors.iter().filter(|built| built.used) {
            let id = &built.id;
            let ends = pipelines.iter().find(|pipeline| pipeline.exporters.contains(id));
            let feeds = pipelines.iter().find(|pipeline| pipeline.receivers.contains(id));
            let message = match (ends, feeds) {
                (Some(ends), None) => {
                    format!("{id} is an exporter of {}, but no pipeline has it as a receiver", ends.id)
                }
                (None, Some(feeds)) => {
                    format!("{id} is a receiver of {}, but no pipeline has it as an exporter", feeds.id)
                }
                _ => continue,
            };
            let help = "list the connector under `exporters` of the pipelines that send to it, and under `receivers` of the pipelines that it sends to";
            problems.push(Problem::at(built.span, message).help(help));
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
