//! Deliveries of pipelines, as their spec determines them.

use super::{GatewaySpec, PipelineSpec, PipelineStage, StageSpec};
use crate::fanout::Delivery;
use crate::holder::Answers;
use crate::queue::QueueConfig;

/// Delivery of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipelineDelivery {
    /// The pipeline's id.
    pub pipeline: String,
    /// The time of the answer.
    pub delivery: Delivery,
    /// Id of the first stage or connector that answers on admission though an exporter behind it answers end to end: what
    /// the component holds is lost in a crash.
    pub admitted_by: Option<String>,
}

impl GatewaySpec {
    /// Returns the delivery of each pipeline. To be called after [`check`](Self::check).
    pub fn deliveries(&self) -> Vec<PipelineDelivery> {
        self.pipelines.iter().map(|pipeline| self.delivery(pipeline)).collect()
    }

    fn delivery(&self, pipeline: &PipelineSpec) -> PipelineDelivery {
        let admits = |PipelineStage { id, stage, .. }: &PipelineStage| match stage {
            StageSpec::Holder(holder) if holder.answers == Answers::OnAdmission => Some(id.clone()),
            _ => None,
        };
        let stage = pipeline.stages.iter().find_map(admits);
        let (ends, connector) = self.of_ends(pipeline);
        let is_memory = stage.is_some() || ends == Delivery::Memory;
        let admitted_by = stage.filter(|_| self.waits_somewhere(pipeline)).or(connector);
        let delivery = if is_memory { Delivery::Memory } else { ends };
        PipelineDelivery { pipeline: pipeline.id.clone(), delivery, admitted_by }
    }

    /// Returns the delivery of a pipeline's ends, the latest of them, and the connector that hides an exporter which answers later.
    fn of_ends(&self, pipeline: &PipelineSpec) -> (Delivery, Option<String>) {
        let mut delivery =
            self.exporters_of(pipeline).map(QueueConfig::delivery).max().unwrap_or(Delivery::Memory);
        let mut admitted_by = None;
        for connector in self.connectors.iter().filter(|known| pipeline.exporters.contains(&known.id)) {
            let fed = self.pipelines.iter().filter(|fed| connector.leads(pipeline, fed));
            match connector.connector.answers {
                Answers::OnAdmission => {
                    let hides = fed.into_iter().any(|fed| self.waits_somewhere(fed));
                    admitted_by = admitted_by.or_else(|| hides.then(|| connector.id.clone()));
                }
                Answers::AfterCommit => {
                    for fed in fed {
                        let of_fed = self.delivery(fed);
                        delivery = delivery.max(of_fed.delivery);
                        admitted_by = admitted_by.or(of_fed.admitted_by);
                    }
                }
            }
        }
        (delivery, admitted_by)
    }

    /// True if an exporter of the pipeline, or behind its connectors, answers end to end.
    fn waits_somewhere(&self, pipeline: &PipelineSpec) -> bool {
        self.exporters_of(pipeline).any(|queue| queue.delivery() != Delivery::Memory)
            || self.led_into(pipeline).any(|(_, fed)| fed.into_iter().any(|fed| self.waits_somewhere(fed)))
    }

    fn exporters_of(&self, pipeline: &PipelineSpec) -> impl Iterator<Item = &QueueConfig> {
        let used = self.exporters.iter().filter(|known| pipeline.exporters.contains(&known.id));
        used.map(|exporter| &exporter.queue)
    }
}

impl QueueConfig {
    /// Returns the delivery of an export through a queue with these settings, or without a queue if disabled.
    pub fn delivery(&self) -> Delivery {
        match self.storage {
            _ if !self.enabled || self.wait_for_result => Delivery::EndToEnd,
            Some(_) => Delivery::Disk,
            None => Delivery::Memory,
        }
    }
}
