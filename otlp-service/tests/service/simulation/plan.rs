//! The gateway of a simulation: pipelines and exporters by chance.

use super::backend::Backend;
use super::world::World;
use otlp_protocol::Signal;
use otlp_service::{
    BatchConfig, DiskConfig, ExporterSpec, Fingerprint, GatewaySpec, OnFull, PipelineSpec, QueueBatchConfig,
    QueueConfig,
};
use otlp_transport::BoxAttempt;
use std::time::Duration;

/// The gateway's configuration, which reloads change.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) exporters: Vec<ExporterPlan>,
    pub(super) pipelines: Vec<PipelinePlan>,
    pub(super) budget_bytes: u64,
}

#[derive(Clone, Debug)]
pub(super) struct ExporterPlan {
    pub(super) id: &'static str,
    pub(super) kind: Kind,
    consumers: usize,
    queue_size: usize,
    pub(super) max_bytes: u64,
    blocks: bool,
    flush_millis: u64,
}

/// What an exporter answers, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Disk,
    /// With `sending_queue.batch`.
    Joined,
    /// With `wait_for_result`.
    Waiting,
    Memory,
}

#[derive(Clone, Debug)]
pub(super) struct PipelinePlan {
    pub(super) id: &'static str,
    /// By number.
    pub(super) exporters: Vec<usize>,
    pub(super) has_batch: bool,
}

// === impl Plan ===

impl Plan {
    pub(super) fn random(world: &World) -> Self {
        let exporter = |(id, kind): &(&'static str, Kind)| ExporterPlan {
            id,
            kind: *kind,
            consumers: 1 + world.below(4) as usize,
            queue_size: if world.once_in(2) { usize::MAX } else { 5 + world.below(100) as usize },
            max_bytes: world.pick(&[64 << 10, 256 << 10, 4 << 20]),
            blocks: world.once_in(3),
            flush_millis: 1 + world.below(3000),
        };
        let exporters: Vec<_> = EXPORTERS.iter().map(exporter).collect();
        let count = 1 + world.below(3) as usize;
        let pipelines = PIPELINES[..count].iter().map(|id| {
            let first = world.below(exporters.len() as u64) as usize;
            let mut all = vec![first];
            if world.once_in(2) {
                all.push((first + 1 + world.below(exporters.len() as u64 - 1) as usize) % exporters.len());
            }
            PipelinePlan { id, exporters: all, has_batch: world.once_in(4) }
        });
        let pipelines = pipelines.collect();
        Self { exporters, pipelines, budget_bytes: world.pick(&[256 << 10, 1 << 20, 64 << 20]) }
    }

    /// Changes the settings of an exporter with files, as a reload does.
    pub(super) fn change(&mut self, world: &World) {
        let place = world.below(self.exporters.len() as u64) as usize;
        let exporter = &mut self.exporters[place];
        if exporter.kind == Kind::Memory {
            return;
        }
        exporter.consumers = 1 + world.below(4) as usize;
        exporter.queue_size = if world.once_in(2) { usize::MAX } else { 5 + world.below(100) as usize };
        exporter.flush_millis = 1 + world.below(3000);
        if world.once_in(2) {
            exporter.max_bytes *= 2;
        }
    }

    /// The exporters with files that pipelines send to.
    pub(super) fn stored(&self) -> impl Iterator<Item = &ExporterPlan> {
        let is_used = |place: &usize| self.pipelines.iter().any(|plan| plan.exporters.contains(place));
        let all = self.exporters.iter().enumerate();
        all.filter(move |(place, plan)| plan.kind != Kind::Memory && is_used(place)).map(|(_, plan)| plan)
    }

    pub(super) fn spec(&self, backends: &[Backend]) -> GatewaySpec {
        let exporters = self.exporters.iter().zip(backends).map(|(plan, backend)| plan.spec(backend));
        let pipelines = self.pipelines.iter().map(|plan| {
            let mut pipeline = PipelineSpec::new(plan.id, Signal::LOGS);
            if plan.has_batch {
                let mut batch = BatchConfig::default();
                batch.send_batch_size = 20;
                pipeline = pipeline.with_stage("batch", batch);
            }
            for exporter in &plan.exporters {
                pipeline = pipeline.with_exporter(self.exporters[*exporter].id);
            }
            pipeline
        });
        GatewaySpec {
            exporters: exporters.collect(),
            pipelines: pipelines.collect(),
            drain_timeout: Duration::from_secs(10),
            ..GatewaySpec::default()
        }
    }
}

// === impl ExporterPlan ===

impl ExporterPlan {
    fn spec(&self, backend: &Backend) -> ExporterSpec {
        let mut spec = ExporterSpec::new(self.id, BoxAttempt::new(backend.clone()));
        spec.retry.max_elapsed_time = None;
        spec.retry.initial_interval = Duration::from_secs(1);
        let mut queue = QueueConfig::default();
        queue.num_consumers = self.consumers;
        queue.queue_size = self.queue_size.min(if self.is_stored() { usize::MAX } else { 50 });
        queue.on_full = if self.blocks { OnFull::Block } else { OnFull::Refuse };
        queue.wait_for_result = self.kind == Kind::Waiting;
        if self.is_stored() {
            let mut storage = DiskConfig::new("/data");
            storage.max_bytes = Some(self.max_bytes);
            queue.storage = Some(storage);
        }
        if self.kind == Kind::Joined {
            let mut batch = QueueBatchConfig::default();
            batch.flush_timeout = Duration::from_millis(self.flush_millis);
            (batch.min_size, batch.max_size) = (30, MAX_JOINED);
            queue.batch = Some(batch);
        }
        spec.queue = queue;
        spec.settings = Some(Fingerprint::of(&format!("{self:?}")));
        spec
    }

    /// True if the exporter has files.
    fn is_stored(&self) -> bool {
        self.kind != Kind::Memory
    }
}

/// Items of a batch of [`Kind::Joined`]: larger requests are cut.
pub(super) const MAX_JOINED: u64 = 40;
const EXPORTERS: [(&str, Kind); 4] =
    [("disk", Kind::Disk), ("joined", Kind::Joined), ("waiting", Kind::Waiting), ("memory", Kind::Memory)];
const PIPELINES: [&str; 3] = ["logs/1", "logs/2", "logs/3"];
