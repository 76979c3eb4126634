//! What a server counts, read by the owner at will.

use crate::counter;
use otlp_protocol::ErrorKind;
use std::sync::atomic::AtomicU64;

/// A server's counters: monotone, but for `open_connections`.
#[derive(Debug, Default)]
pub struct ServerStats {
    /// Requests answered OK.
    pub accepted_requests: AtomicU64,
    /// Requests refused by the server itself: the sum of the reasons below.
    pub refused_requests: AtomicU64,
    /// Of the refused: larger than a limit.
    pub refused_too_large: AtomicU64,
    /// Of the refused: not OTLP, or corrupt.
    pub refused_malformed: AtomicU64,
    /// Of the refused: a signal, content type or encoding that is not served.
    pub refused_unsupported: AtomicU64,
    /// Of the refused: no room in the byte budget. The sender was told to come back.
    pub refused_memory: AtomicU64,
    /// Of the refused: the body stopped coming.
    pub refused_slow: AtomicU64,
    /// Of the refused: headers over a limit. On HTTP/2 malformed ones too, and requests reset at once; counted when the
    /// connection is idle or closes, since h2 tells of none.
    pub refused_headers: AtomicU64,
    /// Of the refused: without the credentials that are asked for.
    pub refused_unauthenticated: AtomicU64,
    /// Of the refused: requests that this receiver has had before, since exporters send them in a circle.
    pub refused_loops: AtomicU64,
    /// Of the refused: anything else, such as broken gRPC framing or a peer that went away amid a request.
    pub refused_other: AtomicU64,
    /// Requests answered with the error of whoever takes the batches, or after their deadline.
    pub failed_requests: AtomicU64,
    /// Requests taken although strings in them were not UTF-8.
    pub repaired_requests: AtomicU64,
    /// The strings in them that were put right; in JSON, the bad sequences.
    pub repaired_strings: AtomicU64,
    /// Items taken out of requests because of ids of the wrong length. The sender was told by a partial success.
    pub rejected_items: AtomicU64,
    /// Ids of the wrong length that were removed from log records, exemplars and profiles.
    pub removed_ids: AtomicU64,
    /// Keys of JSON that OTLP does not have, snake_case ones among them, and unknown names of enum values: they were
    /// ignored.
    pub unknown_json_keys: AtomicU64,
    /// Connections open now.
    pub open_connections: AtomicU64,
    /// Connections closed at once because too many were open, none of them idle.
    pub refused_connections: AtomicU64,
    /// Idle connections closed to make room for new ones, or for want of file descriptors.
    pub evicted_connections: AtomicU64,
    /// Connections closed because they were slow to begin a request, or idle.
    pub timed_out_connections: AtomicU64,
    /// Connections closed because the TLS handshake failed: cleartext, or a version or certificate that is not accepted.
    pub tls_handshake_errors: AtomicU64,
    /// Connections closed because the peer broke the rules of HTTP, or spoke what the port does not: TLS to a port without
    /// TLS, HTTP/1.1 to a gRPC port.
    pub protocol_errors: AtomicU64,
    /// Bytes of the bodies that were read whole, as they came, with gRPC's framing.
    pub received_bytes: AtomicU64,
    /// Failures to accept a connection, such as for want of file descriptors.
    pub accept_errors: AtomicU64,
}

impl ServerStats {
    /// Counts a request that the server refused.
    pub(super) fn count_refusal(&self, kind: ErrorKind) {
        counter::count(&self.refused_requests);
        match kind {
            ErrorKind::TooLarge => counter::count(&self.refused_too_large),
            ErrorKind::InvalidData => counter::count(&self.refused_malformed),
            ErrorKind::Unimplemented | ErrorKind::UnsupportedMediaType | ErrorKind::UnsupportedEncoding => {
                counter::count(&self.refused_unsupported);
            }
            ErrorKind::Exhausted => counter::count(&self.refused_memory),
            ErrorKind::Timeout => counter::count(&self.refused_slow),
            ErrorKind::Unauthenticated => counter::count(&self.refused_unauthenticated),
            ErrorKind::Loop => counter::count(&self.refused_loops),
            _ => counter::count(&self.refused_other),
        }
    }

    /// Counts requests whose headers were refused.
    pub(super) fn count_refused_headers(&self, count: u64) {
        counter::add(&self.refused_requests, count);
        counter::add(&self.refused_headers, count);
    }
}
