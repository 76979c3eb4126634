//! The finished chunks of all threads, until they are sent.

use super::chunk::{CHUNK_BYTES, Chunk};
use super::kind::Kind;
use super::sync::Mutex;
use std::collections::VecDeque;

/// Finished chunks that wait to be sent, and empty chunks for reuse.
#[derive(Debug)]
pub(crate) struct Store {
    max_bytes: usize,
    /// Items of each kind that wait. A chunk is taken whole, or if no other waits.
    max_items: [usize; Kind::BUFFERED],
    state: Mutex<State>,
}

/// Outcome of [`Store::push`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// The chunk waits; with it, this many items of its kind wait.
    Waits(usize),
    /// The limit is reached: the items of the chunk were dropped.
    Full,
    /// The queue is closed: the items of the chunk were dropped.
    Closed,
}

#[derive(Debug, Default)]
struct State {
    queues: [Queue; Kind::BUFFERED],
    /// Memory of all chunks that wait.
    used: usize,
    free: Vec<Chunk>,
}

#[derive(Debug, Default)]
struct Queue {
    chunks: VecDeque<Chunk>,
    items: usize,
    is_closed: bool,
}

/// Empty chunks that are kept for reuse: 8 MiB. [`Store::shrink`] frees them when little is recorded.
const MAX_FREE: usize = 128;

/// Empty chunks that [`Store::shrink`] leaves.
const MIN_FREE: usize = 4;

/// Chunks up to this length are copied behind another chunk when they are collected; longer chunks are moved.
const MAX_COPIED: usize = CHUNK_BYTES / 4;

impl Store {
    /// Makes a store of at most `max_bytes` of chunks that wait, and at most `max_items` items of each kind in them.
    pub(crate) fn new(max_bytes: usize, max_items: [usize; Kind::BUFFERED]) -> Self {
        Self { max_bytes, max_items, state: Mutex::default() }
    }

    /// Takes the content of a chunk, and leaves an empty chunk with room for a message of `len` bytes.
    pub(crate) fn push(&self, kind: Kind, chunk: &mut Chunk, len: usize) -> Pushed {
        let mut state = self.state.lock();
        let refused = self.refuses(&state, kind, chunk, chunk.capacity());
        if refused.is_some() {
            chunk.clear();
        }
        if chunk.items() > 0 || !chunk.has_room(len) {
            let empty = state.empty(len);
            let full = std::mem::replace(chunk, empty);
            if full.items() > 0 {
                return state.put(kind, full);
            }
        }
        refused.unwrap_or(Pushed::Waits(0))
    }

    /// Takes the content of a chunk that its thread has not filled. A short content is copied, so that the entries of many
    /// threads share a chunk.
    pub(crate) fn collect(&self, kind: Kind, chunk: &mut Chunk, max_items: usize) -> Pushed {
        let mut state = self.state.lock();
        let short = chunk.len() <= MAX_COPIED;
        if let (true, Some(queue)) = (short, state.queues.get_mut(kind.index()))
            && !queue.is_closed
            && let Some(last) = queue.chunks.back_mut()
            && last.has_room(chunk.len())
            && last.items() + chunk.items() <= max_items
            && queue.items + chunk.items() <= self.max_items.get(kind.index()).copied().unwrap_or_default()
        {
            queue.items += chunk.items();
            last.absorb(chunk);
            return Pushed::Waits(queue.items);
        }
        if let Some(refused) = self.refuses(&state, kind, chunk, CHUNK_BYTES.max(chunk.capacity())) {
            chunk.clear();
            return refused;
        }
        let moved = if short {
            let mut copy = state.empty(0);
            copy.absorb(chunk);
            copy
        } else {
            std::mem::take(chunk)
        };
        state.put(kind, moved)
    }

    /// Returns the number of items of a kind that wait.
    pub(crate) fn waiting(&self, kind: Kind) -> usize {
        self.state.lock().queues.get(kind.index()).map_or(0, |queue| queue.items)
    }

    /// Returns the oldest chunks, of `max_items` together unless the first has more. Without `all`, nothing is returned until
    /// `max_items` wait.
    pub(crate) fn take(&self, kind: Kind, max_items: usize, all: bool) -> Vec<Chunk> {
        let mut state = self.state.lock();
        let Some(queue) = state.queues.get_mut(kind.index()) else {
            return Vec::new();
        };
        let (mut taken, mut items, mut bytes) = (Vec::new(), 0, 0);
        if queue.items < max_items && !all {
            return taken;
        }
        while let Some(chunk) =
            queue.chunks.pop_front_if(|next| items == 0 || items + next.items() <= max_items)
        {
            items += chunk.items();
            bytes += chunk.capacity();
            taken.push(chunk);
        }
        queue.items -= items;
        state.used -= bytes;
        taken
    }

    /// Closes the queue of a kind, and returns the number of items that were dropped.
    pub(crate) fn close(&self, kind: Kind) -> usize {
        let mut state = self.state.lock();
        let Some(queue) = state.queues.get_mut(kind.index()) else {
            return 0;
        };
        queue.is_closed = true;
        let items = std::mem::take(&mut queue.items);
        let bytes: usize = queue.chunks.drain(..).map(|chunk| chunk.capacity()).sum();
        state.used -= bytes;
        items
    }

    /// Frees half of the empty chunks.
    pub(crate) fn shrink(&self) {
        let freed = {
            let mut state = self.state.lock();
            let kept = (state.free.len() / 2).max(MIN_FREE).min(state.free.len());
            state.free.split_off(kept)
        };
        drop(freed);
    }

    /// Keeps an empty chunk for reuse.
    pub(crate) fn recycle(&self, mut chunk: Chunk) {
        chunk.clear();
        let mut state = self.state.lock();
        if state.free.len() < MAX_FREE && chunk.capacity() == CHUNK_BYTES {
            state.free.push(chunk);
        }
    }

    /// Returns the reason if a chunk of `bytes` cannot wait in the queue.
    fn refuses(&self, state: &State, kind: Kind, chunk: &Chunk, bytes: usize) -> Option<Pushed> {
        let index = kind.index();
        let (Some(queue), Some(&max_items)) = (state.queues.get(index), self.max_items.get(index)) else {
            return Some(Pushed::Closed);
        };
        let has_too_many = queue.items > 0 && queue.items.saturating_add(chunk.items()) > max_items;
        match () {
            () if queue.is_closed => Some(Pushed::Closed),
            () if has_too_many || state.used.saturating_add(bytes) > self.max_bytes => Some(Pushed::Full),
            () => None,
        }
    }
}

// === impl State ===

impl State {
    fn empty(&mut self, len: usize) -> Chunk {
        let reused = self.free.pop().filter(|chunk| chunk.has_room(len));
        reused.unwrap_or_else(|| Chunk::with_room(len))
    }

    fn put(&mut self, kind: Kind, chunk: Chunk) -> Pushed {
        let Some(queue) = self.queues.get_mut(kind.index()) else {
            return Pushed::Full;
        };
        self.used += chunk.capacity();
        queue.items += chunk.items();
        queue.chunks.push_back(chunk);
        Pushed::Waits(queue.items)
    }
}
