//! deflate compression piece by piece.

use super::{CompressError, MAX_IDLE_CONTEXTS};
use flate2::{Compress, FlushCompress, Status};
use otlp_protocol::{ObjectPool, PooledObject};

/// A stream being compressed, with the header before it.
pub(super) struct Deflating {
    codec: &'static str,
    deflater: PooledObject<Compress>,
    out: Vec<u8>,
}

impl Deflating {
    /// A stream after `header`, made by one of `deflaters`.
    pub(super) fn new(codec: &'static str, header: &[u8], deflaters: &ObjectPool<Compress>) -> Self {
        Self { codec, deflater: deflaters.take(), out: header.to_vec() }
    }

    /// Compresses the next piece.
    pub(super) fn push(&mut self, plain: &[u8]) -> Result<(), CompressError> {
        self.deflate(plain, FlushCompress::None)
    }

    /// Ends the stream.
    pub(super) fn finish(&mut self) -> Result<Vec<u8>, CompressError> {
        self.deflate(&[], FlushCompress::Finish)?;
        Ok(std::mem::take(&mut self.out))
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
                .map_err(|_| CompressError { codec: self.codec, problem: "the encoder failed" })?;
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

/// Deflaters that `create` makes.
pub(super) fn deflaters(create: fn() -> Compress) -> ObjectPool<Compress> {
    ObjectPool::new(MAX_IDLE_CONTEXTS, create, Compress::reset)
}
const MIN_ROOM: usize = 4 << 10;
const MIN_GROWTH: usize = 64 << 10;
