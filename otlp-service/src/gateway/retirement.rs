//! Components that a graph had and the next graph has not: drained in order, while the next graph runs.
//!
//! Receivers go first, and exports under way are waited for, before anything behind them takes no more; then stages and
//! connectors emit what they hold, the longest way to the ends first, then queues empty themselves, exporters flush and stop,
//! and extensions stop. A gateway that stops drains its last graph in the same order.

use super::destination::{Exporter, Way};
use super::graph::{ExtensionRun, Graph};
use super::pages::PagesRun;
use super::piece::{Drained, Piece};
use super::shared::{Managed, Shared};
use super::succession::Succession;
use crate::event::Event;
use crate::queue::Queue;
use crate::receiver::BoxRunning;
use crate::switch::Ended;
use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use otlp_transport::Clock;
use parking_lot::Mutex;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Components that are to be drained and stopped.
pub(super) struct Retired {
    shared: Arc<Shared>,
    /// Receivers whose requests go to another graph.
    lingering: Vec<BoxRunning>,
    /// Successions of the receivers in `lingering`: these lead their requests to the graph that runs.
    successions: Vec<Succession>,
    /// Receivers whose requests go to what is retired here.
    receivers: Vec<BoxRunning>,
    /// By rank.
    pieces: Vec<(usize, Arc<Piece>)>,
    queues: Vec<Arc<dyn Queue>>,
    exporters: Vec<Arc<Managed>>,
    extensions: Vec<Arc<Managed>>,
    /// Ends of the exports into what is retired here.
    ended: Vec<Ended>,
    /// Earlier retirements, which may emit into what is retired here.
    before: Vec<Before>,
    /// Kept until all of their requests have ended.
    _ways: Vec<Arc<Way>>,
    _exporters: Vec<Arc<Exporter>>,
    pages: Vec<Arc<PagesRun>>,
}

/// A drain that runs beside its gateway.
pub(super) struct Retirement {
    task: JoinHandle<()>,
    hurry: Event,
    left: Left,
    /// Lead from the receivers that linger to the graph of the gateway.
    pub(super) successions: Vec<Succession>,
    components: Vec<Arc<Managed>>,
    leftovers: Arc<Mutex<Leftovers>>,
}

/// Components of a retirement, until all are drained: others may keep them alive, also when the drain is cut off.
#[derive(Default)]
struct Leftovers {
    pieces: Vec<(usize, Arc<Piece>)>,
    queues: Vec<Arc<dyn Queue>>,
}

/// Parts of a retirement that may emit into graphs until they are gone.
#[derive(Clone, Debug, Default)]
struct Left {
    senders: Event,
    stages: Event,
}

/// An earlier retirement, as a later one waits for it.
pub(super) struct Before {
    left: Left,
    /// True if its senders may still lead into what is retired.
    with_senders: bool,
}

// === impl Retired ===

impl Retired {
    /// Collects the components of `graph` that are not in `other`. `ended` are the exports that were under way when requests
    /// were led elsewhere; receivers that have a succession linger.
    pub(super) fn new(
        graph: Graph,
        other: &Graph,
        ended: Vec<Ended>,
        successions: Vec<Succession>,
        shared: &Arc<Shared>,
    ) -> Self {
        let Graph { extensions, exporters, ways, pieces, receivers, pages, .. } = graph;
        let (mut lingering, mut drained) = (Vec::new(), Vec::new());
        for fed in receivers.into_iter().filter(|fed| !other.feeds(&fed.receiver)) {
            let lingers = successions.iter().any(|succession| succession.is_of(&fed.receiver));
            let kind = if lingers { &mut lingering } else { &mut drained };
            kind.extend(fed.receiver.running.lock().take());
        }
        let pieces = pieces.into_iter().filter(|placed| !other.has(&placed.piece));
        let mut pieces: Vec<_> = pieces.map(|placed| (placed.rank, placed.piece)).collect();
        pieces.sort_by_key(|(rank, _)| *rank);
        let is_gone = |way: &Arc<Way>| other.ways.values().all(|new| !Arc::ptr_eq(new, way));
        let ways: Vec<_> = ways.into_values().filter(is_gone).collect();
        let is_gone = |known: &Arc<Exporter>| other.exporters.iter().all(|new| !Arc::ptr_eq(new, known));
        let exporters: Vec<_> = exporters.into_iter().filter(is_gone).collect();
        let is_gone = |known: &Arc<ExtensionRun>| other.extensions.iter().all(|new| !Arc::ptr_eq(new, known));
        let extensions = extensions.into_iter().filter(is_gone).map(|run| run.managed.clone()).collect();
        // A page whose place another server has taken may still be written; others close now.
        let is_replaced = |known: &Arc<PagesRun>| {
            let same = |new: &Arc<PagesRun>| {
                !Arc::ptr_eq(new, known) && new.server.local_addr() == known.server.local_addr()
            };
            other.pages.iter().any(same)
        };
        let pages = pages.into_iter().filter(is_replaced).collect();
        Self {
            shared: shared.clone(),
            lingering,
            successions,
            receivers: drained,
            pieces,
            queues: ways.iter().filter_map(|way| way.queue.clone()).collect(),
            exporters: exporters.iter().filter_map(|exporter| exporter.managed.clone()).collect(),
            extensions,
            ended,
            before: Vec::new(),
            _ways: ways,
            _exporters: exporters,
            pages,
        }
    }

    /// True if there is nothing to drain or to stop.
    pub(super) fn is_empty(&self) -> bool {
        let Self { lingering, receivers, pieces, queues, exporters, extensions, pages, .. } = self;
        lingering.is_empty()
            && receivers.is_empty()
            && pieces.is_empty()
            && queues.is_empty()
            && exporters.is_empty()
            && extensions.is_empty()
            && pages.is_empty()
    }

    /// Drains all in order, in a task, after what was retired `before`.
    pub(super) fn spawn(mut self, deadline: Instant, before: Vec<Before>) -> Retirement {
        self.before = before;
        let (hurry, left) = (Event::default(), Left::default());
        let hurried = hurry.clone();
        // They are gone as well if the task is cut off.
        let (senders, stages) = (left.senders.on_drop(), left.stages.on_drop());
        let successions = std::mem::take(&mut self.successions);
        let leftovers = Leftovers { pieces: self.pieces.clone(), queues: self.queues.clone() };
        let leftovers = Arc::new(Mutex::new(leftovers));
        let kept = leftovers.clone();
        let components = self.exporters.iter().chain(&self.extensions).cloned().collect();
        let work = async move {
            let (lingering, shared) = (std::mem::take(&mut self.lingering), self.shared.clone());
            let linger = async {
                linger(&shared, lingering, deadline, &hurried).await;
                drop(senders);
            };
            // Stages and queues need not wait for idle senders.
            let drain = async {
                self.drain_stages(deadline).await;
                drop(stages);
                self.drain_ends(deadline).await;
            };
            tokio::join!(linger, drain);
            self.stop_extensions(deadline).await;
            drop(std::mem::take(&mut *kept.lock()));
        };
        let task = tokio::spawn(work.boxed());
        Retirement { task, hurry, left, successions, components, leftovers }
    }

    /// Drains all in order, without a wait for senders that are idle.
    pub(super) async fn stop(mut self, deadline: Instant) {
        let lingering = std::mem::take(&mut self.lingering);
        self.receivers.extend(lingering);
        self.drain_stages(deadline).await;
        self.drain_ends(deadline).await;
        self.stop_extensions(deadline).await;
    }

    /// Drains the receivers. They get three quarters of the time, so that some is left for what they bring.
    pub(super) async fn drain_receivers(&mut self, deadline: Instant) {
        let clock = self.shared.clock();
        let receivers_deadline = three_quarters(&*clock, deadline);
        let receivers = std::mem::take(&mut self.receivers);
        tokio::select! {
            biased;
            _ = join_all(receivers.into_iter().map(|running| running.drain(receivers_deadline))) => {}
            () = clock.sleep_until(deadline) => {}
        }
    }

    /// Waits for exports under way, and has the stages emit what they hold.
    pub(super) async fn drain_stages(&mut self, deadline: Instant) {
        self.drain_receivers(deadline).await;
        self.wait_for_exports(deadline).await;
        drain_by_rank(&self.pieces, deadline).await;
    }

    /// Waits for the exports into what is retired, and for earlier retirements that may emit there. Those who wait for a batch
    /// to be sent are helped by flushes.
    async fn wait_for_exports(&mut self, deadline: Instant) {
        let clock = self.shared.clock();
        let exports_deadline = three_quarters(&*clock, deadline);
        let ended = join_all(std::mem::take(&mut self.ended));
        let before = join_all(std::mem::take(&mut self.before).into_iter().map(Before::over));
        let mut ended = pin!(join(ended, before));
        loop {
            tokio::select! {
                biased;
                _ = &mut ended => return,
                () = clock.sleep_until(exports_deadline) => return,
                () = clock.sleep(FLUSH_INTERVAL) => {}
            }
            // A flush is cut off by the deadline alone: a holder gives up what it was about to emit.
            let drained = self.pieces.iter().filter_map(|(_, piece)| piece.drained.as_ref());
            tokio::select! {
                biased;
                _ = join_all(drained.map(Drained::flush)) => {}
                () = clock.sleep_until(deadline) => return,
            }
        }
    }

    /// Empties the queues; then exporters flush and stop.
    pub(super) async fn drain_ends(&self, deadline: Instant) {
        join_all(self.queues.iter().map(|queue| queue.drain(deadline))).await;
        let clock = &*self.shared.context.clock;
        join_all(self.exporters.iter().map(|exporter| exporter.finish(clock, deadline))).await;
    }

    pub(super) async fn stop_extensions(&self, deadline: Instant) {
        for extension in self.extensions.iter().rev() {
            extension.finish(&*self.shared.context.clock, deadline).await;
        }
    }
}

// === impl Retirement ===

impl Retirement {
    pub(super) fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits until all is drained and stopped. Cancel-safe.
    pub(super) async fn over(&mut self) {
        if !self.task.is_finished() {
            drop((&mut self.task).await);
        }
    }

    /// Has a later retirement wait for this one.
    pub(super) fn before(&self, with_senders: bool) -> Before {
        Before { left: self.left.clone(), with_senders }
    }

    /// Waits for no idle sender any more.
    pub(super) fn hurry(&self) {
        self.hurry.happen();
    }

    /// Waits until receivers and stages are drained: nothing goes from here into other graphs then but by queues.
    pub(super) async fn emitted(&self) {
        self.left.senders.wait().await;
        self.left.stages.wait().await;
    }

    /// Cuts off what is left: what is held counts as dropped. Exporters and extensions are stopped. Returns false if nothing
    /// was left.
    pub(super) async fn cut(mut self, shared: &Shared, deadline: Instant) -> bool {
        let is_cut = !self.is_over();
        if is_cut {
            self.task.abort();
            drop((&mut self.task).await);
            let Leftovers { pieces, queues } = std::mem::take(&mut *self.leftovers.lock());
            drain_by_rank(&pieces, deadline).await;
            join_all(queues.iter().map(|queue| queue.drain(deadline))).await;
        }
        for component in &self.components {
            component.finish(&*shared.context.clock, deadline).await;
        }
        is_cut
    }
}

impl Drop for Retirement {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Before {
    /// Waits until the earlier retirement emits nothing any more.
    async fn over(self) {
        self.left.stages.wait().await;
        if self.with_senders {
            self.left.senders.wait().await;
        }
    }
}

/// Drains components, which are sorted by rank: the longest way to the ends first.
async fn drain_by_rank(pieces: &[(usize, Arc<Piece>)], deadline: Instant) {
    for rank in pieces.chunk_by(|(one, _), (other, _)| one == other).rev() {
        let drained = rank.iter().filter_map(|(_, piece)| piece.drained.as_ref());
        join_all(drained.map(|drained| drained.drain(deadline))).await;
    }
}

/// Lets the senders of receivers go in their own time, for three quarters of the time until `deadline` or until it is to hurry.
/// Requests that are under way then have the rest of the time.
async fn linger(shared: &Shared, receivers: Vec<BoxRunning>, deadline: Instant, hurried: &Event) {
    let clock = &*shared.context.clock;
    let linger_deadline = three_quarters(clock, deadline);
    let linger = receivers.into_iter().map(|running| async move {
        tokio::select! {
            biased;
            () = running.retire() => {}
            () = hurried.wait() => {}
            () = clock.sleep_until(linger_deadline) => {}
        }
        running.drain(deadline).await;
    });
    join_all(linger).await;
}

/// Three quarters of the time until `deadline`: what comes after has the rest.
pub(super) fn three_quarters(clock: &dyn Clock, deadline: Instant) -> Instant {
    let time = deadline.saturating_duration_since(clock.now());
    deadline.checked_sub(time / 4).unwrap_or(deadline)
}

/// Until the first flush of batches that somebody may wait for, and between two.
const FLUSH_INTERVAL: Duration = Duration::from_millis(100);
