//! Observers: copies of the batches that pass an edge of the graph, for debugging and for programs that look on.
//!
//! An edge is a point that batches pass: the entry of a pipeline, the way out of a stage, the way into an exporter. While
//! nobody listens at an edge, a batch costs one relaxed load and a branch there. Else the edge puts a copy, which shares the
//! bytes, into the bounded queue of each subscription, and never waits: a copy that finds no room is lost and counted.
//! Filters by attributes and the observers run on threads for blocking work.
//!
//! A copy holds the charge of its batch. So copies are limited in bytes, and [`Reclaim`] drops all of them before the byte
//! budget refuses a request.

mod copies;
mod edge;
mod subscription;
mod watcher;

pub use edge::{Edge, EdgeExport};
pub use subscription::{EdgeFilter, Subscription, SubscriptionHandle};

use crate::telemetry::{Counter, MetricKind, Registration, Registry};
use edge::EdgeState;
use futures_util::FutureExt;
use otlp_protocol::{Batch, ByteBudget, Reclaim, Signal};
use parking_lot::Mutex;
use std::fmt;
use std::sync::{Arc, Weak};
use tokio::runtime::Handle;
use watcher::Watcher;

/// Looks at copies of batches. The methods of the signals call [`on_batch`](Self::on_batch), unless they are implemented.
///
/// Methods run on threads for blocking work, one call at a time for each subscription, and may take their time: a slow
/// observer loses copies, and never slows the data. A panic ends the subscription.
///
/// ```
/// use otlp_protocol::Signal;
/// use otlp_service::{Observed, TelemetryObserver};
///
/// struct Print;
///
/// impl TelemetryObserver for Print {
///     fn on_batch(&self, observed: &Observed) {
///         println!("{}: {} items", observed.edge(), observed.batch().items());
///     }
/// }
/// ```
pub trait TelemetryObserver: Send + Sync + 'static {
    /// Looks at a batch of any signal. Default: does nothing.
    fn on_batch(&self, _observed: &Observed) {}

    /// Looks at spans.
    fn on_trace(&self, observed: &Observed) {
        self.on_batch(observed);
    }

    /// Looks at metrics.
    fn on_metric(&self, observed: &Observed) {
        self.on_batch(observed);
    }

    /// Looks at log records.
    fn on_log(&self, observed: &Observed) {
        self.on_batch(observed);
    }

    /// Looks at profiles.
    fn on_profile(&self, observed: &Observed) {
        self.on_batch(observed);
    }
}

/// Copy of a batch, as an observer gets it.
#[derive(Debug)]
pub struct Observed {
    edge: Arc<str>,
    batch: Batch,
    lost: Lost,
}

/// Copies that an observer did not get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Number of batches.
    pub batches: u64,
    /// Number of items in these batches.
    pub items: u64,
}

/// The edges of a graph, and the observers that have subscribed to them. Cloning shares the subject.
///
/// A [`Gateway`](crate::Gateway) has a subject for its graph. A program without a gateway puts edges between its own
/// exports:
///
/// ```
/// use otlp_protocol::encode::{LogRecords, RequestWriter};
/// use otlp_protocol::{Batch, Charge, Signal, ValidateLimits};
/// use otlp_service::{NopExporter, Observed, Registry, Subscription, TelemetryObserver, TelemetrySubject};
/// use otlp_transport::Export;
/// use std::sync::mpsc::{Sender, channel};
///
/// struct Count(Sender<u64>);
///
/// impl TelemetryObserver for Count {
///     fn on_log(&self, observed: &Observed) {
///         let _ = self.0.send(observed.batch().items());
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let subject = TelemetrySubject::new(&Registry::new());
/// let export = subject.edge("before nop").in_front_of(NopExporter);
/// let (sender, counts) = channel();
/// let subscription = subject.subscribe(Subscription::default(), Count(sender))?;
///
/// let mut body = Vec::new();
/// RequestWriter::<LogRecords>::new(&mut body).resource_group(|group| {
///     group.scope_group(|scope| {
///         scope.log_record(|record| {
///             record.body("started");
///         });
///     });
/// });
/// export.export(Batch::checked(Signal::LOGS, body, &ValidateLimits::default(), Charge::none())?).await?;
/// assert_eq!(tokio::task::spawn_blocking(move || counts.recv()).await??, 1);
/// drop(subscription); // Ends the subscription.
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TelemetrySubject(Arc<Inner>);

/// An edge in the list of [`TelemetrySubject::edges`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EdgeInfo {
    /// Name of the edge: `PIPELINE`, `PIPELINE/STAGE` or `PIPELINE/EXPORTER` in a gateway.
    pub name: String,
    /// Signal of the batches that pass the edge, if all are of one signal.
    pub signal: Option<Signal>,
}

/// Error of a subscription that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// There are as many subscriptions as are allowed.
    #[error("there are {limit} subscriptions, the most at a time; end one of them first")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The subject was closed, because its gateway was drained.
    #[error("the gateway has stopped")]
    Closed,
}

struct Inner {
    state: Mutex<State>,
    stats: ObserverStats,
    refused: Counter,
    _active: Registration,
}

#[derive(Default)]
struct State {
    edges: Vec<Weak<EdgeState>>,
    watchers: Vec<Arc<Watcher>>,
    is_closed: bool,
}

/// Counters of lost copies, shared by all subscriptions of a subject.
#[derive(Clone)]
struct ObserverStats {
    lost_batches: Counter,
    lost_items: Counter,
}

// === impl Observed ===

impl Observed {
    /// Returns the name of the edge: `PIPELINE`, `PIPELINE/STAGE` or `PIPELINE/EXPORTER` in a gateway.
    pub fn edge(&self) -> &str {
        &self.edge
    }

    /// Returns the copy. If the subscription asks for attributes of resources, the copy has the matching resources alone.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Returns the copies that were lost since the observer was called last. Copies are lost before filters by attributes see
    /// them, so that copies count which the subscription does not ask for.
    pub fn lost(&self) -> Lost {
        self.lost
    }

    /// Calls the observer's method for the signal.
    fn show(&self, observer: &dyn TelemetryObserver) {
        type Method = fn(&dyn TelemetryObserver, &Observed);
        // In the order of the signals.
        let methods: [Method; Signal::ALL.len()] = [
            |observer, observed| observer.on_trace(observed),
            |observer, observed| observer.on_metric(observed),
            |observer, observed| observer.on_log(observed),
            |observer, observed| observer.on_profile(observed),
        ];
        let signal = self.batch.signal();
        let index = Signal::ALL.iter().position(|known| *known == signal);
        match index.and_then(|index| methods.get(index)) {
            Some(method) => method(observer, self),
            None => observer.on_batch(self),
        }
    }
}

// === impl TelemetrySubject ===

impl TelemetrySubject {
    /// Makes a subject without edges. Its metrics are in `registry`: `otlp_observer_subscriptions`,
    /// `otlp_observer_refused_subscriptions`, `otlp_observer_lost_batches` and `otlp_observer_lost_items`.
    pub fn new(registry: &Registry) -> Self {
        let counter = |name: &str, help| registry.counter(name, help, &[]);
        let stats = ObserverStats {
            lost_batches: counter(
                "otlp_observer_lost_batches",
                "Copies of batches that observers did not get.",
            ),
            lost_items: counter("otlp_observer_lost_items", "Items in copies that observers did not get."),
        };
        let refused =
            counter("otlp_observer_refused_subscriptions", "Subscriptions of observers over the limit.");
        Self(Arc::new_cyclic(|inner: &Weak<Inner>| {
            let inner = inner.clone();
            let active = move || inner.upgrade().map_or(0, |inner| inner.state.lock().watchers.len()) as f64;
            let help = "Subscriptions of observers.";
            let active =
                registry.observe(MetricKind::Gauge, "otlp_observer_subscriptions", help, &[], active);
            Inner { state: Mutex::default(), stats, refused, _active: active }
        }))
    }

    /// Subscribes an observer to the edges that exist and to those that are made later, also by a reload. The subscription
    /// ends when the handle is dropped. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If there are 64 subscriptions already, or the subject is closed.
    pub fn subscribe(
        &self,
        subscription: Subscription,
        observer: impl TelemetryObserver,
    ) -> Result<SubscriptionHandle, SubscribeError> {
        // First, since it panics outside of a runtime.
        let runtime = Handle::current();
        let watcher = Arc::new(Watcher::new(subscription, self.0.stats.clone()));
        {
            let mut state = self.0.state.lock();
            if state.is_closed {
                return Err(SubscribeError::Closed);
            }
            if state.watchers.len() >= MAX_SUBSCRIPTIONS {
                self.0.refused.add(1);
                return Err(SubscribeError::TooMany { limit: MAX_SUBSCRIPTIONS });
            }
            state.watchers.push(watcher.clone());
            state.live_edges().iter().for_each(|edge| edge.add(&watcher));
        }
        let subject = Arc::downgrade(&self.0);
        runtime.spawn(watcher::run(watcher.clone(), Arc::new(observer), subject.clone()).boxed());
        Ok(SubscriptionHandle::new(watcher, subject))
    }

    /// Returns the edge of a name, made if there is none, for a program without a gateway. Subscriptions without the name of
    /// an edge hear it.
    pub fn edge(&self, name: &str) -> Edge {
        self.edge_of(name.to_owned(), None, true)
    }

    /// Returns the edges that exist, by name.
    pub fn edges(&self) -> Vec<EdgeInfo> {
        let edges = self.0.state.lock().live_edges();
        let info = |edge: Arc<EdgeState>| EdgeInfo { name: edge.name.to_string(), signal: edge.signal };
        let mut edges: Vec<_> = edges.into_iter().map(info).collect();
        edges.sort_by(|one, other| one.name.cmp(&other.name));
        edges
    }

    /// Ends all subscriptions once their observers have seen the copies that wait, and refuses new ones.
    pub fn close(&self) {
        let mut state = self.0.state.lock();
        state.is_closed = true;
        state.watchers.iter().for_each(|watcher| watcher.end());
    }

    /// The edge that a pipeline begins with.
    pub(crate) fn entry(&self, pipeline: &str, signal: Signal) -> Edge {
        self.edge_of(pipeline.to_owned(), Some(signal), true)
    }

    /// The edge behind a stage of a pipeline, or in front of an exporter.
    pub(crate) fn within(&self, pipeline: &str, component: &str, signal: Signal) -> Edge {
        self.edge_of(format!("{pipeline}/{component}"), Some(signal), false)
    }

    /// Drops all copies that wait before `budget` refuses a charge. False if another holder of bytes is asked already; the
    /// subject of a gateway is asked by the budget of the gateway.
    pub fn make_room_in(&self, budget: &ByteBudget) -> bool {
        budget.set_reclaim(self.0.clone())
    }

    fn edge_of(&self, name: String, signal: Option<Signal>, is_entry: bool) -> Edge {
        let mut state = self.0.state.lock();
        let is_same = |edge: &&Arc<EdgeState>| {
            *edge.name == *name && edge.signal == signal && edge.is_entry == is_entry
        };
        if let Some(known) = state.live_edges().iter().find(is_same) {
            return Edge::of(known.clone());
        }
        let edge = Arc::new(EdgeState::new(name.into(), signal, is_entry));
        state.watchers.iter().for_each(|watcher| edge.add(watcher));
        state.edges.push(Arc::downgrade(&edge));
        Edge::of(edge)
    }
}

impl fmt::Debug for TelemetrySubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subscriptions = self.0.state.lock().watchers.len();
        f.debug_struct("TelemetrySubject")
            .field("edges", &self.edges())
            .field("subscriptions", &subscriptions)
            .finish_non_exhaustive()
    }
}

// === impl Inner ===

impl Inner {
    /// Ends a subscription, and drops the copies that wait for its observer.
    fn remove(&self, watcher: &Arc<Watcher>) {
        watcher.stop();
        let mut state = self.state.lock();
        state.watchers.retain(|known| !Arc::ptr_eq(known, watcher));
        state.live_edges().iter().for_each(|edge| edge.remove(watcher));
    }
}

impl Reclaim for Inner {
    fn reclaim(&self) -> bool {
        let watchers = self.state.lock().watchers.clone();
        watchers.iter().filter(|watcher| watcher.shed()).count() > 0
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.state.get_mut().watchers.iter().for_each(|watcher| watcher.end());
    }
}

// === impl State ===

impl State {
    /// Returns the edges that are in use, and forgets the others.
    fn live_edges(&mut self) -> Vec<Arc<EdgeState>> {
        self.edges.retain(|edge| edge.strong_count() > 0);
        self.edges.iter().filter_map(Weak::upgrade).collect()
    }
}

// === impl ObserverStats ===

impl ObserverStats {
    fn lose(&self, lost: Lost) {
        self.lost_batches.add(lost.batches);
        self.lost_items.add(lost.items);
    }
}

/// The most subscriptions of a subject.
const MAX_SUBSCRIPTIONS: usize = 64;
