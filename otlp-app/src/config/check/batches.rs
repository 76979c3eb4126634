//! Requests that are joined twice: by the processor `batch`, and by the queue of an exporter.

use super::Defined;
use crate::config::rules::Note;
use otlp_service::{PipelineSpec, StageSpec};

impl Defined<'_> {
    /// Adds a note for each exporter that joins in its queue what a batch processor has joined before.
    pub(super) fn note_joined_twice(&mut self, pipelines: &[PipelineSpec]) {
        let joining = self.exporters.iter().filter(|built| {
            let queue = built.plan.as_ref().map(|plan| &plan.part.queue);
            queue.is_some_and(|queue| queue.enabled && queue.batch.is_some())
        });
        let notes: Vec<_> = joining
            .filter_map(|exporter| {
                let used = pipelines.iter().filter(|pipeline| pipeline.exporters.contains(&exporter.id));
                let mut batches = used.filter_map(|pipeline| {
                    let is_batch = |stage: &&otlp_service::PipelineStage| matches!(stage.stage, StageSpec::Batch(_));
                    Some((&pipeline.id, &pipeline.stages.iter().find(is_batch)?.id))
                });
                let (pipeline, processor) = batches.next()?;
                let text = format!(
                    "the exporter {} joins requests in its queue (`sending_queue.batch`) that the processor {processor} of the \
                     pipeline {pipeline} has joined before: one of the two is enough",
                    exporter.id
                );
                Some(Note { span: exporter.span, text })
            })
            .collect();
        self.notes.extend(notes);
    }
}
