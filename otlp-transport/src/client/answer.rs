//! A server's answer, read whole under a limit.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};

/// An answer with its body and trailers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

/// Gathers a body of at most `limit` bytes. One chunk is kept as it is; of more, the bytes are copied together, so that a
/// flood of tiny chunks costs no more than the limit.
#[derive(Debug)]
pub(crate) struct BodyBuffer {
    limit: usize,
    first: Bytes,
    more: BytesMut,
}

/// The body is over its limit, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OverLimit(pub(crate) usize);

impl BodyBuffer {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, first: Bytes::new(), more: BytesMut::new() }
    }

    pub(crate) fn push(&mut self, chunk: Bytes) -> Result<(), OverLimit> {
        if self.len().saturating_add(chunk.len()) > self.limit {
            return Err(OverLimit(self.limit));
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
