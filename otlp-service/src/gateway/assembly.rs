//! Pipelines of a graph, top down: stages → fan-out → destination. What the graph before has of the same is kept.
//!
//! A pipeline is put together from its ends to its entry, since each component is made with the one behind it. So a
//! component is kept if it is the same and all behind it was kept; a holder or a connector also if what is behind it is new,
//! since it emits through switches.

use super::StartError;
use super::build::Turn;
use super::destination::Way;
use super::end::End;
use super::graph::{Graph, Head};
use super::piece::{Behind, Drained, Piece, Placed, Rest, Role, Sketch};
use super::shared::Shared;
use crate::batch::{BatchConfig, BatchOptions, BatchProcessor};
use crate::component::{Processor, ProcessorMetrics, Started};
use crate::fanout::{Delivery, FanOut};
use crate::holder::{Answers, HolderSpec};
use crate::ledger::{Hop, Line};
use crate::observe::Edge;
use crate::processor::{ProcessorChain, ResourceKeys};
use crate::receiver::{Entrance, PipelineEntry};
use crate::spec::{ConnectorSpec, Fingerprint, GatewaySpec, PipelineSpec, PipelineStage, StageSpec};
use crate::switch::Switch;
use crate::telemetry::{BatchStats, ProcessorStats, RequestStats};
use otlp_protocol::Signal;
use otlp_transport::BoxExport;
use std::sync::Arc;

/// Puts the pipelines of `spec` together, in `graph`, which has its exporters; `old` is the graph before. Returns the starts of the
/// processors.
pub(super) fn assemble(
    shared: &Shared,
    old: &Graph,
    spec: &GatewaySpec,
    graph: &mut Graph,
    turns: &mut Vec<Turn>,
) -> Result<Vec<Started>, StartError> {
    let mut assembly = Assembly { shared, old, spec, graph, turns, starts: Vec::new() };
    spec.pipelines.iter().try_for_each(|pipeline| assembly.pipeline(pipeline).map(drop))?;
    Ok(assembly.starts)
}

struct Assembly<'a> {
    shared: &'a Shared,
    old: &'a Graph,
    spec: &'a GatewaySpec,
    graph: &'a mut Graph,
    turns: &'a mut Vec<Turn>,
    /// Starts of the processors that were made.
    starts: Vec<Started>,
}

/// A component that was made.
struct Made {
    entry: PipelineEntry,
    hop: Hop,
    drained: Option<Drained>,
    outlets: Vec<Switch>,
    lines: Vec<Arc<Line>>,
}

/// Where a holder or a connector emits: into the rest of a pipeline, behind an edge.
struct Outlet<'a> {
    pipeline: &'a str,
    signal: Signal,
    rest: Rest,
    edge: Edge,
    /// Counts the requests that enter another pipeline.
    requests: Option<Arc<RequestStats>>,
}

/// A processor of a chain, with the identity of its settings.
struct Link {
    id: String,
    settings: Option<Fingerprint>,
    processor: Arc<dyn Processor>,
    /// False for what cuts requests for a batch processor, and counts with that.
    is_counted: bool,
}

impl Assembly<'_> {
    /// A pipeline; made when the first connector leads there, or in its turn. Connectors never lead back, so this ends.
    fn pipeline(&mut self, spec: &PipelineSpec) -> Result<Rest, StartError> {
        if let Some(known) = self.graph.heads.get(&spec.id) {
            return Ok(known.rest.clone());
        }
        let mut rest = self.ends(spec)?;
        // Processors in a row run as one chain: they are CPU alone, and a batch is handed on once.
        let mut processors = Vec::new();
        for stage in spec.stages.iter().rev() {
            match &stage.stage {
                StageSpec::Processor(processor) => processors.push(Link {
                    id: stage.id.clone(),
                    settings: stage.settings,
                    processor: processor.clone(),
                    is_counted: true,
                }),
                StageSpec::Batch(config) => {
                    rest = self.processors(spec, &mut processors, rest)?;
                    rest = self.batch(spec, stage, config, rest)?;
                    processors.extend(cutting(stage, config));
                }
                StageSpec::Holder(holder) => {
                    rest = self.processors(spec, &mut processors, rest)?;
                    rest = self.holder(spec, stage, holder, rest)?;
                }
            }
        }
        rest = self.processors(spec, &mut processors, rest)?;
        let head = self.head(spec, rest.clone());
        self.graph.heads.insert(spec.id.clone(), head);
        Ok(rest)
    }

    /// The beginning of a pipeline: the way in from outside goes on if the pipeline was there before.
    fn head(&mut self, spec: &PipelineSpec, rest: Rest) -> Head {
        let before = self.old.heads.get(&spec.id).filter(|head| head.signal == spec.signal);
        let edge = self.shared.observers.entry(&spec.id, spec.signal);
        let requests = RequestStats::of_pipeline(&self.shared.registry, &spec.id, spec.signal);
        let entrance = rest.behind_edge(&edge, Some(&requests));
        let inlet = match before {
            Some(before) => {
                if before.rest.serial != rest.serial {
                    self.turns.push((before.inlet.clone(), vec![entrance]));
                }
                before.inlet.clone()
            }
            None => Switch::new(vec![entrance]),
        };
        Head { signal: spec.signal, edge, requests, rest, inlet }
    }

    /// Keeps the component that is the same in the old graph, or makes it.
    fn place(
        &mut self,
        sketch: Sketch,
        behind: Vec<Behind>,
        rank: usize,
        make: impl FnOnce(&mut Self) -> Result<Made, StartError>,
    ) -> Result<Arc<Piece>, StartError> {
        let piece = match self.old.pieces.iter().find(|placed| placed.is(&sketch, &behind)) {
            Some(kept) => kept.piece.clone(),
            None => {
                let Made { entry, hop, drained, outlets, lines } = make(self)?;
                let serial = self.shared.serial();
                Arc::new(Piece { serial, sketch, entry, hop, drained, outlets, _lines: lines })
            }
        };
        self.graph.pieces.push(Placed { piece: piece.clone(), behind, rank });
        Ok(piece)
    }

    /// The ends of a pipeline, exporters and connectors. All of them get each batch, or none does.
    fn ends(&mut self, spec: &PipelineSpec) -> Result<Rest, StartError> {
        let (mut ends, mut behind, mut rank) = (Vec::new(), Vec::new(), 0);
        for id in &spec.exporters {
            let connector = self.spec.connectors.iter().find(|known| known.id == *id);
            let end = match connector {
                Some(connector) => {
                    let (end, of_connector) = self.connector(spec, connector)?;
                    rank = rank.max(of_connector + 1);
                    end
                }
                None => End::Exporter(self.way(spec, id)?),
            };
            behind.push(end.behind());
            ends.push((id, end));
        }
        let delivery = behind.iter().map(|(_, delivery)| *delivery).max().unwrap_or(Delivery::Memory);
        let role = Role::FanOut { is_patient: is_patient(spec, delivery) };
        // The batch processor has its edge in the fan-out.
        let batch = spec.stages.last().filter(|stage| matches!(stage.stage, StageSpec::Batch(_)));
        let made_of = batch.map(|stage| (stage.id.clone(), Some(Fingerprint::of(&()))));
        let sketch = sketch(spec, role, made_of.into_iter().collect());
        let piece = self.place(sketch, behind, rank, |assembly| Ok(assembly.fan_out(spec, role, ends)))?;
        let (entry, hop, serial) = (piece.entry.clone(), piece.hop.clone(), piece.serial);
        Ok(Rest { entry, hop, delivery, rank, serial, feedback: piece.feedback() })
    }

    fn fan_out(&mut self, spec: &PipelineSpec, role: Role, ends: Vec<(&String, End)>) -> Made {
        let mut lines = Vec::new();
        let batch = spec.stages.last().filter(|stage| matches!(stage.stage, StageSpec::Batch(_)));
        let names = batch.map(|stage| &stage.id).into_iter().chain(ends.iter().map(|(id, _)| *id));
        let edges = names.map(|id| self.edge(spec, id)).collect();
        let destinations = ends.into_iter().map(|(id, end)| {
            let line = self.shared.line(&spec.id, id);
            let destination = end.destination(&line);
            lines.push(line);
            destination
        });
        let fanout = FanOut::observed(destinations.collect(), self.shared.clock(), edges);
        let (hop, drained) = (fanout.hop().clone(), Some(Drained::FanOut(fanout.clone())));
        let entry = match role {
            Role::FanOut { is_patient: true } => PipelineEntry::PatientFanOut(fanout.patient()),
            _ => PipelineEntry::FanOut(fanout),
        };
        Made { entry, hop, drained, outlets: Vec::new(), lines }
    }

    /// The way of the pipeline's signal to an exporter.
    fn way(&mut self, spec: &PipelineSpec, id: &str) -> Result<Arc<Way>, StartError> {
        let key = (id.to_owned(), spec.signal.name);
        if let Some(known) = self.graph.ways.get(&key) {
            return Ok(known.clone());
        }
        let unknown = || StartError::Unknown { pipeline: spec.id.clone(), kind: "exporter", id: id.into() };
        let exporter = self.graph.exporters.iter().find(|known| known.id == id).ok_or_else(unknown)?;
        let is_kept = self.old.exporters.iter().any(|known| Arc::ptr_eq(known, exporter));
        let way = match self.old.ways.get(&key).filter(|_| is_kept) {
            Some(kept) => kept.clone(),
            None => Arc::new(exporter.way(self.shared, spec.signal)?.ok_or_else(unknown)?),
        };
        self.graph.ways.insert(key, way.clone());
        Ok(way)
    }

    /// A connector at the end of a pipeline, and its rank: it emits into the pipelines that name it as a receiver.
    fn connector(
        &mut self,
        spec: &PipelineSpec,
        connector: &ConnectorSpec,
    ) -> Result<(End, usize), StartError> {
        let all = self.spec;
        let mut outlets = Vec::new();
        for fed in all.pipelines.iter().filter(|fed| connector.leads(spec, fed)) {
            let (pipeline, signal, rest) = (&*fed.id, fed.signal, self.pipeline(fed)?);
            let edge = self.shared.observers.entry(pipeline, signal);
            let requests = Some(RequestStats::of_pipeline(&self.shared.registry, pipeline, signal));
            outlets.push(Outlet { pipeline, signal, rest, edge, requests });
        }
        let rank = 1 + outlets.iter().map(|outlet| outlet.rest.rank).max().unwrap_or(0);
        let behind = outlets.iter().map(|outlet| outlet.rest.delivery).max().unwrap_or(Delivery::Memory);
        let role = Role::Connector(connector.connector.answers);
        let made_of = vec![(connector.id.clone(), connector.settings)];
        let sketch = sketch(spec, role, made_of);
        let piece = self.holding(spec, sketch, &connector.connector, outlets, rank)?;
        Ok((End::Connector(piece, behind), rank))
    }

    /// A holder in front of the rest of its pipeline.
    fn holder(
        &mut self,
        spec: &PipelineSpec,
        stage: &PipelineStage,
        holder: &HolderSpec,
        rest: Rest,
    ) -> Result<Rest, StartError> {
        let rank = rest.rank + 1;
        let delivery = holder.answers.delivery(rest.delivery);
        let sketch = sketch(spec, Role::Holder(holder.answers), vec![(stage.id.clone(), stage.settings)]);
        let edge = self.edge(spec, &stage.id);
        let outlet = Outlet { pipeline: &spec.id, signal: spec.signal, rest, edge, requests: None };
        let piece = self.holding(spec, sketch, holder, vec![outlet], rank)?;
        let (entry, hop, serial) = (piece.entry.clone(), piece.hop.clone(), piece.serial);
        Ok(Rest { entry, hop, delivery, rank, serial, feedback: Vec::new() })
    }

    /// A holder or a connector: where it emits is turned if that is new.
    fn holding(
        &mut self,
        spec: &PipelineSpec,
        mut sketch: Sketch,
        holder: &HolderSpec,
        outlets: Vec<Outlet<'_>>,
        rank: usize,
    ) -> Result<Arc<Piece>, StartError> {
        sketch.outlets = outlets.iter().map(|outlet| (outlet.pipeline.to_owned(), outlet.signal)).collect();
        let behind: Vec<_> = outlets.iter().map(|outlet| outlet.rest.behind()).collect();
        let id = sketch.made_of.first().map(|(id, _)| id.clone()).unwrap_or_default();
        let (old, new) = (self.old, &outlets);
        let piece = self.place(sketch, behind, rank, |assembly| assembly.make(spec, &id, holder, new))?;
        let before = old.pieces.iter().find(|placed| Arc::ptr_eq(&placed.piece, &piece));
        for (index, switch) in piece.outlets.iter().enumerate() {
            let (Some(before), Some(outlet)) = (before, outlets.get(index)) else { continue };
            if before.behind.get(index).is_none_or(|(serial, _)| *serial != outlet.rest.serial) {
                self.turns.push((switch.clone(), vec![outlet.entrance()]));
            }
        }
        Ok(piece)
    }

    /// Makes a holder or a connector.
    fn make(
        &mut self,
        spec: &PipelineSpec,
        id: &str,
        holder: &HolderSpec,
        outlets: &[Outlet<'_>],
    ) -> Result<Made, StartError> {
        let line = self.shared.line(&spec.id, id);
        let mut context = holder.context(line.account().clone(), spec.signal, self.shared.clock());
        context.budget = self.shared.context.budget.clone();
        context.registry = self.shared.registry.clone();
        let mut switches = Vec::with_capacity(outlets.len());
        for outlet in outlets {
            let switch = Switch::new(vec![outlet.entrance()]);
            context = context.with_outlet(outlet.pipeline, outlet.signal, switch.clone());
            switches.push(switch);
        }
        let made = holder.make(context);
        let stage = made.map_err(|source| StartError::Component { component: id.into(), source })?;
        let (hop, drained) = (stage.hop().clone(), Some(Drained::Holder(stage.clone())));
        let entry = PipelineEntry::Holder(stage);
        Ok(Made { entry, hop, drained, outlets: switches, lines: vec![line] })
    }

    /// A batch processor in front of the rest of its pipeline. It counts what it holds in the accounts of those behind it.
    fn batch(
        &mut self,
        spec: &PipelineSpec,
        stage: &PipelineStage,
        config: &BatchConfig,
        rest: Rest,
    ) -> Result<Rest, StartError> {
        let rank = rest.rank + 1;
        // What those behind it need of requests is a setting of the batch processor, too.
        let kept_apart = (stage.settings, &config.metadata_keys, config.by_identity);
        let settings = stage.settings.map(|_| Fingerprint::of(&kept_apart));
        let sketch = sketch(spec, Role::Batch, vec![(stage.id.clone(), settings)]);
        let behind = vec![rest.behind()];
        let piece = self.place(sketch, behind, rank, |assembly| {
            let shared = assembly.shared;
            let stats = BatchStats::new(&shared.registry, &stage.id, &spec.id, spec.signal);
            let (clock, hop) = (shared.clock(), rest.hop.clone());
            let batcher = match rest.entry.clone() {
                PipelineEntry::FanOut(fanout) => {
                    BatchProcessor::start_before(config.clone(), &fanout, clock, stats)
                }
                entry => {
                    let entry = assembly.edge(spec, &stage.id).in_front_of(entry);
                    let options = BatchOptions::default().with_delivery(rest.delivery);
                    let options = options.with_stats(stats).with_hop(hop.clone());
                    let options = options.with_feedback(rest.feedback.clone());
                    BatchProcessor::start_with(config.clone(), entry, clock, options)
                }
            };
            let batcher = Arc::new(batcher);
            let drained = Some(Drained::Batch(batcher.clone()));
            let entry = PipelineEntry::Batch(batcher);
            Ok(Made { entry, hop, drained, outlets: Vec::new(), lines: Vec::new() })
        })?;
        Ok(Rest { entry: piece.entry.clone(), rank, serial: piece.serial, ..rest })
    }

    /// The edge behind a stage of a pipeline, or in front of an exporter.
    fn edge(&self, spec: &PipelineSpec, component: &str) -> Edge {
        self.shared.observers.within(&spec.id, component, spec.signal)
    }

    /// The processors gathered so far, last first, in front of the rest of their pipeline.
    fn processors(
        &mut self,
        spec: &PipelineSpec,
        gathered: &mut Vec<Link>,
        rest: Rest,
    ) -> Result<Rest, StartError> {
        if gathered.is_empty() {
            return Ok(rest);
        }
        let links: Vec<_> = std::mem::take(gathered).into_iter().rev().collect();
        let made_of = links.iter().map(|link| (link.id.clone(), link.settings)).collect();
        let sketch = sketch(spec, Role::Processors, made_of);
        let behind = vec![rest.behind()];
        let piece = self.place(sketch, behind, rest.rank, |assembly| {
            let shared = assembly.shared;
            let links = links.into_iter().map(|link| {
                let stats = ProcessorStats::new(&shared.registry, &link.id, &spec.id, spec.signal);
                // The batch processor that cuts has an edge of its own.
                let edge = link.is_counted.then(|| assembly.edge(spec, &link.id));
                let metrics = ProcessorMetrics::new(&shared.registry, &link.id, &spec.id, spec.signal);
                let processor = link.processor.with_metrics(&metrics).unwrap_or(link.processor);
                assembly.starts.push(processor.start(&shared.context));
                (link.id, processor, if link.is_counted { stats } else { ProcessorStats::default() }, edge)
            });
            let next = BoxExport::new(rest.entry.clone());
            let chain = ProcessorChain::observed(links, next, rest.hop.clone(), shared.clock())
                .with_spans(shared.spans.clone());
            let (entry, hop) = (PipelineEntry::Processors(chain), rest.hop.clone());
            Ok(Made { entry, hop, drained: None, outlets: Vec::new(), lines: Vec::new() })
        })?;
        Ok(Rest { entry: piece.entry.clone(), serial: piece.serial, ..rest })
    }
}

// === impl Outlet ===

impl Outlet<'_> {
    fn entrance(&self) -> Entrance {
        self.rest.behind_edge(&self.edge, self.requests.as_ref())
    }
}

fn sketch(spec: &PipelineSpec, role: Role, made_of: Vec<(String, Option<Fingerprint>)>) -> Sketch {
    Sketch { pipeline: spec.id.clone(), signal: spec.signal, role, made_of, outlets: Vec::new() }
}

/// True if the fan-out of a pipeline is behind a stage that has answered: nothing is refused then. `delivery` is that of
/// the ends.
fn is_patient(spec: &PipelineSpec, delivery: Delivery) -> bool {
    let is_answered = spec.stages.iter().any(|stage| match &stage.stage {
        StageSpec::Processor(_) => false,
        StageSpec::Batch(_) => delivery == Delivery::Memory,
        StageSpec::Holder(holder) => holder.answers == Answers::OnAdmission,
    });
    // A batch processor right in front asks the queues before it answers.
    let is_behind_batch =
        matches!(spec.stages.last(), Some(PipelineStage { stage: StageSpec::Batch(_), .. }));
    is_answered && !is_behind_batch
}

/// Makes the processor that cuts requests by resource attributes for a batch processor with `resource_keys`. The items count
/// with the batch processor.
fn cutting(stage: &PipelineStage, config: &BatchConfig) -> Option<Link> {
    let keys = Some(config.resource_keys.clone()).filter(|keys| !keys.is_empty())?;
    let cut = ResourceKeys::new(keys, config.metadata_cardinality_limit);
    Some(Link { id: stage.id.clone(), settings: stage.settings, processor: Arc::new(cut), is_counted: false })
}
