//! What an observer wants to see, and the handle that ends the subscription.

use super::edge::EdgeState;
use super::watcher::Watcher;
use super::{Inner, Lost};
use otlp_protocol::Signal;
use std::fmt;
use std::sync::{Arc, Weak};

/// Edges, filters and limits of a subscription.
///
/// ```
/// use otlp_service::{EdgeFilter, Subscription};
///
/// let mut subscription = Subscription::default();
/// subscription.edges = EdgeFilter::Named("traces/batch".into());
/// subscription.resource = vec![("service.name".into(), "cart".into())];
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subscription {
    /// Edges to listen at. Default: the entries of all pipelines.
    pub edges: EdgeFilter,
    /// Signals; all if empty. Default empty.
    pub signals: Vec<Signal>,
    /// Keys and values of attributes that a resource must have, all of them; values that are no strings are compared as
    /// text. Copies have the matching resources alone. Default none.
    pub resource: Vec<(String, String)>,
    /// Largest number of copies that wait for the observer. Default 64.
    pub max_queued_batches: usize,
    /// Largest size of these copies in bytes: the memory that they keep from being freed. A larger batch is lost, and the
    /// batch that the observer looks at does not count. Default 8 MiB.
    pub max_queued_bytes: u64,
}

/// Edges of a [`Subscription`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EdgeFilter {
    /// The entries of all pipelines.
    #[default]
    Entries,
    /// All edges: the same data is seen several times.
    All,
    /// The edges of this name: `PIPELINE`, `PIPELINE/STAGE` or `PIPELINE/EXPORTER` in a gateway.
    Named(String),
}

/// Ends the subscription when it is dropped; copies that wait for the observer are dropped.
#[must_use = "dropping it ends the subscription"]
pub struct SubscriptionHandle {
    watcher: Arc<Watcher>,
    subject: Weak<Inner>,
}

// === impl EdgeFilter ===

impl EdgeFilter {
    pub(super) fn has(&self, edge: &EdgeState) -> bool {
        match self {
            Self::Entries => edge.is_entry,
            Self::All => true,
            Self::Named(name) => *edge.name == **name,
        }
    }
}

// === impl SubscriptionHandle ===

impl SubscriptionHandle {
    pub(super) fn new(watcher: Arc<Watcher>, subject: Weak<Inner>) -> Self {
        Self { watcher, subject }
    }

    /// Returns all copies that were lost so far.
    pub fn lost(&self) -> Lost {
        self.watcher.lost()
    }
}

impl fmt::Debug for SubscriptionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriptionHandle").field("lost", &self.lost()).finish_non_exhaustive()
    }
}

impl Drop for SubscriptionHandle {
    fn drop(&mut self) {
        match self.subject.upgrade() {
            Some(subject) => subject.remove(&self.watcher),
            None => self.watcher.stop(),
        }
    }
}

impl Default for Subscription {
    fn default() -> Self {
        Self {
            edges: EdgeFilter::default(),
            signals: Vec::new(),
            resource: Vec::new(),
            max_queued_batches: 64,
            max_queued_bytes: 8 << 20,
        }
    }
}
