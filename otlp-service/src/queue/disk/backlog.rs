//! The batches of a log that are not delivered, as state alone: those in memory, the ranges of those on disk, and the guards of all
//! their items in the ledger.

use super::ranges::Ranges;
use super::segment::Left;
use crate::ledger::{DropReason, Held, Hop};
use crate::queue::QueueEntry;
use otlp_transport::ExportResult;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Batches that are not delivered.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// In memory, in the order of their numbers. All of them have lower numbers than those on disk alone.
    ready: VecDeque<Ready>,
    /// Encoded length of those in memory.
    ready_bytes: u64,
    /// Records that are on disk alone.
    stored: Ranges,
    /// Items of the records on disk alone, by pipeline; without those whose senders wait.
    held: Vec<(Arc<str>, Held)>,
    /// Records on disk alone whose senders wait for the outcome: their items are not accepted yet.
    unanswered: BTreeMap<u64, Unanswered>,
    /// Records that are being delivered.
    in_flight: BTreeMap<u64, Left>,
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
        let ready = self.ready.pop_front()?;
        self.ready_bytes -= ready.entry.batch.len() as u64;
        let amount = ready.amount();
        self.waiting.sub(amount);
        self.in_flight.insert(ready.sequence, amount.of_pipeline(ready.pipeline.clone()));
        Some(ready)
    }

    /// Returns the records to read next, if less than `min_bytes` are in memory.
    pub(super) fn wanted(&self, min_bytes: u64) -> Option<Range<u64>> {
        let range = self.stored.iter().next()?;
        (self.ready_bytes < min_bytes).then_some(range)
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

    /// Ends a delivery.
    pub(super) fn settle(&mut self, sequence: u64) {
        self.in_flight.remove(&sequence);
    }

    /// Ends a delivery without an outcome: the record is delivered again.
    pub(super) fn put_back(&mut self, sequence: u64, hop: impl FnOnce(&str) -> Hop) {
        if let Some(left) = self.in_flight.remove(&sequence) {
            self.waiting.add(Amount::of(&left));
            let held = hop(&left.pipeline).hold(left.items);
            self.stored.insert(sequence..sequence + 1);
            self.hold(left.pipeline, held);
        }
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
        self.in_flight.range(records.clone()).for_each(|(_, left)| take(left));
        let mut dropped = 0;
        let (gone, kept): (VecDeque<_>, _) =
            std::mem::take(&mut self.ready).into_iter().partition(|ready| records.contains(&ready.sequence));
        self.ready = kept;
        for ready in gone {
            let amount = ready.amount();
            take(&amount.of_pipeline(ready.pipeline));
            self.waiting.sub(amount);
            dropped += amount.items;
            self.ready_bytes -= ready.entry.batch.len() as u64;
            ready.entry.held.drop_for(reason);
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
        self.ready.is_empty() && self.stored.is_empty() && self.in_flight.is_empty()
    }

    /// True if no batch is in memory.
    pub(super) fn is_ready_empty(&self) -> bool {
        self.ready.is_empty()
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
