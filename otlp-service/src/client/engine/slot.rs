//! The unfinished chunks of one thread.
//!
//! A thread appends to its own chunks; the engine's tasks empty chunks that a thread does not fill. The lock is held for the copy
//! of one entry or one hand-over, and never while code of the user runs.

use super::buffer::FieldWriter;
use super::chunk::Chunk;
use super::kind::Kind;
use super::losses::LossReason;
use super::scope::ScopeId;
use super::shared::Shared;
use super::sync::{Lock, Locked};
use std::mem;

/// The unfinished chunks of one thread.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    chunks: Lock<[SlotChunk; Kind::BUFFERED]>,
}

#[derive(Debug, Default)]
struct SlotChunk {
    chunk: Chunk,
    /// True after the last collection: nothing that is appended later would be sent.
    is_closed: bool,
}

/// A locked chunk with room for a message.
pub(crate) struct Appending<'a> {
    chunks: Locked<'a, [SlotChunk; Kind::BUFFERED]>,
    kind: Kind,
}

// === impl Slot ===

impl Slot {
    /// Makes a slot whose kinds may be closed already.
    pub(crate) fn new(is_closed: [bool; Kind::BUFFERED]) -> Self {
        let chunk = |is_closed| SlotChunk { chunk: Chunk::default(), is_closed };
        Self { chunks: Lock::new(is_closed.map(chunk)) }
    }

    /// Locks the chunk of a kind and makes room for a message of `len` bytes, or counts the loss of the message.
    #[inline(always)]
    pub(crate) fn begin(&self, shared: &Shared, kind: Kind, len: usize) -> Option<Appending<'_>> {
        let Some(mut chunks) = self.chunks.try_lock().or_else(|| self.wait(shared)) else {
            shared.lose_by_fork(kind, 1);
            return None;
        };
        let slot = chunks.get_mut(kind.index())?;
        if slot.is_closed {
            shared.losses.add(kind, LossReason::Shutdown, 1);
            return None;
        }
        if !slot.chunk.has_room(len) {
            shared.hand_over(kind, &mut slot.chunk, len);
        }
        Some(Appending { chunks, kind })
    }

    /// Moves unfinished entries to the store. With `wait`, also if the thread is appending at the moment; with `close`, for the
    /// last time.
    pub(crate) fn collect(&self, shared: &Shared, kind: Kind, wait: bool, close: bool) {
        let chunks = if wait { Some(self.chunks.lock()) } else { self.chunks.try_lock() };
        let Some(mut chunks) = chunks else {
            return;
        };
        if let Some(slot) = chunks.get_mut(kind.index()) {
            slot.is_closed |= close;
            if slot.chunk.items() > 0 {
                shared.collect_chunk(kind, &mut slot.chunk);
            }
        }
    }

    /// Takes the unfinished entries of all kinds.
    pub(crate) fn take(&self, shared: &Shared) -> [Chunk; Kind::BUFFERED] {
        let mut taken = <[Chunk; Kind::BUFFERED]>::default();
        if let Some(mut chunks) = self.chunks.try_lock().or_else(|| self.wait(shared)) {
            for (taken, slot) in taken.iter_mut().zip(chunks.iter_mut()) {
                *taken = mem::take(&mut slot.chunk);
            }
        }
        taken
    }

    /// Waits for the lock, which another thread holds. `None` in a process that was forked: the other thread does not exist in it.
    #[cold]
    fn wait(&self, shared: &Shared) -> Option<Locked<'_, [SlotChunk; Kind::BUFFERED]>> {
        if shared.is_foreign() { None } else { Some(self.chunks.lock()) }
    }
}

// === impl Appending ===

impl Appending<'_> {
    /// Appends a message of `len` bytes, which the writer fills.
    #[inline(always)]
    pub(crate) fn message(&mut self, scope: ScopeId, len: usize) -> Option<FieldWriter<'_>> {
        Some(self.chunks.get_mut(self.kind.index())?.chunk.append(scope, len))
    }

    /// Hands the chunk over if it has as many entries as a request.
    #[inline(always)]
    pub(crate) fn end(mut self, shared: &Shared) {
        if let Some(slot) = self.chunks.get_mut(self.kind.index())
            && slot.chunk.items() >= shared.max_items(self.kind)
        {
            shared.hand_over(self.kind, &mut slot.chunk, 0);
        }
    }
}
