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
    /// Copies lost since the last one that was taken.
    lost: Lost,
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
        let (waiting, lost) = (VecDeque::new(), Lost::default());
        Self { waiting, bytes: 0, max_batches, max_bytes, lost, is_closed: false }
    }

    /// Adds a copy of a batch, if there is room: the memory that the batch keeps from being freed counts. Returns what is
    /// lost.
    pub(super) fn offer(&mut self, edge: &Arc<str>, batch: &mut Batch) -> Lost {
        let bytes = batch.charge().bytes().max(batch.len() as u64);
        let fits = self.bytes.checked_add(bytes).is_some_and(|sum| sum <= self.max_bytes);
        if self.waiting.len() >= self.max_batches || !fits {
            let lost = Lost { batches: 1, items: batch.items() };
            self.lost += lost;
            return lost;
        }
        self.bytes += bytes;
        self.waiting.push_back(Waiting { edge: edge.clone(), batch: batch.share(), bytes });
        Lost::default()
    }

    /// Takes the oldest copy, and the number of those that were lost since the last one.
    pub(super) fn take(&mut self) -> Option<(Arc<str>, Batch, Lost)> {
        let Waiting { edge, batch, bytes } = self.waiting.pop_front()?;
        self.bytes -= bytes;
        Some((edge, batch, std::mem::take(&mut self.lost)))
    }

    /// Drops all copies, which are lost.
    pub(super) fn shed(&mut self) -> Lost {
        let items = self.waiting.iter().map(|waiting| waiting.batch.items()).sum();
        let lost = Lost { batches: self.waiting.len() as u64, items };
        self.waiting = VecDeque::new();
        self.bytes = 0;
        self.lost += lost;
        lost
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
