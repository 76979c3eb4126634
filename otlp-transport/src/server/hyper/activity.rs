//! State of an HTTP/1.1 connection, shared by its stream, its service and its timeouts.
//!
//! hyper does not tell when the head of a request begins to arrive, whether a head had both Content-Length and
//! Transfer-Encoding (it drops the former), or that an answer has been written. The stream finds out: see [`HeadWatch`].

mod head;

pub(super) use head::HeadWatch;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Shared by parts of one task, so nothing has to be ordered.
#[derive(Debug)]
pub(super) struct Activity {
    /// Two bits of phase; above them, a count of the changes of phase.
    phase: AtomicU64,
    /// Requests whose answer has begun to be made.
    requests: AtomicU64,
    /// Number of the first request, from 1, that may have two lengths.
    ambiguous_from: AtomicU64,
    /// Part of the next request's head has arrived.
    head_begun: AtomicBool,
    /// Bytes were written that hyper has not flushed since.
    is_writing: AtomicBool,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// No request has begun.
    Idle,
    /// The head of a request is arriving.
    Head,
    /// A request is being answered.
    Busy,
}

/// A phase and its number: the same number is the same phase, uninterrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    number: u64,
    pub(super) phase: Phase,
}

/// A request being answered; when dropped, the next request is due.
pub(super) struct Answering(Arc<Activity>);

// === impl Activity ===

impl Activity {
    pub(super) fn now(&self) -> Moment {
        let number = self.phase.load(Relaxed);
        let phase = match number & 3 {
            0 => Phase::Idle,
            1 => Phase::Head,
            _ => Phase::Busy,
        };
        Moment { number, phase }
    }

    /// The head of a request is complete. Returns whether the head may have had two lengths.
    pub(super) fn answer(self: &Arc<Self>) -> (bool, Answering) {
        self.enter(Phase::Busy);
        let number = self.requests.fetch_add(1, Relaxed) + 1;
        (number >= self.ambiguous_from.load(Relaxed), Answering(Arc::clone(self)))
    }

    /// Bytes are being written.
    pub(super) fn writing(&self) {
        self.is_writing.store(true, Relaxed);
    }

    /// All bytes have been written: hyper flushes a connection only when nothing is left in its own buffers.
    pub(super) fn flushed(&self) {
        self.is_writing.store(false, Relaxed);
    }

    /// Whether an answer is still being written.
    pub(super) fn is_writing(&self) -> bool {
        self.is_writing.load(Relaxed)
    }

    fn enter(&self, phase: Phase) {
        let count = self.phase.load(Relaxed) >> 2;
        self.phase.store((count + 1) << 2 | phase as u64, Relaxed);
    }
}

impl Default for Activity {
    fn default() -> Self {
        Self {
            phase: AtomicU64::default(),
            requests: AtomicU64::default(),
            ambiguous_from: AtomicU64::new(u64::MAX),
            head_begun: AtomicBool::default(),
            is_writing: AtomicBool::default(),
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let has_next = self.0.head_begun.load(Relaxed);
        self.0.enter(if has_next { Phase::Head } else { Phase::Idle });
    }
}

#[cfg(test)]
mod tests;
