//! Content encodings: a registry of [`Codec`]s by the name in `content-encoding` and `grpc-encoding`.
//!
//! A new encoding is one file with an `impl Codec` and one line in [`CODECS`].
//!
//! Inflating is where a few bytes become many, so every codec keeps three promises: nothing over the limit is ever
//! allocated, the budget is charged before the memory is taken, and what is not exactly a complete stream is refused.

mod brotli;
mod deflate;
mod deflating;
mod gzip;
mod lz4;
mod output;
mod snappy;
mod zstd;

use crate::ExportError;
use bytes::Bytes;
use otlp_protocol::{BudgetExhausted, BufferPool, Charge, ErrorKind, Payload, Retry};
use std::sync::LazyLock;

/// A content encoding. Stateless: contexts are pooled inside.
pub trait Codec: Send + Sync {
    /// The name in `content-encoding` and `grpc-encoding`.
    fn name(&self) -> &'static str;

    /// How long the body says it is once inflated, in bytes; 0 if it does not say. A hint: bodies lie.
    fn announced_len(&self, wire: &[u8]) -> u64;

    /// Bytes that the codec inflates in about half a millisecond.
    fn quick_bytes(&self) -> usize;

    /// Inflates `wire`, which must be complete, into one buffer of the pool of at most `max_bytes`. `charge` grows by
    /// what is allocated, before it is; on success it has grown by exactly the length of the result. The work follows
    /// `max_bytes` and the length of `wire`, whatever `wire` says of itself.
    ///
    /// # Errors
    /// [`DecompressError`]; `charge` may have grown by then.
    fn decompress(
        &self,
        wire: &[u8],
        max_bytes: usize,
        charge: &mut Charge,
        buffers: &BufferPool,
    ) -> Result<Bytes, DecompressError>;

    /// The way back; `None` for encodings that are taken but not made.
    fn compressor(&self) -> Option<&'static dyn Compressor> {
        None
    }
}

/// The making half of a [`Codec`].
pub trait Compressor: Send + Sync {
    /// Compresses `plain` into one buffer.
    ///
    /// # Errors
    /// [`CompressError`] if the library refuses; the input cannot cause that.
    fn compress(&self, plain: &Payload, buffers: &BufferPool) -> Result<Bytes, CompressError>;

    /// Compresses a body of `plain_len` bytes that is handed over in pieces, so that a large one needs neither to be in one
    /// piece nor to hold up its thread.
    fn piecewise(&self, plain_len: usize) -> Box<dyn PiecewiseCompressor>;
}

/// A body being compressed piece by piece. Dropping it gives the body up.
pub trait PiecewiseCompressor: Send {
    /// Compresses the next piece.
    ///
    /// # Errors
    /// [`CompressError`] if the library refuses; the input cannot cause that.
    fn push(&mut self, plain: &[u8]) -> Result<(), CompressError>;

    /// The compressed body.
    ///
    /// # Errors
    /// As of [`push`](Self::push), and if other than the announced number of bytes was pushed.
    fn finish(self: Box<Self>) -> Result<Bytes, CompressError>;
}

/// The library would not compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{codec}: {problem}")]
pub struct CompressError {
    /// The encoding.
    pub codec: &'static str,
    /// What the library says.
    pub problem: &'static str,
}

/// Why a compressed body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecompressError {
    /// It inflates to more than the limit.
    #[error("the body inflates to more than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// It is not a complete stream of that encoding.
    #[error("the body is not valid {codec}: {problem}")]
    Malformed {
        /// The encoding.
        codec: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// There is no memory for it now.
    #[error(transparent)]
    Budget(#[from] BudgetExhausted),
}

/// The codec of that name, in any case; `None` for unknown ones and for `identity`, which needs none. `x-gzip` is gzip:
/// RFC 9110 §8.4.1.3.
pub fn codec(name: &str) -> Option<&'static dyn Codec> {
    let name = if name.eq_ignore_ascii_case("x-gzip") { "gzip" } else { name };
    CODECS.iter().copied().find(|codec| name.eq_ignore_ascii_case(codec.name()))
}

/// The names of all encodings, as in `grpc-accept-encoding`.
pub fn accepted_encodings() -> &'static str {
    static NAMES: LazyLock<String> =
        LazyLock::new(|| CODECS.iter().fold("identity".into(), |names, codec| names + "," + codec.name()));
    &NAMES
}

impl From<DecompressError> for ExportError {
    fn from(error: DecompressError) -> Self {
        match error {
            DecompressError::TooLarge { .. } => {
                Self::new(ErrorKind::TooLarge, Retry::Never, error.to_string())
            }
            DecompressError::Malformed { .. } => {
                Self::new(ErrorKind::InvalidData, Retry::Never, error.to_string())
            }
            DecompressError::Budget(exhausted) => exhausted.into(),
        }
    }
}

/// The payload in one piece: as it is, if it is, else joined in `scratch`.
fn contiguous<'a>(plain: &'a Payload, scratch: &'a mut Vec<u8>) -> &'a [u8] {
    let mut segments = plain.segments();
    match (segments.next(), segments.next()) {
        (None, _) => &[],
        (Some(only), None) => only,
        _ => {
            scratch.clear();
            scratch.reserve(plain.len());
            plain.segments().for_each(|segment| scratch.extend_from_slice(segment));
            scratch
        }
    }
}

/// Empties a scratch buffer, and frees it if it has become large.
fn reset_scratch(scratch: &mut Vec<u8>) {
    scratch.clear();
    if scratch.capacity() > MAX_SCRATCH_BYTES {
        *scratch = Vec::new();
    }
}

const CODECS: &[&dyn Codec] = &[
    &gzip::Gzip,
    &zstd::Zstd,
    &brotli::Brotli,
    &deflate::Deflate("deflate"),
    &deflate::Deflate("zlib"),
    &snappy::Snappy("snappy"),
    &snappy::Snappy("x-snappy-framed"),
    &lz4::Lz4,
];

/// Contexts kept for reuse, of each kind: one per thread that compresses at once, on all but the largest machines.
const MAX_IDLE_CONTEXTS: usize = 16;
/// What an idle context keeps of each scratch buffer.
const MAX_SCRATCH_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests;
