//! Compression with brotli.

use super::NAME;
use crate::compression::{CompressError, Compressor, PiecewiseCompressor};
use brotli::CompressorWriter;
use bytes::Bytes;
use otlp_protocol::{BufferPool, Payload};
use std::io::Write;

/// Compression at a level.
pub(super) struct Level {
    quality: u32,
    quick_bytes: usize,
}

struct Piecewise(CompressorWriter<Vec<u8>>);

impl Compressor for Level {
    fn compress(&self, plain: &Payload, _buffers: &BufferPool) -> Result<Bytes, CompressError> {
        let mut compressor = self.piecewise(plain.len());
        plain.segments().try_for_each(|segment| compressor.push(segment))?;
        compressor.finish()
    }

    fn piecewise(&self, plain_len: usize) -> Box<dyn PiecewiseCompressor> {
        let out = Vec::with_capacity(plain_len / 8 + MIN_ROOM);
        Box::new(Piecewise(CompressorWriter::new(out, BUFFER_BYTES, self.quality, WINDOW_LOG)))
    }

    fn quick_bytes(&self) -> usize {
        self.quick_bytes
    }
}

impl PiecewiseCompressor for Piecewise {
    fn push(&mut self, plain: &[u8]) -> Result<(), CompressError> {
        self.0.write_all(plain).map_err(|_| CompressError { codec: NAME, problem: "the encoder failed" })
    }

    fn finish(self: Box<Self>) -> Result<Bytes, CompressError> {
        Ok(Bytes::from(self.0.into_inner()))
    }
}

/// The best of the fast levels for telemetry: on 60 KB of traces 140 MB/s at 5.8 : 1; level 1 has 115 MB/s at 5.3 : 1,
/// level 0 180 MB/s at 4.9 : 1.
pub(super) const FASTEST: Level = Level { quality: 3, quick_bytes: 128 << 10 };
pub(super) const THOROUGH: Level = Level { quality: 5, quick_bytes: 32 << 10 };
/// 256 KiB, as for zstd.
const WINDOW_LOG: u32 = 18;
const BUFFER_BYTES: usize = 64 << 10;
const MIN_ROOM: usize = 4 << 10;
