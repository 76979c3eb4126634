//! Brotli, RFC 7932: one stream, with windows of up to 16 MiB.

mod compress;

use super::output::Output;
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

    /// Anything: a stream says nothing about its length, and a hundred bytes can become megabytes.
    fn announced_len(&self, _wire: &[u8]) -> u64 {
        u64::MAX
    }

    fn decompress(
        &self,
        wire: &[u8],
        max_bytes: usize,
        charge: &mut Charge,
        buffers: &BufferPool,
    ) -> Result<Bytes, DecompressError> {
        // The decoder keeps what it made in a window of its own.
        let mut window = charge.another();
        window.try_grow(window_bytes(wire))?;
        let mut out = Output::new(max_bytes, charge, buffers);
        let alloc = StandardAlloc::default;
        let mut decoder = BrotliState::new_strict(alloc(), alloc(), alloc());
        let (mut left, mut at) = (wire.len(), 0);
        loop {
            let room = out.room(left)?;
            let (mut room_left, mut made, mut total) = (room.len(), 0, 0);
            let result = BrotliDecompressStream(
                &mut left,
                &mut at,
                wire,
                &mut room_left,
                &mut made,
                room,
                &mut total,
                &mut decoder,
            );
            out.wrote(made);
            match result {
                BrotliResult::ResultSuccess if left == 0 => return out.finish(),
                BrotliResult::ResultSuccess => return Err(malformed("something follows its end")),
                BrotliResult::NeedsMoreOutput => {}
                BrotliResult::NeedsMoreInput => return Err(malformed("it ends too early")),
                BrotliResult::ResultFailure => return Err(malformed("the data is corrupt")),
            }
        }
    }

    fn compressor(&self) -> Option<&'static dyn Compressor> {
        Some(&compress::Brotli)
    }
}

/// The window that the first byte of a stream asks for, RFC 7932 §9.1.
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
