//! From a spec to what runs, top down: receiver → stages → fan-out → destination.
//!
//! A pipeline is put together from its ends to its entry, since each component is made with the one behind it.

use super::destination::{Destinations, Started};
use super::readiness::ReadinessCheck;
use super::registrations;
use super::rest::{Drained, Rest};
use super::{Gateway, StartError, pages};
use crate::batch::{BatchConfig, BatchOptions, BatchProcessor};
use crate::component::Processor;
use crate::fanout::{Delivery, Destination, FanOut};
use crate::holder::{Answers, HolderSpec, HolderStage};
use crate::ledger::Account;
use crate::processor::{ProcessorChain, ResourceKeys};
use crate::receiver::{Inlets, PipelineEntry, Pipelines};
use crate::spec::{GatewaySpec, PipelineSpec, PipelineStage, ReceiverNeeds, StageSpec};
use crate::telemetry::{BatchStats, MemoryStats, ProcessorStats};
use otlp_protocol::Signal;
use otlp_transport::BoxExport;
use std::collections::HashMap;
use std::sync::Arc;

/// Starts what `spec` says, extensions and exporters first and receivers last: whoever takes a batch has somewhere to put it.
pub(super) async fn start(gateway: &mut Gateway, mut spec: GatewaySpec) -> Result<(), StartError> {
    spec.check()?;
    spec.keep_apart();
    let needs = spec.needs();
    gateway.show_checked(ReadinessCheck(gateway.readiness.clone()));
    registrations::register(gateway, std::mem::take(&mut spec.dropped_lines));
    for extension in std::mem::take(&mut spec.extensions) {
        gateway.extensions.push(Started::start(&extension.id, extension.extension.0).await?);
    }
    let exporters = std::mem::take(&mut spec.exporters);
    let receivers = std::mem::take(&mut spec.receivers);
    let destinations = Destinations::start(gateway, exporters).await?;
    let mut assembly = Assembly { gateway, spec: Arc::new(spec), destinations, memory: HashMap::new() };
    for index in 0..assembly.spec.pipelines.len() {
        let spec = assembly.spec.clone();
        assembly.pipeline(&spec.pipelines[index])?;
    }
    assembly.gateway.drained.iter().for_each(|(_, component)| component.start());
    assembly.serve_pages().await?;
    for receiver in receivers {
        let of_receiver = needs.iter().find(|needs| needs.receiver == receiver.id);
        let inlets = assembly.inlets(&receiver.id, of_receiver);
        let running = receiver.receiver.start(inlets, &assembly.gateway.context).await?;
        assembly.gateway.receivers.push(running);
    }
    assembly.gateway.readiness.ready();
    Ok(())
}

/// What is built so far.
struct Assembly<'a> {
    gateway: &'a mut Gateway,
    spec: Arc<GatewaySpec>,
    destinations: Destinations,
    /// By signal, shared by all receivers.
    memory: HashMap<Signal, MemoryStats>,
}

impl Assembly<'_> {
    /// A pipeline; made when the first connector leads there, or in its turn. Connectors never lead back, so this ends.
    fn pipeline(&mut self, spec: &PipelineSpec) -> Result<Rest, StartError> {
        if let Some(known) = self.gateway.pipelines.get(&spec.id) {
            return Ok(known.clone());
        }
        let mut rest = self.ends(spec)?;
        // Processors in a row run as one chain: they are CPU alone, and a batch is handed on once.
        let mut processors = Vec::new();
        for PipelineStage { id, stage, .. } in spec.stages.iter().rev() {
            match stage {
                StageSpec::Processor(processor) => {
                    let stats = ProcessorStats::new(&self.gateway.registry, id, &spec.id, spec.signal);
                    processors.push((id.clone(), processor.clone(), stats));
                }
                StageSpec::Batch(config) => {
                    rest = self.processors(&mut processors, rest);
                    rest = self.batch(spec, id, config, rest);
                    processors.extend(cutting(id, config));
                }
                StageSpec::Holder(holder) => {
                    rest = self.processors(&mut processors, rest);
                    rest = self.holder(spec, id, holder, rest)?;
                }
            }
        }
        rest = self.processors(&mut processors, rest);
        self.gateway.pipelines.insert(spec.id.clone(), rest.clone());
        Ok(rest)
    }

    /// The ends of a pipeline, exporters and connectors. All of them get each batch, or none does.
    fn ends(&mut self, spec: &PipelineSpec) -> Result<Rest, StartError> {
        let graph = self.spec.clone();
        let mut ends = Vec::new();
        let mut rank = 0;
        for id in &spec.exporters {
            match graph.connectors.iter().find(|known| known.id == *id) {
                Some(connector) => {
                    let (destination, of_connector) =
                        self.connector(&graph, spec, id, &connector.connector)?;
                    rank = rank.max(of_connector + 1);
                    ends.push(destination);
                }
                None => {
                    let account = self.gateway.account(&spec.id, id);
                    let destination = self.destinations.get(self.gateway, id, spec.signal, account);
                    let unknown = || StartError::Unknown {
                        pipeline: spec.id.clone(),
                        kind: "exporter",
                        id: id.clone(),
                    };
                    ends.push(destination.ok_or_else(unknown)?);
                }
            }
        }
        let fanout = FanOut::new(ends, self.gateway.context.clock.clone());
        self.gateway.drained.push((rank, Drained::FanOut(fanout.clone())));
        let (hop, delivery) = (fanout.hop().clone(), fanout.delivery());
        // Behind a holder that has answered, nothing is refused.
        let is_answered = spec.stages.iter().any(|stage| match &stage.stage {
            StageSpec::Processor(_) => false,
            StageSpec::Batch(_) => delivery == Delivery::Memory,
            StageSpec::Holder(holder) => holder.answers == Answers::OnAdmission,
        });
        let entry = match spec.stages.last().map(|stage| &stage.stage) {
            // It asks the queues before it answers.
            Some(StageSpec::Batch(_)) => PipelineEntry::FanOut(fanout),
            _ if is_answered => PipelineEntry::PatientFanOut(fanout.patient()),
            _ => PipelineEntry::FanOut(fanout),
        };
        Ok(Rest { entry, hop, delivery, rank })
    }

    /// A connector at the end of a pipeline, and its rank: it emits into the pipelines that name it as a receiver.
    fn connector(
        &mut self,
        graph: &GatewaySpec,
        spec: &PipelineSpec,
        id: &str,
        connector: &HolderSpec,
    ) -> Result<(Destination, usize), StartError> {
        let fed = graph.pipelines.iter().filter(|fed| fed.receivers.iter().any(|receiver| receiver == id));
        let mut outlets = Vec::new();
        for fed in fed {
            outlets.push((&*fed.id, fed.signal, self.pipeline(fed)?));
        }
        let rank = 1 + outlets.iter().map(|(_, _, rest)| rest.rank).max().unwrap_or(0);
        let all_memory = outlets.iter().all(|(_, _, rest)| rest.delivery == Delivery::Memory);
        let behind = if all_memory { Delivery::Memory } else { Delivery::EndToEnd };
        let account = self.gateway.account(&spec.id, id);
        let stage = self.make(spec, id, connector, account.clone(), outlets, rank)?;
        Ok((Destination::queued(account, stage.as_queue(behind)), rank))
    }

    /// A holder in front of the rest of its pipeline.
    fn holder(
        &mut self,
        spec: &PipelineSpec,
        id: &str,
        holder: &HolderSpec,
        rest: Rest,
    ) -> Result<Rest, StartError> {
        let rank = rest.rank + 1;
        let delivery = holder.answers.delivery(rest.delivery);
        let account = self.gateway.account(&spec.id, id);
        let stage = self.make(spec, id, holder, account, vec![(&spec.id, spec.signal, rest)], rank)?;
        let hop = stage.hop().clone();
        Ok(Rest { entry: PipelineEntry::Holder(stage), hop, delivery, rank })
    }

    /// Makes a holder or a connector.
    fn make(
        &mut self,
        spec: &PipelineSpec,
        id: &str,
        holder: &HolderSpec,
        account: Arc<Account>,
        outlets: Vec<(&str, Signal, Rest)>,
        rank: usize,
    ) -> Result<HolderStage, StartError> {
        let mut context = holder.context(account, spec.signal, self.gateway.context.clock.clone());
        context.budget = self.gateway.context.budget.clone();
        for (pipeline, signal, rest) in outlets {
            context = context.with_outlet(pipeline, signal, rest.entry);
        }
        let made = holder.make(context);
        let stage = made.map_err(|source| StartError::Component { component: id.into(), source })?;
        self.gateway.drained.push((rank, Drained::Holder(stage.clone())));
        Ok(stage)
    }

    /// A batch processor in front of the rest of its pipeline. It counts what it holds in the accounts of those behind it.
    fn batch(&mut self, spec: &PipelineSpec, id: &str, config: &BatchConfig, rest: Rest) -> Rest {
        let Rest { entry, hop, delivery, rank } = rest;
        let stats = BatchStats::new(&self.gateway.registry, id, &spec.id, spec.signal);
        let clock = self.gateway.context.clock.clone();
        let batcher = match entry {
            PipelineEntry::FanOut(fanout) => {
                BatchProcessor::start_before(config.clone(), &fanout, clock, stats)
            }
            entry => {
                let options = BatchOptions::default().with_delivery(delivery);
                let options = options.with_stats(stats).with_hop(hop.clone());
                BatchProcessor::start_with(config.clone(), entry, clock, options)
            }
        };
        let batcher = Arc::new(batcher);
        let rank = rank + 1;
        self.gateway.drained.push((rank, Drained::Batch(batcher.clone())));
        Rest { entry: PipelineEntry::Batch(batcher), hop, delivery, rank }
    }

    /// The processors gathered so far, last first, in front of the rest of their pipeline.
    fn processors(&self, gathered: &mut Vec<Link>, rest: Rest) -> Rest {
        if gathered.is_empty() {
            return rest;
        }
        let Rest { entry, hop, .. } = rest;
        let processors = std::mem::take(gathered).into_iter().rev();
        let clock = self.gateway.context.clock.clone();
        let chain = ProcessorChain::new(processors, BoxExport::new(entry), hop.clone(), clock);
        Rest { entry: PipelineEntry::Processors(chain), hop, ..rest }
    }

    /// What a receiver hands its batches to.
    fn inlets(&mut self, receiver: &str, needs: Option<&ReceiverNeeds>) -> Inlets {
        let mut pipelines: Vec<Pipelines> = Vec::new();
        let fed = self.spec.pipelines.iter().filter(|spec| spec.receivers.iter().any(|id| id == receiver));
        for spec in fed {
            let Some(rest) = self.gateway.pipelines.get(&spec.id) else { continue };
            let entry = rest.entry.clone();
            match pipelines.iter_mut().find(|known| known.signal == spec.signal) {
                Some(known) => known.entries.push(entry),
                None => {
                    let memory = self.memory.entry(spec.signal);
                    let stats = || MemoryStats::new(&self.gateway.registry, spec.signal);
                    let memory = memory.or_insert_with(stats).clone();
                    pipelines.push(Pipelines { signal: spec.signal, entries: vec![entry], memory });
                }
            }
        }
        Inlets {
            receiver: receiver.into(),
            needs: needs.map(|needs| needs.needs.clone()).unwrap_or_default(),
            pipelines,
            registry: self.gateway.registry.clone(),
        }
    }

    /// Metrics and health.
    async fn serve_pages(&mut self) -> Result<(), StartError> {
        let Gateway { context, registry, health, pages: open, .. } = &mut *self.gateway;
        if let Some(endpoint) = &self.spec.metrics_endpoint {
            open.push(("metrics", pages::serve_metrics(context, endpoint, registry.clone()).await?));
        }
        for spec in &self.spec.health {
            open.push(("health", pages::serve_health(context, spec, health.clone()).await?));
        }
        Ok(())
    }
}

type Link = (String, Arc<dyn Processor>, ProcessorStats);

/// What cuts requests for a batch processor, if it keeps values of resource attributes apart. It counts with the batch
/// processor.
fn cutting(id: &str, config: &BatchConfig) -> Option<Link> {
    let keys = Some(config.resource_keys.clone()).filter(|keys| !keys.is_empty())?;
    let cut = ResourceKeys::new(keys, config.metadata_cardinality_limit);
    Some((id.into(), Arc::new(cut), ProcessorStats::default()))
}
