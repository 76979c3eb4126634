//! The requests that are open on an HTTP/2 connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts the requests of a connection. The counters are only compared with each other, so no memory ordering is needed.
#[derive(Debug, Default)]
pub(super) struct OpenRequests {
    /// Streams that the peer opened.
    opened: AtomicU64,
    /// Streams already counted that never became a request.
    counted: AtomicU64,
    begun: AtomicU64,
    ended: AtomicU64,
}

/// A request from its head to the end of its answer, or until it is dropped.
pub(super) struct OpenRequest(Arc<OpenRequests>);

// === impl OpenRequests ===

impl OpenRequests {
    /// Records that the peer opened a stream.
    pub(super) fn opened(&self) {
        self.opened.fetch_add(1, Relaxed);
    }

    /// Returns the number of streams, since the last call, that never became a request: h2 refused their heads, or the
    /// peer reset them at once. To be called when no stream is open.
    pub(super) fn take_refused(&self) -> u64 {
        let refused = self.opened.load(Relaxed).saturating_sub(self.begun.load(Relaxed));
        refused.saturating_sub(self.counted.swap(refused, Relaxed))
    }

    /// Records the start of a request.
    pub(super) fn begin(self: &Arc<Self>) -> OpenRequest {
        self.begun.fetch_add(1, Relaxed);
        OpenRequest(Arc::clone(self))
    }

    /// Returns the number of ended requests if no request is open. An equal number later means that no request came in
    /// between.
    pub(super) fn silence(&self) -> Option<u64> {
        let ended = self.ended.load(Relaxed);
        (self.begun.load(Relaxed) == ended).then_some(ended)
    }
}

// === impl OpenRequest ===

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Relaxed);
    }
}
