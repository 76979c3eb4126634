//! Compression of the bodies of records. Each body is a zstd frame of its own, or as it is: records of both kinds are in one log, and
//! are read whatever the setting is.

use super::record::Header;
use bytes::Bytes;
use otlp_protocol::{BufferPool, Charge, Payload};
use otlp_transport::{Codec, codec};

/// Reason why the body of a sound record cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InflateError {
    /// Another build can read the record.
    #[error("the record is compressed, and zstd is not compiled in: build with the feature `zstd`")]
    NoZstd,
    /// The frame is damaged, or longer or shorter than the header tells.
    #[error("the record's compressed body is damaged")]
    Damaged,
}

/// True if this build can compress bodies.
pub(super) fn is_available() -> bool {
    zstd().is_some()
}

/// Compresses a body; `None` if it is better stored as it is: too small, too large, or hardly smaller.
pub(super) fn compress(plain: &Payload) -> Option<Bytes> {
    if !(MIN_PLAIN_BYTES..=MAX_PLAIN_BYTES).contains(&plain.len()) {
        return None;
    }
    let compressed = zstd()?.compressor()?.compress(plain, &BufferPool::new(1)).ok()?;
    (compressed.len() <= plain.len() - plain.len() / LEAST_GAIN).then_some(compressed)
}

/// Returns the body of a record as it was before compression. Allocates at most 64 MiB, whatever the record tells.
pub(super) fn inflate(header: &Header, body: Bytes) -> Result<Bytes, InflateError> {
    if !header.is_compressed {
        return Ok(body);
    }
    let zstd = zstd().ok_or(InflateError::NoZstd)?;
    let plain_len = header.plain_len as usize;
    if plain_len > MAX_PLAIN_BYTES {
        return Err(InflateError::Damaged);
    }
    let plain = zstd.decompress(&body, plain_len, &mut Charge::none(), &BufferPool::new(1));
    plain.ok().filter(|plain| plain.len() == plain_len).ok_or(InflateError::Damaged)
}

fn zstd() -> Option<&'static dyn Codec> {
    codec("zstd")
}

/// Smaller bodies share little with themselves.
const MIN_PLAIN_BYTES: usize = 256;
/// Larger bodies are stored as they are.
const MAX_PLAIN_BYTES: usize = 64 << 20;
/// A body that is smaller by less than this part is not worth the work of inflation.
const LEAST_GAIN: usize = 8;

#[cfg(test)]
mod tests;
