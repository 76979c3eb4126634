//! What a request's body is on the wire: a gRPC frame header, if any, and the payload's segments, none of them copied.

use bytes::Buf;
use otlp_protocol::{FRAME_HEADER_LEN, FrameHeader, Payload};
use std::io::IoSlice;

/// A request's body. Holds the frame header in place, so that framing allocates nothing.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    prefix: [u8; FRAME_HEADER_LEN],
    /// Bytes of `prefix` already taken.
    taken: usize,
    payload: Payload,
}

impl Outgoing {
    /// The payload alone.
    pub(crate) fn plain(payload: Payload) -> Self {
        Self { prefix: [0; FRAME_HEADER_LEN], taken: FRAME_HEADER_LEN, payload }
    }

    /// The payload as one gRPC message.
    pub(crate) fn framed(header: FrameHeader, payload: Payload) -> Self {
        Self { prefix: header.encode(), taken: 0, payload }
    }

    fn prefix(&self) -> &[u8] {
        self.prefix.get(self.taken..).unwrap_or_default()
    }
}

impl Buf for Outgoing {
    fn remaining(&self) -> usize {
        FRAME_HEADER_LEN - self.taken + self.payload.remaining()
    }

    fn chunk(&self) -> &[u8] {
        match self.prefix() {
            [] => self.payload.chunk(),
            prefix => prefix,
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        match (self.prefix(), slices) {
            (_, []) => 0,
            ([], slices) => self.payload.chunks_vectored(slices),
            (prefix, [first, rest @ ..]) => {
                *first = IoSlice::new(prefix);
                1 + self.payload.chunks_vectored(rest)
            }
        }
    }

    fn advance(&mut self, count: usize) {
        let of_prefix = count.min(FRAME_HEADER_LEN - self.taken);
        self.taken += of_prefix;
        self.payload.advance(count - of_prefix);
    }
}

#[cfg(test)]
mod tests;
