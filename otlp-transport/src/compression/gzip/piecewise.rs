//! gzip, piece by piece: zlib at its fastest, where libdeflate would need the whole body in one piece.

use super::{MAX_IDLE_CONTEXTS, NAME};
use crate::compression::{CompressError, PiecewiseCompressor};
use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};
use libdeflater::Crc;
use otlp_protocol::{ObjectPool, PooledObject};
use std::sync::LazyLock;

pub(super) struct Piecewise {
    deflater: PooledObject<Compress>,
    checksum: Crc,
    len: u32,
    out: Vec<u8>,
}

impl Piecewise {
    pub(super) fn new() -> Self {
        Self { deflater: DEFLATERS.take(), checksum: Crc::new(), len: 0, out: HEADER.to_vec() }
    }

    fn deflate(&mut self, mut plain: &[u8], flush: FlushCompress) -> Result<(), CompressError> {
        loop {
            if self.out.capacity() - self.out.len() < MIN_ROOM {
                self.out.reserve(MIN_GROWTH);
            }
            let before = self.deflater.total_in();
            let status = self
                .deflater
                .compress_vec(plain, &mut self.out, flush)
                .map_err(|_| CompressError { codec: NAME, problem: "the stream is broken" })?;
            plain = &plain[(self.deflater.total_in() - before) as usize..];
            let is_done = match flush {
                FlushCompress::Finish => status == Status::StreamEnd,
                _ => plain.is_empty(),
            };
            if is_done {
                return Ok(());
            }
        }
    }
}

impl PiecewiseCompressor for Piecewise {
    fn push(&mut self, plain: &[u8]) -> Result<(), CompressError> {
        self.checksum.update(plain);
        // RFC 1952 §2.3.1: ISIZE is the length modulo 2^32.
        self.len = self.len.wrapping_add(plain.len() as u32);
        self.deflate(plain, FlushCompress::None)
    }

    fn finish(mut self: Box<Self>) -> Result<Bytes, CompressError> {
        self.deflate(&[], FlushCompress::Finish)?;
        self.out.extend_from_slice(&self.checksum.sum().to_le_bytes());
        self.out.extend_from_slice(&self.len.to_le_bytes());
        Ok(Bytes::from(std::mem::take(&mut self.out)))
    }
}

static DEFLATERS: LazyLock<ObjectPool<Compress>> = LazyLock::new(|| {
    ObjectPool::new(MAX_IDLE_CONTEXTS, || Compress::new(Compression::fast(), false), Compress::reset)
});

/// RFC 1952 §2.3: deflate, no flags, no time, fastest algorithm, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];
const MIN_ROOM: usize = 4 << 10;
const MIN_GROWTH: usize = 64 << 10;
