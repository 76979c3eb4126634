//! The copies that wait for an observer.

use super::Lost;
use otlp_protocol::Batch;
use std::collections::VecDeque;
use std::sync::Arc;

/// Copies in the order in which they came, within limits.
#[derive(Debug)]
pub(super) struct Copies {
    waiting: VecDeque<Waiting>,
    bytes: u64,
    max_batches: usize,
    max_bytes: u64,
    /// True if no further copies are taken in.
    pub(super) is_closed: bool,
}

#[derive(Debug)]
struct Waiting {
    edge: Arc<str>,
    batch: Batch,
    bytes: u64,
}

// === impl Copies ===

impl Copies {
    pub(super) fn new(max_batches: usize, max_bytes: u64) -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, max_batches, max_bytes, is_closed: false }
    }

    /// Adds a copy of a batch, if there is room: the memory that the batch keeps from being freed counts. False without room.
    pub(super) fn offer(&mut self, edge: &Arc<str>, batch: &mut Batch) -> bool {
        let bytes = batch.charge().bytes().max(batch.len() as u64);
        let sum = self.bytes.checked_add(bytes).filter(|&sum| sum <= self.max_bytes);
        let Some(sum) = sum.filter(|_| self.waiting.len() < self.max_batches) else { return false };
        self.bytes = sum;
        self.waiting.push_back(Waiting { edge: edge.clone(), batch: batch.share(), bytes });
        true
    }

    /// Takes the oldest copy, with the name of its edge.
    pub(super) fn take(&mut self) -> Option<(Arc<str>, Batch)> {
        let Waiting { edge, batch, bytes } = self.waiting.pop_front()?;
        self.bytes -= bytes;
        Some((edge, batch))
    }

    /// Drops all copies. Returns how many.
    pub(super) fn shed(&mut self) -> Lost {
        let items = self.waiting.iter().map(|waiting| waiting.batch.items()).sum();
        let shed = Lost { batches: self.waiting.len() as u64, items };
        self.waiting = VecDeque::new();
        self.bytes = 0;
        shed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
