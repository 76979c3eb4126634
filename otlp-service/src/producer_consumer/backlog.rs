//! Items that wait for a consumer, in their order: without locks or tasks.

use super::{ProducerOrder, Size};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

/// The items that wait. The pipeline's limits bound their number.
pub(super) struct Backlog<T> {
    order: ProducerOrder,
    /// Items that a consumer may take.
    ready: VecDeque<Waiting<T>>,
    /// With [`ProducerOrder::PerProducer`]: the further items of each producer that has an item that is ready or with a
    /// consumer.
    behind: HashMap<u64, VecDeque<Waiting<T>>>,
}

/// An item that waits.
pub(super) struct Waiting<T> {
    pub(super) producer: u64,
    pub(super) item: T,
    pub(super) size: Size,
}

impl<T> Backlog<T> {
    pub(super) fn new(order: ProducerOrder) -> Self {
        Self { order, ready: VecDeque::new(), behind: HashMap::new() }
    }

    pub(super) fn push(&mut self, waiting: Waiting<T>) {
        if self.order == ProducerOrder::PerProducer {
            match self.behind.entry(waiting.producer) {
                Entry::Occupied(mut behind) => return behind.get_mut().push_back(waiting),
                Entry::Vacant(vacant) => drop(vacant.insert(VecDeque::new())),
            }
        }
        self.ready.push_back(waiting);
    }

    /// Takes the next item that is ready. Its end is told by [`settled`](Self::settled).
    pub(super) fn pop(&mut self) -> Option<Waiting<T>> {
        self.ready.pop_front()
    }

    pub(super) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The item that was taken of this producer is settled: the next one is ready.
    pub(super) fn settled(&mut self, producer: u64) {
        let Some(behind) = self.behind.get_mut(&producer) else { return };
        match behind.pop_front() {
            Some(next) => self.ready.push_back(next),
            None => drop(self.behind.remove(&producer)),
        }
    }

    /// Takes all items.
    pub(super) fn take_all(&mut self) -> Vec<Waiting<T>> {
        let behind = self.behind.drain().flat_map(|(_, waiting)| waiting);
        self.ready.drain(..).chain(behind).collect()
    }
}
