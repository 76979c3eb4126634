//! A server's answer, read under a limit. Status and headers judge the request; a body that cannot be read to its end
//! does not change that judgement, so its fault is kept beside what came of it.

use crate::client::stats::ClientStats;
use crate::{Clock, Sleep};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use std::time::{Duration, Instant};

/// An answer with its body and trailers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Empty if it has a fault.
    pub(crate) body: Bytes,
    pub(crate) fault: Option<BodyFault>,
    pub(crate) trailers: Option<HeaderMap>,
}

/// Why the body of an answer could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyFault {
    #[error("the body is over the response limit of {0} bytes")]
    Oversized(usize),
    #[error("the body broke off, or did not come in time")]
    BrokenOff,
    #[error("the body cannot be decoded: {0}")]
    Undecodable(Box<dyn std::error::Error + Send + Sync>),
}

/// How much of an answer is read, and until when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnswerLimits {
    /// Bytes of the body that are kept.
    pub(crate) max_bytes: usize,
    /// The end of the attempt; `None`: no limit.
    pub(crate) attempt_ends: Option<Instant>,
    /// Whether the status is in the trailers, as gRPC has it, and not in the headers.
    pub(crate) judged_by_trailers: bool,
}

// === impl BodyFault ===

impl BodyFault {
    /// Counts and logs the fault of an answer.
    pub(crate) fn count(&self, stats: &ClientStats) {
        ClientStats::count(match self {
            Self::Oversized(_) => &stats.oversized_answers,
            Self::BrokenOff | Self::Undecodable(_) => &stats.unreadable_answers,
        });
        tracing::debug!(fault = %self, "an answer was judged by its status alone");
    }
}

// === impl AnswerLimits ===

impl AnswerLimits {
    /// Resolves when the rest of a body is given up whose headers, with this status, have just come.
    pub(crate) fn body_ends(&self, clock: &dyn Clock, status: StatusCode) -> Sleep {
        let latest = clock.now() + if status.is_success() { BODY_TIMEOUT } else { FAILURE_BODY_TIMEOUT };
        clock.sleep_until(self.attempt_ends.map_or(latest, |ends| ends.min(latest)))
    }
}

/// Gathers a body of at most `limit` bytes. One chunk is kept as it is; of more, the bytes are copied together, so that a
/// flood of tiny chunks costs no more than the limit.
#[derive(Debug)]
pub(crate) struct BodyBuffer {
    limit: usize,
    first: Bytes,
    more: BytesMut,
}

// === impl BodyBuffer ===

impl BodyBuffer {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, first: Bytes::new(), more: BytesMut::new() }
    }

    pub(crate) fn push(&mut self, chunk: Bytes) -> Result<(), BodyFault> {
        if self.len().saturating_add(chunk.len()) > self.limit {
            return Err(BodyFault::Oversized(self.limit));
        }
        if self.len() == 0 {
            self.first = chunk;
            return Ok(());
        }
        if self.more.is_empty() {
            self.more.extend_from_slice(&self.first);
            self.first = Bytes::new();
        }
        self.more.extend_from_slice(&chunk);
        Ok(())
    }

    pub(crate) fn finish(self) -> Bytes {
        if self.more.is_empty() { self.first } else { self.more.freeze() }
    }

    fn len(&self) -> usize {
        self.first.len().max(self.more.len())
    }
}

/// A server that has sent headers has judged the request; answers are small and follow at once.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// The body of a failure tells no more than why.
const FAILURE_BODY_TIMEOUT: Duration = Duration::from_secs(1);
