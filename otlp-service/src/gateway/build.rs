//! A graph that is being built for a spec: what can be kept of the graph before is shared with it, all else is made and
//! started, extensions and exporters first and receivers last, so that whoever takes a batch has somewhere to put it. Nothing
//! that runs changes before the commit, which takes no time and cannot fail.

use super::checks::Checks;
use super::destination::Exporter;
use super::graph::{ExtensionRun, Fed, FedSignal, Graph, ReceiverRun};
use super::pages::{self, PagesRun, Wanted};
use super::retirement::{Retired, Retirement};
use super::shared::{Managed, Shared};
use super::succession::Succession;
use super::{StartError, assembly};
use crate::component::Needs;
use crate::health::{HealthChecksSpec, Layout, PipelineLayout};
use crate::receiver::{Entrance, Inlets, Pipelines, Reroute};
use crate::spec::{
    ExporterSpec, ExtensionSpec, Fingerprint, GatewaySpec, Outline, PipelineSpec, ReceiverSpec,
};
use crate::switch::{Ended, Switch};
use crate::telemetry::MemoryStats;
use futures_util::FutureExt;
use futures_util::future::join_all;
use otlp_transport::Handover;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// A switch, and the entries it is to lead to.
pub(super) type Turn = (Switch, Vec<Entrance>);

/// A graph that has taken the place of another one.
pub(super) struct Committed {
    pub(super) graph: Graph,
    /// Ends of the exports into what it replaces.
    pub(super) ended: Vec<Ended>,
    /// Receivers that it replaces and that stay open until their senders have gone.
    pub(super) successions: Vec<Succession>,
    /// True if senders of an earlier retirement are still led into what the graph replaces: no pipeline of the graph is for
    /// them.
    pub(super) has_orphans: bool,
}

/// A graph that is being built. Dropping it stops what is new, in a task of its own.
pub(super) struct Build<'a> {
    shared: &'a Arc<Shared>,
    old: &'a Graph,
    graph: Graph,
    handover: Handover,
    turns: Vec<Turn>,
    reroutes: Vec<Reroute>,
    memory_limit_bytes: Option<u64>,
    health_checks: HealthChecksSpec,
    layout: Arc<Layout>,
}

impl<'a> Build<'a> {
    pub(super) fn new(shared: &'a Arc<Shared>, old: &'a Graph) -> Self {
        Self {
            shared,
            old,
            graph: Graph::default(),
            handover: shared.sockets.handover(),
            turns: Vec::new(),
            reroutes: Vec::new(),
            memory_limit_bytes: None,
            health_checks: HealthChecksSpec::default(),
            layout: Arc::default(),
        }
    }

    /// Builds the graph of `spec`. After an error, and if the future is dropped, what was started is in `self`.
    pub(super) async fn run(&mut self, mut spec: GatewaySpec) -> Result<(), StartError> {
        spec.check()?;
        self.graph.outline = Outline::of(&spec);
        self.memory_limit_bytes = spec.memory_limit_bytes;
        self.health_checks = std::mem::take(&mut spec.health_checks);
        self.layout = Arc::new(layout(&spec));
        spec.keep_apart();
        let needs = spec.needs();
        for extension in std::mem::take(&mut spec.extensions) {
            self.extension(extension).await?;
        }
        for exporter in std::mem::take(&mut spec.exporters) {
            self.exporter(exporter).await?;
        }
        let starts = assembly::assemble(self.shared, self.old, &spec, &mut self.graph, &mut self.turns)?;
        join_all(starts).await;
        for placed in &self.graph.pieces {
            if let Some(drained) = placed.piece.drained.as_ref().filter(|_| !self.old.has(&placed.piece)) {
                drained.start();
            }
        }
        // What stays is known before anything new asks for an address.
        let pages = self.kept_pages(&spec);
        let mut receivers = Vec::with_capacity(spec.receivers.len());
        for receiver in std::mem::take(&mut spec.receivers) {
            let of_receiver = needs.iter().find(|needs| needs.receiver == receiver.id);
            let needs = of_receiver.map(|needs| needs.needs.clone()).unwrap_or_default();
            let feeds = feeds(&receiver.id, &spec);
            let kept = self.kept_receiver(&receiver, &needs, &feeds);
            receivers.push((receiver, needs, feeds, kept));
        }
        for (wanted, kept) in pages {
            self.pages(wanted, kept).await?;
        }
        for (receiver, needs, feeds, kept) in receivers {
            let fed = match kept {
                Some(kept) => kept,
                None => self.receiver(receiver, needs, feeds).await?,
            };
            self.graph.receivers.push(fed);
        }
        Ok(())
    }

    /// Puts the new graph into the place of the old one: not interrupted by anything, and not seen half done by any
    /// request. Also leads senders of earlier retirements there.
    pub(super) fn commit(mut self, retirements: &[Retirement]) -> Committed {
        let mut graph = std::mem::take(&mut self.graph);
        let mut turns = std::mem::take(&mut self.turns);
        let successions = self.succeed(&graph, &mut turns);
        let mut has_orphans = false;
        for succession in retirements.iter().flat_map(|retirement| &retirement.successions) {
            has_orphans |= !succession.lead(&graph, &mut turns);
        }
        for (id, head) in &self.old.heads {
            if graph.heads.get(id).is_none_or(|new| !new.inlet.is(&head.inlet)) {
                turns.push((head.inlet.clone(), Vec::new()));
            }
        }
        let ended = turns.into_iter().map(|(switch, entries)| switch.turn(entries)).collect();
        std::mem::take(&mut self.reroutes).into_iter().for_each(|reroute| reroute());
        self.handover.activate();
        if let Some(limit) = self.memory_limit_bytes {
            self.shared.context.budget.set_limit(limit);
        }
        let is_kept = |known: &&Arc<Exporter>| graph.exporters.iter().any(|new| Arc::ptr_eq(new, known));
        self.old.exporters.iter().filter(|known| !is_kept(known)).for_each(|gone| gone.hide());
        let connect = self.health_checks.connect.as_ref();
        graph.exporters.iter().for_each(|exporter| exporter.show(self.shared, connect));
        graph.checks = Checks::show(self.shared, std::mem::take(&mut self.health_checks), &graph, self.old);
        self.shared.status.set_layout(self.layout.clone());
        Committed { graph, ended, successions, has_orphans }
    }

    /// Leads requests that replaced receivers still take to the new pipelines.
    fn succeed(&mut self, graph: &Graph, turns: &mut Vec<Turn>) -> Vec<Succession> {
        let mut successions = Vec::new();
        for fed in self.old.receivers.iter().filter(|fed| !graph.feeds(&fed.receiver)) {
            let inlets = |id: &str, needs: &Needs, signals: &[FedSignal]| self.inlets(id, needs, signals);
            if let Some((succession, reroute)) = Succession::new(fed, graph, inlets) {
                succession.lead(graph, turns);
                self.reroutes.extend(reroute);
                successions.push(succession);
                continue;
            }
            for signal in &fed.signals {
                let heirs = graph.heirs(&fed.receiver.id, signal);
                turns.extend(Some((signal.switch.clone(), heirs)).filter(|(_, heirs)| !heirs.is_empty()));
            }
        }
        successions
    }

    /// Stops what is new, since the build failed. What custom receivers took in meanwhile is delivered as far as time allows.
    pub(super) async fn abandon(mut self) {
        // As a task of its own it goes on if this future is dropped.
        if let Some(task) = self.spawn_stop() {
            drop(task.await);
        }
    }

    fn spawn_stop(&mut self) -> Option<tokio::task::JoinHandle<()>> {
        let graph = std::mem::take(&mut self.graph);
        let retired = Retired::new(graph, self.old, Vec::new(), Vec::new(), self.shared);
        let deadline = self.shared.context.clock.now() + STOP_TIME;
        let runtime = Handle::try_current().ok().filter(|_| !retired.is_empty())?;
        Some(runtime.spawn(async move { retired.stop(deadline).await }.boxed()))
    }

    async fn extension(&mut self, spec: ExtensionSpec) -> Result<(), StartError> {
        let ExtensionSpec { id, extension, settings } = spec;
        let same =
            |known: &&Arc<ExtensionRun>| known.id == id && Fingerprint::is_same(known.settings, settings);
        let run = match self.old.extensions.iter().find(same) {
            Some(kept) => kept.clone(),
            None => {
                let managed = Managed::start(&id, extension.0).await?;
                Arc::new(ExtensionRun { id, settings, managed })
            }
        };
        self.graph.extensions.push(run);
        Ok(())
    }

    async fn exporter(&mut self, spec: ExporterSpec) -> Result<(), StartError> {
        let same = |known: &&Arc<Exporter>| {
            known.id == spec.id && Fingerprint::is_same(known.settings, spec.settings)
        };
        let exporter = match self.old.exporters.iter().find(same) {
            Some(kept) => kept.clone(),
            None => Arc::new(Exporter::start(self.shared, spec).await?),
        };
        self.graph.exporters.push(exporter);
        Ok(())
    }

    /// Servers of metrics and health that are wanted, and those that are there already.
    fn kept_pages(&self, spec: &GatewaySpec) -> Vec<(Wanted, Option<Arc<PagesRun>>)> {
        let kept = Wanted::of(spec).into_iter().map(|wanted| {
            let kept = self.old.pages.iter().find(|known| known.wanted == wanted).cloned();
            if kept.is_some() {
                self.handover.keep(&wanted.component());
            }
            (wanted, kept)
        });
        kept.collect()
    }

    /// Serves metrics or health, unless that is done already.
    async fn pages(&mut self, wanted: Wanted, kept: Option<Arc<PagesRun>>) -> Result<(), StartError> {
        let is_new = |known: &Arc<PagesRun>| self.graph.pages.iter().all(|new| !Arc::ptr_eq(new, known));
        if let Some(kept) = kept.filter(is_new) {
            self.graph.pages.push(kept);
            return Ok(());
        }
        let context = self.shared.context_for(&wanted.component(), &self.handover);
        let server = pages::serve(&context, &wanted, self.shared).await?;
        self.graph.pages.push(Arc::new(PagesRun { wanted, server }));
        Ok(())
    }

    /// The running receiver that is the same and can take the signals, if there is one.
    fn kept_receiver(&mut self, spec: &ReceiverSpec, needs: &Needs, feeds: &[Feed]) -> Option<Fed> {
        let same = |known: &&Fed| {
            let known = &known.receiver;
            known.id == spec.id
                && Fingerprint::is_same(known.settings, spec.settings)
                && known.needs == *needs
        };
        let kept = self.old.receivers.iter().find(same)?;
        let kept = self.keep(kept, feeds)?;
        self.handover.keep(&receiver_component(&spec.id));
        Some(kept)
    }

    /// Starts a receiver.
    async fn receiver(
        &mut self,
        spec: ReceiverSpec,
        needs: Needs,
        feeds: Vec<Feed>,
    ) -> Result<Fed, StartError> {
        let ReceiverSpec { id, receiver, settings } = spec;
        let signals: Vec<_> = feeds.into_iter().map(|feed| self.fed(feed, None)).collect();
        let inlets = self.inlets(&id, &needs, &signals);
        let context = self.shared.context_for(&receiver_component(&id), &self.handover);
        let running = Mutex::new(Some(receiver.start(inlets, &context).await?));
        let receiver = Arc::new(ReceiverRun { id, settings, needs, running });
        Ok(Fed { receiver, signals })
    }

    /// A receiver that stays, with what it feeds now; `None` if it cannot take other signals.
    fn keep(&mut self, fed: &Fed, feeds: &[Feed]) -> Option<Fed> {
        let before = |signal| fed.signals.iter().find(|known| known.signal == signal);
        let signals: Vec<_> = feeds.iter().map(|feed| self.fed(feed.clone(), before(feed.0))).collect();
        let stays = |known: &FedSignal| feeds.iter().any(|(signal, _)| *signal == known.signal);
        let is_same_set = signals.len() == fed.signals.len() && fed.signals.iter().all(stays);
        if !is_same_set {
            let inlets = self.inlets(&fed.receiver.id, &fed.receiver.needs, &signals);
            let running = fed.receiver.running.lock();
            self.reroutes.push(running.as_ref()?.reroute(&inlets)?);
        }
        for known in &fed.signals {
            let new = signals.iter().find(|new| new.signal == known.signal);
            let pipelines = new.map(|new| &*new.pipelines).unwrap_or_default();
            if self.graph.serials(pipelines) != self.old.serials(&known.pipelines) {
                self.turns.push((known.switch.clone(), self.graph.entries(pipelines)));
            }
        }
        Some(Fed { receiver: fed.receiver.clone(), signals })
    }

    /// The pipelines of a signal that a receiver feeds, behind the switch that it has.
    fn fed(&self, (signal, pipelines): Feed, before: Option<&FedSignal>) -> FedSignal {
        let switch = match before {
            Some(before) => before.switch.clone(),
            None => Switch::new(self.graph.entries(&pipelines)),
        };
        FedSignal { signal, pipelines, switch }
    }

    /// The inlets of a receiver.
    fn inlets(&self, receiver: &str, needs: &Needs, signals: &[FedSignal]) -> Inlets {
        let pipelines = signals.iter().map(|FedSignal { signal, switch, .. }| Pipelines {
            signal: *signal,
            switch: switch.clone(),
            memory: MemoryStats::new(&self.shared.registry, *signal),
        });
        Inlets {
            receiver: receiver.into(),
            needs: needs.clone(),
            pipelines: pipelines.collect(),
            registry: self.shared.registry.clone(),
            spans: self.shared.spans.clone(),
        }
    }
}

impl Drop for Build<'_> {
    fn drop(&mut self) {
        drop(self.spawn_stop());
    }
}

/// The name of a receiver among those that listen.
fn receiver_component(id: &str) -> String {
    format!("receiver {id}")
}

/// Ids of extensions, and of the components of pipelines.
fn layout(spec: &GatewaySpec) -> Layout {
    let pipeline = |pipeline: &PipelineSpec| PipelineLayout {
        id: pipeline.id.clone(),
        receivers: pipeline.receivers.clone(),
        processors: pipeline.stages.iter().map(|stage| stage.id.clone()).collect(),
        exporters: pipeline.exporters.clone(),
    };
    Layout {
        extensions: spec.extensions.iter().map(|extension| extension.id.clone()).collect(),
        pipelines: spec.pipelines.iter().map(pipeline).collect(),
    }
}

/// A signal, and the ids of the pipelines that take it from a receiver.
type Feed = (otlp_protocol::Signal, Vec<String>);

/// The pipelines that a receiver feeds, by signal, in the order of the pipelines.
fn feeds(receiver: &str, spec: &GatewaySpec) -> Vec<Feed> {
    let mut feeds: Vec<Feed> = Vec::new();
    for pipeline in spec.pipelines.iter().filter(|spec| spec.receivers.iter().any(|id| id == receiver)) {
        match feeds.iter_mut().find(|(signal, _)| *signal == pipeline.signal) {
            Some((_, pipelines)) => pipelines.push(pipeline.id.clone()),
            None => feeds.push((pipeline.signal, vec![pipeline.id.clone()])),
        }
    }
    feeds
}

/// Time for what a failed build had started to stop in.
const STOP_TIME: Duration = Duration::from_secs(5);
