//! Counters of a client's connections.

use crate::{AdaptiveStats, BalanceStats};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

/// Counters of a client. All but `open_connections` only grow.
#[derive(Debug, Default)]
pub struct ClientStats {
    /// Connections open now.
    pub open_connections: AtomicU64,
    /// Connections established.
    pub connects: AtomicU64,
    /// Bytes of request bodies sent or begun to be sent: compressed, with gRPC's framing.
    pub sent_bytes: AtomicU64,
    /// Failed attempts to connect.
    pub connect_failures: AtomicU64,
    /// Requests sent again at once, since the server cannot have processed them.
    pub resent_requests: AtomicU64,
    /// Requests refused because `max_waiting` requests were waiting for a connection or a stream.
    pub refused_requests: AtomicU64,
    /// Requests over `max_request_bytes`, which are not sent.
    pub oversized_requests: AtomicU64,
    /// Answers over `max_response_bytes`, judged by their status alone.
    pub oversized_answers: AtomicU64,
    /// Answers with a body that broke off or could not be decoded, judged by their status alone. The number of items that
    /// the destination rejected is unknown for these requests.
    pub unreadable_answers: AtomicU64,
    /// Counters of balancing, if there are several endpoints.
    pub balance: Option<Arc<BalanceStats>>,
    /// Counters of adaptive compression, if requests are compressed adaptively.
    pub adaptive: OnceLock<Arc<AdaptiveStats>>,
}
