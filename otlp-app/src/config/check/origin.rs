//! What of a sender somebody downstream needs: receivers keep that and no more, batches keep apart what would get lost.

use super::{Built, Defined};
use crate::config::plan::ProcessorPlan;
use crate::config::rules::Note;
use crate::config::source::Span;
use crate::registry::Kind;
use otlp_service::{ContextNeeds, PipelineSpec};

/// A component that needs something of the sender.
struct Asker {
    kind: Kind,
    id: String,
    span: Span,
    needs: ContextNeeds,
}

impl Defined {
    /// Has receivers keep what the processors, batches and exporters of their pipelines need. `exporters` is what
    /// exporters need to know of where a batch came from.
    pub(super) fn keep_origins(
        &mut self,
        pipelines: &mut [PipelineSpec],
        exporters: &[(String, ContextNeeds)],
    ) {
        for pipeline in pipelines {
            let of_exporters = exporters.iter().filter(|(id, _)| pipeline.exporters.contains(id));
            let mut askers = self.asking_processors(pipeline);
            for (id, needs) in of_exporters.clone() {
                let exporter = self.exporters.iter().find(|built| built.id == *id);
                askers.extend(exporter.map(|built| built.asks(Kind::Exporter, needs.clone())));
            }
            if let Some((_, batch)) = &mut pipeline.batch {
                for (_, needs) in of_exporters {
                    add(&mut batch.metadata_keys, &needs.headers);
                    batch.by_identity |= needs.identity;
                }
            }
            for receiver in &pipeline.receivers {
                askers.iter().for_each(|asker| self.keep(receiver, asker));
            }
        }
    }

    /// The processors of a pipeline, its batch processor among them.
    fn asking_processors(&self, pipeline: &PipelineSpec) -> Vec<Asker> {
        let ids = pipeline.processors.iter().map(|(id, _)| id);
        let ids = ids.chain(pipeline.batch.iter().map(|(id, _)| id));
        let built = ids.filter_map(|id| self.processors.iter().find(|built| built.id == *id));
        let asks = |built: &Built<ProcessorPlan>| match built.plan.as_ref()? {
            ProcessorPlan::Processor(used) => Some(built.asks(Kind::Processor, used.needs.clone())),
            ProcessorPlan::Batch(config) => {
                let mut needs = ContextNeeds::default();
                needs.headers.clone_from(&config.metadata_keys);
                Some(built.asks(Kind::Processor, needs))
            }
            ProcessorPlan::MemoryLimiter { .. } => None,
        };
        built.filter_map(asks).collect()
    }

    /// Has a receiver keep what is needed; headers only where it may.
    fn keep(&mut self, receiver: &str, Asker { kind, id, span, needs }: &Asker) {
        let plan = self.receivers.iter_mut().find(|built| built.id == receiver);
        let servers = plan.and_then(|built| built.plan.as_mut()).map(|plan| plan.servers.iter_mut());
        for server in servers.into_iter().flatten() {
            let config = &mut server.spec.config;
            config.origin.identity |= needs.identity;
            config.origin.peer |= needs.peer;
            if server.include_metadata {
                add(&mut config.origin.headers, &needs.headers);
            } else if !needs.headers.is_empty() {
                let headers = needs.headers.join(", ");
                let text = format!(
                    "the {} {id} needs request headers ({headers}), but the receiver {receiver} does not keep them \
                     on {}: it lacks `include_metadata: true`",
                    kind.name(),
                    config.endpoint
                );
                if self.notes.iter().all(|note| note.text != text) {
                    self.notes.push(Note { span: *span, text });
                }
            }
        }
    }
}

impl<T> Built<T> {
    fn asks(&self, kind: Kind, needs: ContextNeeds) -> Asker {
        Asker { kind, id: self.id.clone(), span: self.span, needs }
    }
}

fn add(known: &mut Vec<Box<str>>, names: &[Box<str>]) {
    for name in names {
        if !known.contains(name) {
            known.push(name.clone());
        }
    }
}
