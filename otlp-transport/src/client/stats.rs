//! What the connections of a client have counted, read by the owner at will.

use crate::BalanceStats;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A client's counters: monotone, but for `open_connections`.
#[derive(Debug, Default)]
pub struct ClientStats {
    /// Connections open now.
    pub open_connections: AtomicU64,
    /// Connections established.
    pub connects: AtomicU64,
    /// Bytes of the bodies that were sent, or begun to be sent: as they go out, compressed, with gRPC's framing.
    pub sent_bytes: AtomicU64,
    /// Attempts to connect that failed.
    pub connect_failures: AtomicU64,
    /// Requests sent again at once, since the server cannot have processed them.
    pub resent_requests: AtomicU64,
    /// Requests refused because `max_waiting` were waiting for a connection or a stream already.
    pub refused_requests: AtomicU64,
    /// Requests over `max_request_bytes`, which are not sent.
    pub oversized_requests: AtomicU64,
    /// Answers over `max_response_bytes`; they are judged by their status alone.
    pub oversized_answers: AtomicU64,
    /// Answers whose body broke off or could not be decoded; they are judged by their status alone. What the destination
    /// rejected of such a request is not known.
    pub unreadable_answers: AtomicU64,
    /// What balancing counted, if there are several endpoints.
    pub balance: Option<Arc<BalanceStats>>,
}
