//! Content encodings: a registry of [`Codec`]s by the names in `content-encoding` and `grpc-encoding`.
//!
//! A new encoding is one file with an `impl Codec` and one line in [`CODECS`].
//!
//! A few compressed bytes may become many, so every codec keeps three promises: it allocates nothing over the limit, it
//! charges the budget before it allocates, and it refuses everything but one complete stream.

#[cfg(feature = "client")]
mod adaptive;
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

#[cfg(feature = "client")]
pub(crate) use adaptive::Sent;
#[cfg(feature = "client")]
pub use adaptive::{AdaptiveBody, AdaptiveCompressionConfig, AdaptiveCompressor, AdaptiveStats};

use crate::{ExportError, offload};
use bytes::Bytes;
use otlp_protocol::{BudgetExhausted, BufferPool, Charge, ErrorKind, Payload, Retry};
use std::sync::LazyLock;

/// A content encoding. Stateless; contexts are pooled internally.
pub trait Codec: Send + Sync {
    /// Name in `content-encoding` and `grpc-encoding`.
    fn name(&self) -> &'static str;

    /// Returns the inflated length that the body announces, in bytes; 0 if it announces none. Only a hint, since the
    /// announcement may be false.
    fn announced_len(&self, wire: &[u8]) -> u64;

    /// Bytes that the codec inflates in about half a millisecond.
    fn quick_bytes(&self) -> usize;

    /// Inflates `wire`, a complete body, into one buffer of the pool of at most `max_bytes`. `charge` grows by what is
    /// allocated, before the allocation; on success by exactly the length of the result. The work is bounded by
    /// `max_bytes` and the length of `wire`, whatever `wire` announces.
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

    /// Returns the compressor; `None` for encodings that are only inflated.
    fn compressor(&self) -> Option<&'static dyn Compressor> {
        None
    }

    /// Returns the compressor of a level on the encoding's own scale; `None` for a level that is not offered. Offered are 1
    /// and 6 of gzip, 1 and 3 of zstd, 3 and 5 of br. [`compressor`](Self::compressor) is the lowest of them.
    ///
    /// ```
    /// # #[cfg(feature = "gzip")] {
    /// use otlp_protocol::{BufferPool, Payload};
    /// use otlp_transport::codec;
    ///
    /// let plain = Payload::from(b"checked out, checked in, checked out, checked in".repeat(20));
    /// let gzip = codec("gzip").unwrap();
    /// let smallest = gzip.compressor_at(6).unwrap().compress(&plain, &BufferPool::new(1)).unwrap();
    /// assert!(smallest.len() < plain.len() / 10);
    /// assert!(gzip.compressor_at(99).is_none());
    /// # }
    /// ```
    fn compressor_at(&self, _level: u32) -> Option<&'static dyn Compressor> {
        None
    }
}

/// The compressing half of a [`Codec`].
pub trait Compressor: Send + Sync {
    /// Compresses `plain` into one buffer.
    ///
    /// # Errors
    /// [`CompressError`] if the library refuses; the input cannot cause that.
    fn compress(&self, plain: &Payload, buffers: &BufferPool) -> Result<Bytes, CompressError>;

    /// Compresses a body of `plain_len` bytes that is passed in pieces. A large body then needs not be contiguous, and
    /// does not block its thread.
    fn piecewise(&self, plain_len: usize) -> Box<dyn PiecewiseCompressor>;

    /// Bytes that are compressed in about a millisecond. Larger bodies are compressed in pieces of half this size.
    fn quick_bytes(&self) -> usize {
        offload::COMPRESSED_BYTES
    }
}

/// A body being compressed piece by piece. Dropping it discards the body.
pub trait PiecewiseCompressor: Send {
    /// Compresses the next piece.
    ///
    /// # Errors
    /// [`CompressError`] if the library refuses; the input cannot cause that.
    fn push(&mut self, plain: &[u8]) -> Result<(), CompressError>;

    /// Returns the compressed body.
    ///
    /// # Errors
    /// As [`push`](Self::push), and if the pieces' length differs from the announced length.
    fn finish(self: Box<Self>) -> Result<Bytes, CompressError>;
}

/// A failure of the compression library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{codec}: {problem}")]
pub struct CompressError {
    /// Name of the encoding.
    pub codec: &'static str,
    /// The library's message.
    pub problem: &'static str,
}

/// Reason why a compressed body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecompressError {
    /// The body inflates to more than the limit.
    #[error("the body inflates to more than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The body is not one complete stream of this encoding.
    #[error("the body is not valid {codec}: {problem}")]
    Malformed {
        /// Name of the encoding.
        codec: &'static str,
        /// The fault.
        problem: &'static str,
    },
    /// The memory budget is used up.
    #[error(transparent)]
    Budget(#[from] BudgetExhausted),
}

/// Returns the codec of this name, in any case; `None` for unknown names and for `identity`, which needs no codec.
/// `x-gzip` is gzip: RFC 9110 §8.4.1.3.
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

/// Returns the names of all encodings, as in `grpc-accept-encoding`.
pub fn accepted_encodings() -> &'static str {
    static NAMES: LazyLock<String> =
        LazyLock::new(|| CODECS.iter().fold("identity".into(), |names, codec| names + "," + codec.name()));
    &NAMES
}

/// Compresses a body. A large body is compressed in pieces, and the thread's other tasks run between pieces.
///
/// # Errors
/// [`CompressError`] if the library refuses.
#[cfg(feature = "client")]
pub(crate) async fn compress(
    compressor: &dyn Compressor,
    plain: &Payload,
    buffers: &BufferPool,
) -> Result<Bytes, CompressError> {
    if plain.len() < compressor.quick_bytes() {
        return compressor.compress(plain, buffers);
    }
    let piece_bytes = compressor.quick_bytes() / 2;
    let mut compressor = compressor.piecewise(plain.len());
    let mut since_yield = 0;
    for piece in plain.segments().flat_map(|segment| segment.chunks(piece_bytes)) {
        compressor.push(piece)?;
        since_yield += piece.len();
        if since_yield >= piece_bytes {
            since_yield = 0;
            tokio::task::yield_now().await;
        }
    }
    compressor.finish()
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

/// Contexts of each kind kept for reuse: one for each thread that compresses at the same time, on all but the largest
/// machines.
#[cfg(any(feature = "gzip", feature = "zstd", feature = "deflate"))]
const MAX_IDLE_CONTEXTS: usize = 16;

#[cfg(test)]
#[cfg(all(
    feature = "gzip",
    feature = "zstd",
    feature = "brotli",
    feature = "deflate",
    feature = "snappy",
    feature = "lz4"
))]
mod tests;
