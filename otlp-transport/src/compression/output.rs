//! The result of inflating a stream that does not say how long it gets.

use super::DecompressError;
use bytes::Bytes;
use otlp_protocol::{BufferPool, Charge, PooledObject};

/// A buffer that grows under a limit, charged before it does.
pub(super) struct Output<'a> {
    buffer: PooledObject<Vec<u8>>,
    /// Bytes of `buffer` that hold something; the rest is room, which is charged, too.
    len: usize,
    max_bytes: usize,
    charge: &'a mut Charge,
    /// What `charge` held at the beginning.
    before: u64,
}

impl<'a> Output<'a> {
    pub(super) fn new(max_bytes: usize, charge: &'a mut Charge, buffers: &BufferPool) -> Self {
        let before = charge.bytes();
        Self { buffer: buffers.take(0), len: 0, max_bytes, charge, before }
    }

    /// What there is so far.
    pub(super) fn written(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    /// Room for more, never none: it doubles, starting from a guess by how much `input` is left, up to one byte over the
    /// limit, which tells a body of just that size from a larger one.
    ///
    /// # Errors
    /// If the limit is passed, or the budget exhausted.
    pub(super) fn room(&mut self, input: usize) -> Result<&mut [u8], DecompressError> {
        if self.len == self.buffer.len() {
            let limit = self.max_bytes.saturating_add(1);
            if self.len >= limit {
                return Err(self.too_large());
            }
            let more = self.len.max(input.saturating_mul(4)).max(MIN_GROWTH).min(limit - self.len);
            self.charge.try_grow(more as u64)?;
            // While it moves, the old room is held beside the new.
            let mut moving = self.charge.another();
            moving.try_grow(self.len as u64)?;
            self.buffer.reserve_exact(more);
            self.buffer.resize(self.len + more, 0);
        }
        Ok(&mut self.buffer[self.len..])
    }

    /// Says how much of the room was written.
    pub(super) fn wrote(&mut self, count: usize) {
        self.len = (self.len + count).min(self.buffer.len());
    }

    /// All of it; the charge is left with its length.
    ///
    /// # Errors
    /// If it is over the limit.
    pub(super) fn finish(mut self) -> Result<Bytes, DecompressError> {
        if self.len > self.max_bytes {
            return Err(self.too_large());
        }
        self.buffer.truncate(self.len);
        self.charge.shrink_to(self.before + self.len as u64);
        Ok(BufferPool::freeze(self.buffer))
    }

    pub(super) fn too_large(&self) -> DecompressError {
        DecompressError::TooLarge { limit: self.max_bytes }
    }
}

const MIN_GROWTH: usize = 4 << 10;
