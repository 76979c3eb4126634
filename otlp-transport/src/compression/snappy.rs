//! Snappy in both of its formats, which share a name: the bare block of HTTP, and the framed stream of gRPC.
//!
//! The formats cannot be confused: read as a block, a stream's identifier would be a copy from before the start of the
//! block.

mod compress;

use super::output::{Inflate, inflate};
use super::{Codec, Compressor, DecompressError};
use bytes::Bytes;
use otlp_protocol::{BufferPool, Charge};
use snap::raw::{Decoder, decompress_len};
use snap::read::FrameDecoder;
use std::io::Read;

/// The codec with its name: `snappy` compresses to the bare block, any other name to the framed stream.
pub(super) struct Snappy(pub(super) &'static str);

impl Codec for Snappy {
    fn name(&self) -> &'static str {
        self.0
    }

    fn announced_len(&self, wire: &[u8]) -> u64 {
        match wire.starts_with(STREAM_IDENTIFIER) {
            true => 0,
            false => decompress_len(wire).map_or(0, |len| len as u64),
        }
    }

    fn quick_bytes(&self) -> usize {
        256 << 10
    }

    fn decompress(
        &self,
        wire: &[u8],
        max_bytes: usize,
        charge: &mut Charge,
        buffers: &BufferPool,
    ) -> Result<Bytes, DecompressError> {
        if wire.starts_with(STREAM_IDENTIFIER) {
            self.stream(wire, max_bytes, charge, buffers)
        } else {
            self.block(wire, max_bytes, charge, buffers)
        }
    }

    fn compressor(&self) -> Option<&'static dyn Compressor> {
        Some(if self.0 == "snappy" { &compress::Block } else { &compress::Framed })
    }
}

impl Snappy {
    fn block(
        &self,
        wire: &[u8],
        max_bytes: usize,
        charge: &mut Charge,
        buffers: &BufferPool,
    ) -> Result<Bytes, DecompressError> {
        let len = decompress_len(wire).map_err(|_| self.malformed("invalid length prefix"))?;
        if len > wire.len().saturating_mul(MAX_RATIO) {
            return Err(self.malformed("impossible length prefix"));
        }
        if len > max_bytes {
            return Err(DecompressError::TooLarge { limit: max_bytes });
        }
        charge.try_grow(len as u64)?;
        let mut out = buffers.take(len);
        out.resize(len, 0);
        let made = Decoder::new().decompress(wire, &mut out).map_err(|_| self.malformed(CORRUPT))?;
        if made != len || wire.is_empty() {
            return Err(self.malformed(CORRUPT));
        }
        Ok(BufferPool::freeze(out))
    }

    /// Inflates a framed stream. The format has no end marker, so a stream cut between two chunks is not noticed here;
    /// the check of the protobuf finds what was cut off.
    fn stream(
        &self,
        wire: &[u8],
        max_bytes: usize,
        charge: &mut Charge,
        buffers: &BufferPool,
    ) -> Result<Bytes, DecompressError> {
        let begin = || Stream { codec: self, decoder: FrameDecoder::new(wire) };
        inflate(begin, wire.len(), max_bytes, charge, buffers)
    }

    fn malformed(&self, problem: &'static str) -> DecompressError {
        DecompressError::Malformed { codec: self.0, problem }
    }
}

struct Stream<'a> {
    codec: &'a Snappy,
    decoder: FrameDecoder<&'a [u8]>,
}

impl Inflate for Stream<'_> {
    fn next(&mut self, room: &mut [u8]) -> Result<Option<usize>, DecompressError> {
        let made = self.decoder.read(room).map_err(|_| self.codec.malformed(CORRUPT))?;
        Ok((made > 0).then_some(made))
    }
}

const STREAM_IDENTIFIER: &[u8] = b"\xff\x06\0\0sNaPpY";
const CORRUPT: &str = "corrupt or truncated data";
/// Highest compression ratio: a copy of 64 bytes takes three bytes.
const MAX_RATIO: usize = 22;
