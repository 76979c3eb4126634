//! State of an HTTP/1.1 connection, shared by its stream, its service and its timeouts.
//!
//! hyper does not report when the head of a request begins to arrive, whether a head had both Content-Length and
//! Transfer-Encoding (hyper drops the former), or that an answer has been written. The stream finds out: see
//! [`HeadWatch`].

mod head;

pub(super) use head::HeadWatch;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Activity of a connection. Used by one task, so no memory ordering is needed.
#[derive(Debug)]
pub(super) struct Activity {
    /// Two bits of phase; the bits above count the changes of phase.
    phase: AtomicU64,
    /// Requests whose answer has begun.
    requests: AtomicU64,
    /// Number of the first request, from 1, that may have two lengths.
    ambiguous_from: AtomicU64,
    /// True if a part of the next request's head has arrived.
    head_begun: AtomicBool,
    /// True if bytes were written that hyper has not flushed yet.
    is_writing: AtomicBool,
}

/// Phase of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// No request has begun.
    Idle,
    /// The head of a request is arriving.
    Head,
    /// A request is being answered.
    Busy,
}

/// A phase and its number. An equal number later means that the phase did not change in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    number: u64,
    pub(super) phase: Phase,
}

/// A request being answered. Dropping it ends the request.
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

    /// Records that the head of a request is complete. Returns true if the head may have two lengths.
    pub(super) fn answer(self: &Arc<Self>) -> (bool, Answering) {
        self.enter(Phase::Busy);
        let number = self.requests.fetch_add(1, Relaxed) + 1;
        (number >= self.ambiguous_from.load(Relaxed), Answering(Arc::clone(self)))
    }

    /// Records that bytes are being written.
    pub(super) fn writing(&self) {
        self.is_writing.store(true, Relaxed);
    }

    /// Records that all bytes are written: hyper flushes a connection only when its own buffers are empty.
    pub(super) fn flushed(&self) {
        self.is_writing.store(false, Relaxed);
    }

    /// True while an answer is being written.
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
