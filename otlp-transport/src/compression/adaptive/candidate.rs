//! The candidates that adaptive compression chooses among: encodings, each at a level or two.

use crate::compression::{Codec, Compressor, codec};

/// A way to send a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Candidate {
    /// Without compression.
    Plain,
    Gzip1,
    Gzip6,
    Zstd1,
    Zstd3,
    Brotli3,
    Brotli5,
}

/// Number of candidates.
pub(super) const COUNT: usize = Candidate::ALL.len();

// === impl Candidate ===

impl Candidate {
    /// All candidates, by their numbers.
    pub(super) const ALL: [Self; 7] =
        [Self::Plain, Self::Gzip1, Self::Gzip6, Self::Zstd1, Self::Zstd3, Self::Brotli3, Self::Brotli5];

    /// Returns the name in metrics: the encoding and its level.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Plain => "none",
            Self::Gzip1 => "gzip-1",
            Self::Gzip6 => "gzip-6",
            Self::Zstd1 => "zstd-1",
            Self::Zstd3 => "zstd-3",
            Self::Brotli3 => "br-3",
            Self::Brotli5 => "br-5",
        }
    }

    /// Returns the name of the encoding; `None` without compression.
    pub(super) fn encoding(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Gzip1 | Self::Gzip6 => Some("gzip"),
            Self::Zstd1 | Self::Zstd3 => Some("zstd"),
            Self::Brotli3 | Self::Brotli5 => Some("br"),
        }
    }

    /// Returns the codec; `None` without compression, or if the encoding is not compiled in.
    pub(super) fn codec(self) -> Option<&'static dyn Codec> {
        self.encoding().and_then(codec)
    }

    /// Returns the compressor of the candidate's level; `None` as for [`codec`](Self::codec).
    pub(super) fn compressor(self) -> Option<&'static dyn Compressor> {
        let level = match self {
            Self::Plain => return None,
            Self::Gzip1 | Self::Zstd1 => 1,
            Self::Zstd3 | Self::Brotli3 => 3,
            Self::Brotli5 => 5,
            Self::Gzip6 => 6,
        };
        self.codec()?.compressor_at(level)
    }
}
