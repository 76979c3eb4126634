//! Brotli, RFC 7932: one stream, with windows of up to 16 MiB.

mod compress;

use super::output::{Inflate, inflate};
use super::{Codec, Compressor, DecompressError};
use brotli::enc::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};
use bytes::Bytes;
use otlp_protocol::{BufferPool, Charge};

pub(super) struct Brotli;

impl Codec for Brotli {
    fn name(&self) -> &'static str {
        NAME
    }

    fn announced_len(&self, _wire: &[u8]) -> u64 {
        0
    }

    fn quick_bytes(&self) -> usize {
        128 << 10
    }

    fn decompress(
        &self,
        wire: &[u8],
        max_bytes: usize,
        charge: &mut Charge,
        buffers: &BufferPool,
    ) -> Result<Bytes, DecompressError> {
        // The decoder keeps its output in a window of its own.
        let before = charge.bytes();
        charge.try_grow(window_bytes(wire))?;
        let plain = inflate(|| Stream::new(wire), wire.len(), max_bytes, charge, buffers)?;
        charge.shrink_to(before + plain.len() as u64);
        Ok(plain)
    }

    fn compressor(&self) -> Option<&'static dyn Compressor> {
        Some(&compress::FASTEST)
    }

    fn compressor_at(&self, level: u32) -> Option<&'static dyn Compressor> {
        match level {
            3 => Some(&compress::FASTEST),
            5 => Some(&compress::THOROUGH),
            _ => None,
        }
    }
}

struct Stream<'a> {
    decoder: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    wire: &'a [u8],
    at: usize,
    is_over: bool,
}

impl<'a> Stream<'a> {
    fn new(wire: &'a [u8]) -> Self {
        let alloc = StandardAlloc::default;
        Self { decoder: BrotliState::new_strict(alloc(), alloc(), alloc()), wire, at: 0, is_over: false }
    }
}

impl Inflate for Stream<'_> {
    fn next(&mut self, room: &mut [u8]) -> Result<Option<usize>, DecompressError> {
        if self.is_over {
            return Ok(None);
        }
        let mut left = self.wire.len() - self.at;
        let (mut room_left, mut made, mut total) = (room.len(), 0, 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut self.at,
            self.wire,
            &mut room_left,
            &mut made,
            room,
            &mut total,
            &mut self.decoder,
        );
        match result {
            BrotliResult::ResultSuccess if left > 0 => Err(malformed("extra data after the end")),
            BrotliResult::ResultSuccess => {
                self.is_over = true;
                Ok(Some(made))
            }
            BrotliResult::NeedsMoreOutput => Ok(Some(made)),
            BrotliResult::NeedsMoreInput => Err(malformed("truncated data")),
            BrotliResult::ResultFailure => Err(malformed("corrupt data")),
        }
    }
}

/// Returns the window size that the first byte of a stream asks for. RFC 7932 §9.1.
fn window_bytes(wire: &[u8]) -> u64 {
    let first = wire.first().copied().unwrap_or_default();
    let bits = match (first & 1, first >> 1 & 7, first >> 4 & 7) {
        (0, ..) => 16,
        (_, 0, 0) => 17,
        (_, 0, n) => 8 + n,
        (_, n, _) => 17 + n,
    };
    1 << bits
}

fn malformed(problem: &'static str) -> DecompressError {
    DecompressError::Malformed { codec: NAME, problem }
}

const NAME: &str = "br";
