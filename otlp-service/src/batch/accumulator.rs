//! Open batches by signal and origin, and the times at which they are due: without tasks, locks or a clock.

use super::BatchConfig;
use otlp_protocol::{Batch, Merge, Origin, Signal, SplitLimits};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The open batches of one pipeline or queue. `S` is the state of the senders of each batch.
#[derive(Debug)]
pub(crate) struct Accumulator<S> {
    limits: Limits,
    open: HashMap<Key, Open<S>>,
    /// The open batches in the order of their opening, which is the order in which they are due.
    order: BTreeMap<u64, Key>,
    opened: u64,
}

/// Sizes and times at which batches are sent.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Longest time that a batch is open; zero: every request is sent at once.
    pub(crate) timeout: Duration,
    /// Number of items at which a batch is full; 0: no such number.
    pub(crate) full_items: u64,
    /// Encoded length at which a batch is full; 0: no such length.
    pub(crate) full_bytes: u64,
    /// Largest size of a batch.
    pub(crate) largest: SplitLimits,
    /// Largest number of open batches; at least 1.
    pub(crate) max_open: usize,
}

/// Signal and origin, which all requests of a batch have in common.
type Key = (Signal, Option<Arc<Origin>>);

/// A batch being joined.
#[derive(Debug)]
pub(crate) struct Open<S> {
    pub(crate) merge: Merge,
    pub(crate) senders: S,
    due: Instant,
    /// The batch's key in the order of opening.
    number: u64,
}

/// Relation of a request to the open batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// The request is sent alone: it cannot be joined, or is over a limit.
    Alone,
    /// The request joins the open batch of its origin.
    Joins,
    /// The request opens a batch; another batch may have to be sent first.
    Opens,
}

/// A batch that is to be sent, by reason.
#[derive(Debug)]
pub(crate) enum Ready<S> {
    /// The batch is full, or the next request would make the batch too large.
    Full(Open<S>),
    /// The batch is sent early: too many batches are open.
    Evicted(Open<S>),
}

impl<S> Accumulator<S> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, open: HashMap::new(), order: BTreeMap::new(), opened: 0 }
    }

    /// Makes batches of `items` items from now on, and cuts larger requests.
    pub(crate) fn resize(&mut self, items: u64) {
        self.limits.full_items = items;
        self.limits.largest.max_items = Some(items);
    }

    /// Returns the largest size of a batch.
    pub(crate) fn largest(&self) -> SplitLimits {
        self.limits.largest
    }

    pub(crate) fn place(&self, batch: &Batch) -> Placement {
        if !batch.is_mergeable() || !self.fits(batch.items(), batch.len()) {
            return Placement::Alone;
        }
        let fits = |Open { merge, .. }: &Open<S>| {
            merge.takes(batch) && self.fits(merge.items() + batch.items(), merge.bytes() + batch.len())
        };
        if self.open.get(&key(batch)).is_some_and(fits) { Placement::Joins } else { Placement::Opens }
    }

    /// Adds a request that [`Joins`](Placement::Joins), and its sender by `tell`. Returns the batch if it became full.
    pub(crate) fn join(&mut self, batch: Batch, tell: impl FnOnce(&mut S)) -> Option<Ready<S>> {
        let key = key(&batch);
        let open = self.open.get_mut(&key)?;
        open.merge.push(batch).ok()?;
        tell(&mut open.senders);
        if self.limits.is_full(&open.merge) { self.take(&key).map(Ready::Full) } else { None }
    }

    /// Opens a batch with a request that [`Opens`](Placement::Opens) a batch. Returns the batches to be sent: the batch that was
    /// open before or is evicted, and the new batch if it is full already.
    pub(crate) fn open(&mut self, batch: Batch, now: Instant, senders: S) -> [Option<Ready<S>>; 2] {
        let key = key(&batch);
        let before = self.take(&key).map(Ready::Full);
        let merge = Merge::new(batch);
        let is_full = self.limits.is_full(&merge);
        let open = Open { merge, senders, due: now + self.limits.timeout, number: self.opened };
        if is_full || self.limits.timeout.is_zero() {
            return [before, Some(Ready::Full(open))];
        }
        let has_room = self.open.len() < self.limits.max_open.max(1);
        let evicted = if has_room { None } else { self.take_first().map(Ready::Evicted) };
        self.order.insert(self.opened, key.clone());
        self.open.insert(key, open);
        self.opened += 1;
        [before.or(evicted), None]
    }

    /// Returns the time at which the first batch is due. Later batches are never due before earlier batches.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let (_, key) = self.order.first_key_value()?;
        self.open.get(key).map(|open| open.due)
    }

    /// Takes the batches that are due by `now`.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<Open<S>> {
        let mut due = Vec::new();
        while self.next_due().is_some_and(|next| next <= now) {
            due.extend(self.take_first());
        }
        due
    }

    /// Takes all batches.
    pub(crate) fn take_all(&mut self) -> Vec<Open<S>> {
        let order = std::mem::take(&mut self.order);
        order.into_values().filter_map(|key| self.open.remove(&key)).collect()
    }

    /// Returns the number of open batches.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Takes the oldest open batch.
    fn take_first(&mut self) -> Option<Open<S>> {
        let (_, key) = self.order.pop_first()?;
        self.open.remove(&key)
    }

    fn take(&mut self, key: &Key) -> Option<Open<S>> {
        let open = self.open.remove(key)?;
        self.order.remove(&open.number);
        Some(open)
    }

    fn fits(&self, items: u64, bytes: usize) -> bool {
        fits(self.limits.largest, bytes, items)
    }
}

fn key(batch: &Batch) -> Key {
    (batch.signal(), batch.origin.clone())
}

/// Returns true if a batch is within the limits.
pub(crate) fn fits(SplitLimits { max_items, max_bytes }: SplitLimits, bytes: usize, items: u64) -> bool {
    max_items.is_none_or(|max| items <= max) && max_bytes.is_none_or(|max| bytes <= max)
}

// === impl Limits ===

impl Limits {
    fn is_full(&self, merge: &Merge) -> bool {
        let reached = |limit: u64, size: u64| limit > 0 && size >= limit;
        let SplitLimits { max_items, max_bytes } = self.largest;
        let (items, bytes) = (merge.items(), merge.bytes() as u64);
        reached(self.full_items, items)
            || reached(self.full_bytes, bytes)
            || reached(max_items.unwrap_or_default(), items)
            || reached(max_bytes.unwrap_or_default() as u64, bytes)
    }
}

impl BatchConfig {
    /// Returns the sizes and times at which batches are sent.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            timeout: self.timeout,
            full_items: self.send_batch_size,
            full_bytes: 0,
            largest: SplitLimits {
                max_items: Some(self.send_batch_max_size).filter(|&items| items > 0),
                max_bytes: Some(self.max_bytes).filter(|&bytes| bytes > 0),
            },
            max_open: self.metadata_cardinality_limit,
        }
    }
}

/// Reduces an origin to the parts that keep batches apart: the headers `metadata_keys`, the identity if `by_identity`, the tenant
/// and the resource attributes. The joined batch has this origin. The peer's address is never a part.
pub(crate) fn narrow(
    origin: Option<Arc<Origin>>,
    metadata_keys: &[Box<str>],
    by_identity: bool,
) -> Option<Arc<Origin>> {
    let origin = origin?;
    // In the order of the settings: each receiver may keep headers in another order.
    let headers = metadata_keys.iter().flat_map(|key| {
        let kept = origin.headers.iter().filter(move |(name, _)| name == key);
        kept.cloned()
    });
    let narrow = Origin {
        headers: headers.collect(),
        identity: origin.identity.clone().filter(|_| by_identity),
        tenant: origin.tenant.clone(),
        peer: None,
        resource: origin.resource.clone(),
        charge: origin.charge.clone(),
    };
    (narrow != Origin::default()).then(|| Arc::new(narrow))
}
