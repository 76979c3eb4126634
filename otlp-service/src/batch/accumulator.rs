//! What is held, by origin, and when it is to be sent: without tasks, locks or a clock.

use super::BatchConfig;
use otlp_protocol::{Batch, Merge, Origin, SplitLimits};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// The open batches of one pipeline. `H` is what is held with each for its senders.
#[derive(Debug)]
pub(super) struct Accumulator<H> {
    config: BatchConfig,
    limits: SplitLimits,
    open: HashMap<Option<Arc<Origin>>, Held<H>>,
}

/// A batch being joined.
#[derive(Debug)]
pub(super) struct Held<H> {
    pub(super) merge: Merge,
    pub(super) hold: H,
    due: Instant,
}

/// Where a request belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// By itself: it cannot be joined, or is over a limit.
    Alone,
    /// Into the open batch of its origin.
    Joins,
    /// Into a new batch; the one that is open is sent first.
    Opens,
    /// Nowhere: too many origins have open batches.
    Refused,
}

impl<H> Accumulator<H> {
    pub(super) fn new(config: BatchConfig) -> Self {
        Self { limits: config.limits(), config, open: HashMap::new() }
    }

    pub(super) fn place(&self, batch: &Batch) -> Place {
        if !batch.is_mergeable() || !self.fits(batch.items(), batch.len()) {
            return Place::Alone;
        }
        match self.open.get(&batch.origin) {
            Some(Held { merge, .. })
                if merge.takes(batch)
                    && self.fits(merge.items() + batch.items(), merge.bytes() + batch.len()) =>
            {
                Place::Joins
            }
            None if self.open.len() >= self.config.metadata_cardinality_limit.max(1) => Place::Refused,
            Some(_) | None => Place::Opens,
        }
    }

    /// Adds a request that [`Joins`](Place::Joins) and tells the holder; a batch that became full comes back.
    pub(super) fn join(&mut self, batch: Batch, tell: impl FnOnce(&mut H)) -> Option<Held<H>> {
        let origin = batch.origin.clone();
        let held = self.open.get_mut(&origin)?;
        held.merge.push(batch).ok()?;
        tell(&mut held.hold);
        if self.config.is_full(&held.merge) { self.open.remove(&origin) } else { None }
    }

    /// Opens a batch with a request that [`Opens`](Place::Opens) one. What is to be sent comes back: the batch that was
    /// open before, and the new one if that is full already.
    pub(super) fn open(&mut self, batch: Batch, now: Instant, hold: H) -> [Option<Held<H>>; 2] {
        let origin = batch.origin.clone();
        let merge = Merge::new(batch);
        let is_full = self.config.is_full(&merge);
        let held = Held { merge, hold, due: now + self.config.timeout };
        if is_full || self.config.timeout.is_zero() {
            return [self.open.remove(&origin), Some(held)];
        }
        [self.open.insert(origin, held), None]
    }

    /// When the first batch is to be sent, full or not. Later ones are never due before earlier ones.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.open.values().map(|held| held.due).min()
    }

    /// Takes what is due by `now`.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Held<H>> {
        self.open.extract_if(|_, held| held.due <= now).map(|(_, held)| held).collect()
    }

    /// Takes everything.
    pub(super) fn take_all(&mut self) -> Vec<Held<H>> {
        self.open.drain().map(|(_, held)| held).collect()
    }

    /// Origins with an open batch.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    fn fits(&self, items: u64, bytes: usize) -> bool {
        fits(self.limits, bytes, items)
    }
}

/// Whether a batch is within the limits.
pub(super) fn fits(SplitLimits { max_items, max_bytes }: SplitLimits, bytes: usize, items: u64) -> bool {
    max_items.is_none_or(|max| items <= max) && max_bytes.is_none_or(|max| bytes <= max)
}

impl BatchConfig {
    fn is_full(&self, merge: &Merge) -> bool {
        let reached = |limit: u64, value: u64| limit > 0 && value >= limit;
        reached(self.send_batch_size, merge.items())
            || reached(self.send_batch_max_size, merge.items())
            || reached(self.max_bytes as u64, merge.bytes() as u64)
    }
}
