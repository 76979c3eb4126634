//! Output of inflating a stream of unknown length.

use super::DecompressError;
use bytes::Bytes;
use otlp_protocol::{BufferPool, Charge};

/// A stream being inflated.
pub(super) trait Inflate {
    /// Writes the next bytes into `room`, which is not empty, and returns their number; `None` at the end of the stream.
    fn next(&mut self, room: &mut [u8]) -> Result<Option<usize>, DecompressError>;
}

/// Inflates a stream of `wire_len` bytes; `begin` starts the stream.
///
/// A small result is inflated once. A larger stream is first measured without keeping its output, and then inflated again
/// into a buffer of the exact size: a growing buffer would be held twice while it moves, and most of the output of a
/// decompression bomb is never kept.
pub(super) fn inflate<I: Inflate>(
    begin: impl Fn() -> I,
    wire_len: usize,
    max_bytes: usize,
    charge: &mut Charge,
    buffers: &BufferPool,
) -> Result<Bytes, DecompressError> {
    let room = wire_len.saturating_mul(16).clamp(MIN_ROOM, MAX_ROOM).min(max_bytes.saturating_add(1));
    let before = charge.bytes();
    charge.try_grow(room as u64)?;
    let mut small = buffers.take(room);
    small.resize(room, 0);
    let mut stream = begin();
    let (len, is_whole) = fill(&mut stream, &mut small)?;
    if is_whole && len <= max_bytes {
        charge.try_grow(len as u64)?;
        let mut exact = buffers.take(len);
        exact.extend_from_slice(&small[..len]);
        charge.shrink_to(before + len as u64);
        return Ok(BufferPool::freeze(exact));
    }
    let mut total = len;
    while total <= max_bytes {
        let Some(made) = stream.next(&mut small)? else { break };
        total += made;
    }
    if total > max_bytes {
        return Err(DecompressError::TooLarge { limit: max_bytes });
    }
    drop((stream, small));
    charge.shrink_to(before);
    charge.try_grow(total as u64)?;
    let mut out = buffers.take(total);
    out.resize(total, 0);
    fill(&mut begin(), &mut out)?;
    Ok(BufferPool::freeze(out))
}

/// Fills `out` until the stream ends. Returns the length, and true if the stream ended.
fn fill(stream: &mut impl Inflate, out: &mut [u8]) -> Result<(usize, bool), DecompressError> {
    let mut len = 0;
    while len < out.len() {
        let Some(made) = stream.next(&mut out[len..])? else { return Ok((len, true)) };
        len += made;
    }
    Ok((len, false))
}

const MIN_ROOM: usize = 16 << 10;
const MAX_ROOM: usize = 1 << 20;
