//! Content encodings: a registry of [`Codec`]s by the name in `content-encoding` and `grpc-encoding`.
//!
//! A new encoding is one file with an `impl Codec` and one line in [`CODECS`].
//!
//! Inflating is where a few bytes become many, so every codec keeps three promises: nothing over the limit is ever
//! allocated, the budget is charged before the memory is taken, and what is not exactly a complete stream is refused.

#[cfg(feature = "brotli")]
mod brotli;
#[cfg(feature = "deflate")]
mod deflate;
#[cfg(any(feature = "gzip", feature = "deflate"))]
mod deflating;
#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "lz4")]
mod lz4;
#[cfg(any(feature = "gzip", feature = "brotli", feature = "deflate", feature = "snappy", feature = "lz4"))]
mod output;
#[cfg(any(feature = "gzip", feature = "zstd"))]
mod scratch;
#[cfg(feature = "snappy")]
mod snappy;
#[cfg(feature = "zstd")]
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

/// The problem with the name of an encoding that this build does not have.
pub(crate) fn absent(name: &str) -> String {
    match FEATURES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) {
        Some((_, feature)) => format!("{name} is not compiled in: build with the feature `{feature}`"),
        None => {
            let known = accepted_encodings().replace(',', ", ");
            format!("unknown encoding `{name}`; available: {known}")
        }
    }
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

const CODECS: &[&dyn Codec] = &[
    #[cfg(feature = "gzip")]
    &gzip::Gzip,
    #[cfg(feature = "zstd")]
    &zstd::Zstd,
    #[cfg(feature = "brotli")]
    &brotli::Brotli,
    #[cfg(feature = "deflate")]
    &deflate::Deflate("deflate"),
    #[cfg(feature = "deflate")]
    &deflate::Deflate("zlib"),
    #[cfg(feature = "snappy")]
    &snappy::Snappy("snappy"),
    #[cfg(feature = "snappy")]
    &snappy::Snappy("x-snappy-framed"),
    #[cfg(feature = "lz4")]
    &lz4::Lz4,
];

/// Encodings by name, with the feature that brings each.
const FEATURES: &[(&str, &str)] = &[
    ("gzip", "gzip"),
    ("x-gzip", "gzip"),
    ("zstd", "zstd"),
    ("br", "brotli"),
    ("deflate", "deflate"),
    ("zlib", "deflate"),
    ("snappy", "snappy"),
    ("x-snappy-framed", "snappy"),
    ("lz4", "lz4"),
];

/// Contexts kept for reuse, of each kind: one per thread that compresses at once, on all but the largest machines.
#[cfg(any(feature = "gzip", feature = "zstd", feature = "deflate"))]
const MAX_IDLE_CONTEXTS: usize = 16;
#[cfg(all(
    test,
    feature = "gzip",
    feature = "zstd",
    feature = "brotli",
    feature = "deflate",
    feature = "snappy",
    feature = "lz4"
))]
mod tests;
