//! Points that batches pass.

use super::watcher::Watcher;
use otlp_protocol::{Batch, Signal};
use otlp_transport::{Export, ExportResult};
use parking_lot::RwLock;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A point that batches pass and that observers may listen at: made by
/// [`TelemetrySubject::edge`](super::TelemetrySubject::edge). Cloning shares the edge.
#[derive(Clone)]
pub struct Edge(Arc<EdgeState>);

/// An edge in front of an export: made by [`Edge::in_front_of`].
#[derive(Debug)]
pub struct EdgeExport<E> {
    edge: Edge,
    next: E,
}

pub(super) struct EdgeState {
    pub(super) name: Arc<str>,
    pub(super) signal: Option<Signal>,
    /// True if a pipeline begins here.
    pub(super) is_entry: bool,
    is_watched: AtomicBool,
    /// Read by each batch while somebody listens, so that batches do not wait for each other here.
    watchers: RwLock<Vec<Arc<Watcher>>>,
}

// === impl Edge ===

impl Edge {
    pub(super) fn of(state: Arc<EdgeState>) -> Self {
        Self(state)
    }

    /// Offers a batch to the observers that listen here. Never waits; while nobody listens it is one relaxed load and a
    /// branch.
    #[inline]
    pub fn observe(&self, batch: &mut Batch) {
        if self.0.is_watched.load(Ordering::Relaxed) {
            self.0.offer(batch);
        }
    }

    /// Makes an export that offers each batch to the observers, and passes it on to `next`.
    pub fn in_front_of<E: Export>(&self, next: E) -> EdgeExport<E> {
        EdgeExport { edge: self.clone(), next }
    }
}

impl<E: Export> Export for EdgeExport<E> {
    fn export(&self, mut batch: Batch) -> impl Future<Output = ExportResult> + Send {
        self.edge.observe(&mut batch);
        self.next.export(batch)
    }

    fn refuse(&self, items: u64) {
        self.next.refuse(items);
    }

    fn refuse_unread(&self) {
        self.next.refuse_unread();
    }
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Edge({})", self.0.name)
    }
}

// === impl EdgeState ===

impl EdgeState {
    pub(super) fn new(name: Arc<str>, signal: Option<Signal>, is_entry: bool) -> Self {
        let (is_watched, watchers) = (AtomicBool::new(false), RwLock::default());
        Self { name, signal, is_entry, is_watched, watchers }
    }

    /// Lets a subscription listen, if the subscription is for this edge.
    pub(super) fn add(&self, watcher: &Arc<Watcher>) {
        if watcher.is_for(self) {
            let mut watchers = self.watchers.write();
            watchers.push(watcher.clone());
            self.is_watched.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn remove(&self, watcher: &Arc<Watcher>) {
        let mut watchers = self.watchers.write();
        watchers.retain(|known| !Arc::ptr_eq(known, watcher));
        self.is_watched.store(!watchers.is_empty(), Ordering::Relaxed);
    }

    #[cold]
    fn offer(&self, batch: &mut Batch) {
        self.watchers.read().iter().for_each(|watcher| watcher.offer(&self.name, batch));
    }
}
