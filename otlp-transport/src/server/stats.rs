//! Counters of a server.

use crate::counter;
use otlp_protocol::ErrorKind;
use std::sync::atomic::AtomicU64;

/// Counters of a server. All but `open_connections` only grow.
#[derive(Debug, Default)]
pub struct ServerStats {
    /// Requests answered OK.
    pub accepted_requests: AtomicU64,
    /// Requests refused by the server itself: the sum of the reasons below.
    pub refused_requests: AtomicU64,
    /// Refused: larger than a limit.
    pub refused_too_large: AtomicU64,
    /// Refused: not OTLP, or corrupt.
    pub refused_malformed: AtomicU64,
    /// Refused: signal, content type or encoding not served.
    pub refused_unsupported: AtomicU64,
    /// Refused: the byte budget is used up. The sender is asked to retry.
    pub refused_memory: AtomicU64,
    /// Refused: the body arrived too slowly.
    pub refused_slow: AtomicU64,
    /// Refused: headers over a limit. On HTTP/2 malformed headers too, and requests reset at once; these are counted when
    /// the connection is idle or closes, since h2 does not report them.
    pub refused_headers: AtomicU64,
    /// Refused: credentials missing or wrong.
    pub refused_unauthenticated: AtomicU64,
    /// Refused: the receiver has had the request before, since exporters send it in a circle.
    pub refused_loops: AtomicU64,
    /// Refused for another reason, such as broken gRPC framing, or a peer that disconnected within a request.
    pub refused_other: AtomicU64,
    /// Requests answered with an error of the pipeline, or after their deadline.
    pub failed_requests: AtomicU64,
    /// Requests accepted after strings that were not UTF-8 were repaired.
    pub repaired_requests: AtomicU64,
    /// Repaired strings; in JSON, invalid sequences.
    pub repaired_strings: AtomicU64,
    /// Items removed from requests because of ids of the wrong length. The sender is told by a partial success.
    pub rejected_items: AtomicU64,
    /// Ids of the wrong length removed from log records, exemplars and profiles.
    pub removed_ids: AtomicU64,
    /// Unknown JSON keys, including snake_case keys, and unknown names of enum values. They are ignored.
    pub unknown_json_keys: AtomicU64,
    /// Connections open now.
    pub open_connections: AtomicU64,
    /// Connections closed at once because the limit was reached and none was idle.
    pub refused_connections: AtomicU64,
    /// Idle connections closed to make room for new ones, or for lack of file descriptors.
    pub evicted_connections: AtomicU64,
    /// Connections closed because they were slow to begin a request, or idle.
    pub timed_out_connections: AtomicU64,
    /// Connections closed because the TLS handshake failed: cleartext, or an unacceptable version or certificate.
    pub tls_handshake_errors: AtomicU64,
    /// Connections closed because the peer violated HTTP, or used the wrong protocol: TLS on a port without TLS, HTTP/1.1
    /// on a gRPC port.
    pub protocol_errors: AtomicU64,
    /// Bytes of complete request bodies, as received, with gRPC's framing.
    pub received_bytes: AtomicU64,
    /// Failures to accept a connection, such as for lack of file descriptors.
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
