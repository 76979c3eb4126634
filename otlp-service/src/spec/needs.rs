//! Needs of components: parts of a request beside its body, which receivers keep and batch processors keep apart.

use super::{ExporterSpec, GatewaySpec, PipelineSpec, PipelineStage, StageSpec};
use crate::component::Needs;
use crate::queue::QueueConfig;

/// Parts of requests that a receiver is to keep, and the components that need them.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ReceiverNeeds {
    /// The receiver's id.
    pub receiver: String,
    /// Needs of all components behind the receiver.
    pub needs: Needs,
    /// Components with needs, each once.
    pub asked_by: Vec<ComponentNeeds>,
    /// Addresses at which the receiver keeps no headers
    /// ([`Receiver::without_headers`](crate::Receiver::without_headers)): components that need headers do not get them.
    pub without_headers: Vec<String>,
}

/// Needs of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ComponentNeeds {
    /// `processor`, `exporter` or `connector`.
    pub kind: &'static str,
    /// The component's id.
    pub id: String,
    /// The needs.
    pub needs: Needs,
}

impl GatewaySpec {
    /// Returns what each receiver is to keep of its requests. To be called after [`check`](Self::check).
    pub fn needs(&self) -> Vec<ReceiverNeeds> {
        let of_receiver = |receiver: &super::ReceiverSpec| {
            let mut asked_by = Vec::new();
            for pipeline in self.pipelines.iter().filter(|known| known.receivers.contains(&receiver.id)) {
                self.ask(pipeline, 0, &mut asked_by);
            }
            let without_headers = receiver.receiver.without_headers();
            ReceiverNeeds { receiver: receiver.id.clone(), needs: sum(&asked_by), asked_by, without_headers }
        };
        self.receivers.iter().map(of_receiver).collect()
    }

    /// Makes batch processors and queues keep apart the requests that differ in what a component behind them needs: a joined batch
    /// would lose the difference otherwise.
    pub(crate) fn keep_apart(&mut self) {
        for exporter in &mut self.exporters {
            if let Some(batch) = &mut exporter.queue.batch {
                keep_apart(&mut batch.metadata_keys, &mut batch.by_identity, &exporter.needs);
            }
        }
        for index in 0..self.pipelines.len() {
            for stage in 0..self.pipelines[index].stages.len() {
                let mut asked_by = Vec::new();
                self.ask(&self.pipelines[index], stage + 1, &mut asked_by);
                if let StageSpec::Batch(config) = &mut self.pipelines[index].stages[stage].stage {
                    keep_apart(&mut config.metadata_keys, &mut config.by_identity, &sum(&asked_by));
                }
            }
        }
    }

    /// Adds what the components of a pipeline need, from its stage `first` on, and all behind its connectors.
    fn ask(&self, pipeline: &PipelineSpec, first: usize, asked_by: &mut Vec<ComponentNeeds>) {
        for PipelineStage { id, stage, .. } in pipeline.stages.iter().skip(first) {
            add(asked_by, "processor", id, stage.needs());
        }
        for exporter in self.exporters.iter().filter(|known| pipeline.exporters.contains(&known.id)) {
            add(asked_by, "exporter", &exporter.id, exporter.all_needs());
        }
        for connector in self.connectors.iter().filter(|known| pipeline.exporters.contains(&known.id)) {
            add(asked_by, "connector", &connector.id, connector.connector.needs.clone());
        }
        for (_, pipelines) in self.led_into(pipeline) {
            pipelines.into_iter().for_each(|fed| self.ask(fed, 0, asked_by));
        }
    }
}

impl QueueConfig {
    /// Returns the needs of the batches that are made when the queue is read, and of the conditions of classes.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        if let Some(batch) = self.batch.as_ref().filter(|_| self.enabled) {
            needs.headers.clone_from(&batch.metadata_keys);
            needs.identity = batch.by_identity;
        }
        if let Some(classes) = self.storage.as_ref().and_then(|storage| storage.classes.as_ref()) {
            needs.add(classes.needs());
        }
        needs
    }
}

impl ExporterSpec {
    /// Returns the needs of the exporter and of its queue.
    fn all_needs(&self) -> Needs {
        let mut all = self.queue.needs();
        all.add(&self.needs);
        all
    }
}

impl StageSpec {
    /// Returns the stage's needs.
    pub fn needs(&self) -> Needs {
        match self {
            Self::Processor(processor) => processor.needs(),
            Self::Holder(holder) => holder.needs.clone(),
            Self::Batch(config) => {
                let mut needs = Needs::default();
                needs.headers.clone_from(&config.metadata_keys);
                needs.identity = config.by_identity;
                needs
            }
        }
    }
}

/// Adds what components need to what keeps requests apart.
fn keep_apart(metadata_keys: &mut Vec<Box<str>>, by_identity: &mut bool, needs: &Needs) {
    let mut all = Needs { headers: std::mem::take(metadata_keys), ..Needs::default() };
    all.add(needs);
    *metadata_keys = all.headers;
    *by_identity |= all.identity;
}

fn add(asked_by: &mut Vec<ComponentNeeds>, kind: &'static str, id: &str, needs: Needs) {
    let component = ComponentNeeds { kind, id: id.into(), needs };
    if !component.needs.is_empty() && !asked_by.contains(&component) {
        asked_by.push(component);
    }
}

fn sum(asked_by: &[ComponentNeeds]) -> Needs {
    let mut all = Needs::default();
    asked_by.iter().for_each(|component| all.add(&component.needs));
    all
}
