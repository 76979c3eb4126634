//! Components that need request headers which a receiver does not keep.

use super::Defined;
use crate::config::plan::ServerPlan;
use crate::config::rules::Note;
use crate::config::source::Span;
use otlp_service::{Kind, Needs, PipelineSpec, PipelineStage};

/// A component that needs headers or other metadata of requests.
struct Asker<'a> {
    kind: Kind,
    id: &'a str,
    span: Span,
    needs: Needs,
}

impl Defined<'_> {
    /// Adds a note for each component that needs headers which a receiver of its pipelines does not keep.
    pub(super) fn note_lost_headers(&mut self, pipelines: &[PipelineSpec]) {
        for pipeline in pipelines {
            let lost: Vec<_> =
                self.askers(pipeline).iter().flat_map(|asker| self.lost(pipeline, asker)).collect();
            for note in lost {
                if self.notes.iter().all(|known| known.text != note.text) {
                    self.notes.push(note);
                }
            }
        }
    }

    /// Returns the stages and exporters of a pipeline.
    fn askers<'a>(&'a self, pipeline: &'a PipelineSpec) -> Vec<Asker<'a>> {
        let stages = pipeline.stages.iter().filter_map(|PipelineStage { id, stage, .. }| {
            let built = self.processors.iter().find(|built| built.id == *id)?;
            Some(Asker { kind: Kind::Processor, id, span: built.span, needs: stage.needs() })
        });
        let exporters = self.exporters.iter().filter(|built| pipeline.exporters.contains(&built.id));
        let exporters = exporters.filter_map(|built| {
            let part = &built.plan.as_ref()?.part;
            let mut needs = part.queue.needs();
            needs.add(&part.needs);
            Some(Asker { kind: Kind::Exporter, id: &built.id, span: built.span, needs })
        });
        stages.chain(exporters).collect()
    }

    /// Makes a note for each server that does not keep the headers which a component needs.
    fn lost(&self, pipeline: &PipelineSpec, Asker { kind, id, span, needs }: &Asker<'_>) -> Vec<Note> {
        if needs.headers.is_empty() {
            return Vec::new();
        }
        let headers = needs.headers.join(", ");
        let named = |receiver: &String| self.receivers.iter().find(|built| built.id == *receiver);
        let plans = pipeline
            .receivers
            .iter()
            .filter_map(|receiver| Some((receiver, named(receiver)?.plan.as_ref()?)));
        let without = plans.flat_map(|(receiver, plan)| {
            plan.servers
                .iter()
                .filter(|server| !server.spec.keep_headers)
                .map(move |server| (receiver, server))
        });
        let note = |(receiver, server): (&String, &ServerPlan)| Note {
            span: *span,
            text: format!(
                "the {} {id} needs request headers ({headers}), but the receiver {receiver} does not keep them on {}: \
                 set `include_metadata: true` there",
                kind.name(),
                server.spec.config.endpoint
            ),
        };
        without.map(note).collect()
    }
}
