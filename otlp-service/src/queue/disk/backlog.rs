//! The batches of a log that are not delivered, as state alone: those in memory, the ranges of those on disk, and the guards of all
//! their items in the ledger.

mod live;

use super::ranges::Ranges;
use super::segment::Left;
use crate::ledger::{DropReason, Held, Hop};
use crate::queue::QueueEntry;
use otlp_transport::ExportResult;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

/// Batches that are not delivered.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// In memory, in the order of their numbers. All of them have lower numbers than those on disk alone, unless what comes in is
    /// delivered first.
    ready: VecDeque<Ready>,
    /// Encoded length of those in `ready`.
    ready_bytes: u64,
    /// Read from disk while what comes in is delivered first, in the order in which they are delivered.
    read: VecDeque<Ready>,
    /// Encoded length of those in `read`.
    read_bytes: u64,
    /// Records that are on disk alone.
    stored: Ranges,
    /// Items of the records on disk alone, by pipeline; without those whose senders wait.
    held: Vec<(Arc<str>, Held)>,
    /// Records on disk alone whose senders wait for the outcome: their items are not accepted yet.
    unanswered: BTreeMap<u64, Unanswered>,
    /// Records that are being delivered.
    in_flight: BTreeMap<u64, InFlight>,
    /// What waits, in memory or on disk alone.
    waiting: Amount,
}

/// A number of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) records: u64,
    pub(super) items: u64,
    /// Of the files.
    pub(super) bytes: u64,
}

/// A batch that can be delivered.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) sequence: u64,
    pub(super) pipeline: Arc<str>,
    pub(super) entry: QueueEntry,
    /// Length of its record.
    pub(super) record_len: u64,
    /// The time at which the batch came into memory.
    pub(super) since: Instant,
}

/// A batch that is being delivered.
#[derive(Debug)]
struct InFlight {
    left: Left,
    /// The delivery counts among those that the pace limits.
    is_paced: bool,
}

/// A record whose sender waits for the outcome.
#[derive(Debug)]
struct Unanswered {
    left: Left,
    held: Held,
    answer: oneshot::Sender<ExportResult>,
}

// === impl Backlog ===

impl Backlog {
    /// Adds the records that were found in the log, with their items.
    pub(super) fn recover(&mut self, records: Vec<Range<u64>>, left: Vec<Left>, hop: impl Fn(&str) -> Hop) {
        records.into_iter().for_each(|records| self.stored.insert(records));
        for left in left {
            self.waiting.add(Amount::of(&left));
            let held = hop(&left.pipeline).hold(left.items);
            self.hold(left.pipeline, held);
        }
    }

    /// Adds a record that was appended. It stays in memory unless `max_bytes` are, or records before it are on disk alone.
    pub(super) fn append(&mut self, ready: Ready, max_bytes: u64) {
        let len = ready.entry.batch.len() as u64;
        self.waiting.add(ready.amount());
        if self.stored.is_empty() && self.ready_bytes + len <= max_bytes {
            self.ready_bytes += len;
            self.ready.push_back(ready);
            return;
        }
        self.leave(ready);
    }

    /// Leaves a batch to the disk.
    fn leave(&mut self, ready: Ready) {
        let amount = ready.amount();
        let Ready { sequence, pipeline, entry, .. } = ready;
        self.stored.insert(sequence..sequence + 1);
        let QueueEntry { mut held, answer, .. } = entry;
        match answer {
            None => self.hold(pipeline, held),
            Some(answer) => {
                held.store();
                let left = amount.of_pipeline(pipeline);
                self.unanswered.insert(sequence, Unanswered { left, held, answer });
            }
        }
    }

    /// Takes the next batch, which is being delivered from now on.
    pub(super) fn take(&mut self) -> Option<Ready> {
        let ready = self.take_ready().or_else(|| self.take_read())?;
        Some(self.deliver(ready, false))
    }

    fn take_ready(&mut self) -> Option<Ready> {
        let ready = self.ready.pop_front()?;
        self.ready_bytes -= ready.entry.batch.len() as u64;
        Some(ready)
    }

    fn take_read(&mut self) -> Option<Ready> {
        let ready = self.read.pop_front()?;
        self.read_bytes -= ready.entry.batch.len() as u64;
        Some(ready)
    }

    fn deliver(&mut self, ready: Ready, is_paced: bool) -> Ready {
        let amount = ready.amount();
        self.waiting.sub(amount);
        let left = amount.of_pipeline(ready.pipeline.clone());
        self.in_flight.insert(ready.sequence, InFlight { left, is_paced });
        ready
    }

    /// Returns the records to read next, if less than `min_bytes` are in memory.
    pub(super) fn wanted(&self, min_bytes: u64) -> Option<Range<u64>> {
        let range = self.stored.iter().next()?;
        (self.ready_bytes + self.read_bytes < min_bytes).then_some(range)
    }

    /// Takes the items of a record out of those on disk alone, and the sender that waits; `None` if it is not one of these any more.
    pub(super) fn fetch(
        &mut self,
        sequence: u64,
        pipeline: &str,
        items: u64,
    ) -> Option<(Held, Option<oneshot::Sender<ExportResult>>)> {
        if !self.stored.contains(sequence) {
            return None;
        }
        self.stored.remove(sequence..sequence + 1);
        if let Some(Unanswered { held, answer, .. }) = self.unanswered.remove(&sequence) {
            return Some((held, Some(answer)));
        }
        let (_, held) = self.held.iter_mut().find(|(known, _)| **known == *pipeline)?;
        Some((held.split_off(items), None))
    }

    /// Adds a batch that was read. Its items were fetched.
    pub(super) fn push(&mut self, ready: Ready) {
        self.ready_bytes += ready.entry.batch.len() as u64;
        self.ready.push_back(ready);
    }

    /// Forgets records that the log has not any more, or that cannot be read.
    pub(super) fn skip(&mut self, records: Range<u64>) {
        self.stored.remove(records);
    }

    /// Ends a delivery. Returns true if the pace limited the delivery.
    pub(super) fn settle(&mut self, sequence: u64) -> bool {
        self.in_flight.remove(&sequence).is_some_and(|ended| ended.is_paced)
    }

    /// Ends a delivery without an outcome: the record is delivered again. Returns true if the pace limited the delivery.
    pub(super) fn put_back(&mut self, sequence: u64, hop: impl FnOnce(&str) -> Hop) -> bool {
        let Some(InFlight { left, is_paced }) = self.in_flight.remove(&sequence) else { return false };
        self.waiting.add(Amount::of(&left));
        let held = hop(&left.pipeline).hold(left.items);
        self.stored.insert(sequence..sequence + 1);
        self.hold(left.pipeline, held);
        is_paced
    }

    /// Drops the records of a segment that has left the log, of which the log had `left`. Those that are being delivered are not
    /// dropped. Returns the dropped items.
    pub(super) fn drop_all(&mut self, records: &Range<u64>, left: &[Left], reason: DropReason) -> u64 {
        let mut remaining: Vec<_> = left.to_vec();
        let mut take = |taken: &Left| {
            if let Some(left) = remaining.iter_mut().find(|left| left.pipeline == taken.pipeline) {
                left.records = left.records.saturating_sub(taken.records);
                left.items = left.items.saturating_sub(taken.items);
                left.bytes = left.bytes.saturating_sub(taken.bytes);
            }
        };
        self.in_flight.range(records.clone()).for_each(|(_, in_flight)| take(&in_flight.left));
        let mut dropped = 0;
        for (list, list_bytes) in
            [(&mut self.ready, &mut self.ready_bytes), (&mut self.read, &mut self.read_bytes)]
        {
            let (gone, kept): (VecDeque<_>, _) =
                std::mem::take(list).into_iter().partition(|ready| records.contains(&ready.sequence));
            *list = kept;
            for ready in gone {
                let amount = ready.amount();
                *list_bytes -= ready.entry.batch.len() as u64;
                take(&amount.of_pipeline(ready.pipeline));
                self.waiting.sub(amount);
                dropped += amount.items;
                ready.entry.held.drop_for(reason);
            }
        }
        self.stored.remove(records.clone());
        for Unanswered { left, held, .. } in
            self.unanswered.extract_if(records.clone(), |_, _| true).map(|(_, gone)| gone)
        {
            take(&left);
            self.waiting.sub(Amount::of(&left));
            dropped += left.items;
            held.drop_for(reason);
        }
        for left in remaining {
            self.waiting.sub(Amount::of(&left));
            if let Some((_, held)) = self.held.iter_mut().find(|(known, _)| *known == left.pipeline) {
                let items = held.split_off(left.items);
                dropped += items.items();
                items.drop_for(reason);
            }
        }
        dropped
    }

    /// Returns what waits.
    pub(super) fn waiting(&self) -> Amount {
        self.waiting
    }

    /// True if no batch waits or is being delivered.
    pub(super) fn is_idle(&self) -> bool {
        self.ready.is_empty() && self.read.is_empty() && self.stored.is_empty() && self.in_flight.is_empty()
    }

    /// True if no batch is in memory.
    pub(super) fn is_ready_empty(&self) -> bool {
        self.ready.is_empty() && self.read.is_empty()
    }

    fn hold(&mut self, pipeline: Arc<str>, mut held: Held) {
        held.store();
        match self.held.iter_mut().find(|(known, _)| *known == pipeline) {
            Some((_, all)) => all.add(held),
            None => self.held.push((pipeline, held)),
        }
    }
}

// === impl Ready ===

impl Ready {
    fn amount(&self) -> Amount {
        Amount { records: 1, items: self.entry.held.items(), bytes: self.record_len }
    }
}

// === impl Amount ===

impl Amount {
    fn of(left: &Left) -> Self {
        Self { records: left.records, items: left.items, bytes: left.bytes }
    }

    fn of_pipeline(self, pipeline: Arc<str>) -> Left {
        Left { pipeline, records: self.records, items: self.items, bytes: self.bytes }
    }

    /// Returns the sum of two amounts.
    pub(super) fn plus(mut self, other: Self) -> Self {
        self.add(other);
        self
    }

    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.items += other.items;
        self.bytes += other.bytes;
    }

    fn sub(&mut self, other: Self) {
        self.records = self.records.saturating_sub(other.records);
        self.items = self.items.saturating_sub(other.items);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }
}

#[cfg(test)]
mod tests;
