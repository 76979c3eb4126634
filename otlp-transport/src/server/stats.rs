//! What a server counts, read by the owner at will.

use std::sync::atomic::{AtomicU64, Ordering};

/// A server's counters: monotone, but for `open_connections`.
#[derive(Debug, Default)]
pub struct ServerStats {
    /// Requests answered OK.
    pub accepted_requests: AtomicU64,
    /// Requests refused for what they are: malformed, too large, wrong type, unauthenticated.
    pub refused_requests: AtomicU64,
    /// Requests answered with the error of whoever takes the batches.
    pub failed_requests: AtomicU64,
    /// Connections open now.
    pub open_connections: AtomicU64,
    /// Connections closed at once because too many were open.
    pub refused_connections: AtomicU64,
}

impl ServerStats {
    /// Adds one to a counter of this struct.
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
