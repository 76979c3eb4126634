//! Open batches by signal and origin, and the times at which they are due: without tasks, locks or a clock.

use super::BatchConfig;
use otlp_protocol::{Batch, Merge, Origin, Signal, SplitLimits};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

/// The open batches of one pipeline. `S` is the state of the senders of each batch.
#[derive(Debug)]
pub(super) struct Accumulator<S> {
    config: BatchConfig,
    limits: SplitLimits,
    open: HashMap<Key, Open<S>>,
    /// The open batches in the order of their opening, which is the order in which they are due.
    order: BTreeMap<u64, Key>,
    opened: u64,
}

/// Signal and origin, which all requests of a batch have in common.
type Key = (Signal, Option<Arc<Origin>>);

/// A batch being joined.
#[derive(Debug)]
pub(super) struct Open<S> {
    pub(super) merge: Merge,
    pub(super) senders: S,
    due: Instant,
    /// The batch's key in the order of opening.
    number: u64,
}

/// Relation of a request to the open batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    /// The request is sent alone: it cannot be joined, or is over a limit.
    Alone,
    /// The request joins the open batch of its origin.
    Joins,
    /// The request opens a batch; another batch may have to be sent first.
    Opens,
}

/// A batch that is to be sent, by reason.
#[derive(Debug)]
pub(super) enum Ready<S> {
    /// The batch is full, or the next request would make the batch too large.
    Full(Open<S>),
    /// The batch is sent early: too many batches are open.
    Evicted(Open<S>),
}

impl<S> Accumulator<S> {
    pub(super) fn new(config: BatchConfig) -> Self {
        Self { limits: config.limits(), config, open: HashMap::new(), order: BTreeMap::new(), opened: 0 }
    }

    /// Makes batches of `items` items from now on, and cuts larger requests.
    pub(super) fn resize(&mut self, items: u64) {
        self.config.send_batch_size = items;
        self.limits.max_items = Some(items);
    }

    /// Returns the limits of a batch.
    pub(super) fn limits(&self) -> SplitLimits {
        self.limits
    }

    pub(super) fn place(&self, batch: &Batch) -> Placement {
        if !batch.is_mergeable() || !self.fits(batch.items(), batch.len()) {
            return Placement::Alone;
        }
        let fits = |Open { merge, .. }: &Open<S>| {
            merge.takes(batch) && self.fits(merge.items() + batch.items(), merge.bytes() + batch.len())
        };
        if self.open.get(&key(batch)).is_some_and(fits) { Placement::Joins } else { Placement::Opens }
    }

    /// Adds a request that [`Joins`](Placement::Joins), and its sender by `tell`. Returns the batch if it became full.
    pub(super) fn join(&mut self, batch: Batch, tell: impl FnOnce(&mut S)) -> Option<Ready<S>> {
        let key = key(&batch);
        let open = self.open.get_mut(&key)?;
        open.merge.push(batch).ok()?;
        tell(&mut open.senders);
        if self.config.is_full(&open.merge) { self.take(&key).map(Ready::Full) } else { None }
    }

    /// Opens a batch with a request that [`Opens`](Placement::Opens) a batch. Returns the batches to be sent: the batch that was
    /// open before or is evicted, and the new batch if it is full already.
    pub(super) fn open(&mut self, batch: Batch, now: Instant, senders: S) -> [Option<Ready<S>>; 2] {
        let key = key(&batch);
        let before = self.take(&key).map(Ready::Full);
        let merge = Merge::new(batch);
        let is_full = self.config.is_full(&merge);
        let open = Open { merge, senders, due: now + self.config.timeout, number: self.opened };
        if is_full || self.config.timeout.is_zero() {
            return [before, Some(Ready::Full(open))];
        }
        let has_room = self.open.len() < self.config.metadata_cardinality_limit.max(1);
        let evicted = if has_room { None } else { self.take_first().map(Ready::Evicted) };
        self.order.insert(self.opened, key.clone());
        self.open.insert(key, open);
        self.opened += 1;
        [before.or(evicted), None]
    }

    /// Returns the time at which the first batch is due. Later batches are never due before earlier batches.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let (_, key) = self.order.first_key_value()?;
        self.open.get(key).map(|open| open.due)
    }

    /// Takes the batches that are due by `now`.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Open<S>> {
        let mut due = Vec::new();
        while self.next_due().is_some_and(|next| next <= now) {
            due.extend(self.take_first());
        }
        due
    }

    /// Takes all batches.
    pub(super) fn take_all(&mut self) -> Vec<Open<S>> {
        self.order.clear();
        self.open.drain().map(|(_, open)| open).collect()
    }

    /// Returns the number of open batches.
    pub(super) fn len(&self) -> usize {
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
        fits(self.limits, bytes, items)
    }
}

fn key(batch: &Batch) -> Key {
    (batch.signal(), batch.origin.clone())
}

/// Returns true if a batch is within the limits.
pub(super) fn fits(SplitLimits { max_items, max_bytes }: SplitLimits, bytes: usize, items: u64) -> bool {
    max_items.is_none_or(|max| items <= max) && max_bytes.is_none_or(|max| bytes <= max)
}

impl BatchConfig {
    /// Reduces an origin to the parts that keep batches apart: the headers and the identity that the settings name, the tenant
    /// and the resource attributes. The joined batch has this origin. The peer's address is never a part.
    pub(super) fn narrow(&self, origin: Option<Arc<Origin>>) -> Option<Arc<Origin>> {
        let origin = origin?;
        // In the order of the settings: each receiver may keep headers in another order.
        let headers = self.metadata_keys.iter().flat_map(|key| {
            let kept = origin.headers.iter().filter(move |(name, _)| name == key);
            kept.cloned()
        });
        let narrow = Origin {
            headers: headers.collect(),
            identity: origin.identity.clone().filter(|_| self.by_identity),
            tenant: origin.tenant.clone(),
            peer: None,
            resource: origin.resource.clone(),
            charge: origin.charge.clone(),
        };
        (narrow != Origin::default()).then(|| Arc::new(narrow))
    }

    fn is_full(&self, merge: &Merge) -> bool {
        let reached = |limit: u64, value: u64| limit > 0 && value >= limit;
        reached(self.send_batch_size, merge.items())
            || reached(self.send_batch_max_size, merge.items())
            || reached(self.max_bytes as u64, merge.bytes() as u64)
    }
}
