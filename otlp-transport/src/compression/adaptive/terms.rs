//! The terms of a score: compression ratio, speed, and speed of decompression.

use super::candidate::Candidate;
use super::config::AdaptiveCompressionConfig;
use std::time::Duration;

/// Result of compressing a body with a candidate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) candidate: Candidate,
    pub(super) wire_len: usize,
    pub(super) compress: Duration,
    pub(super) decompress: Duration,
}

/// The terms of a candidate's score, as natural logarithms: a change by a factor is a sum, and differences of two candidates
/// stay when the traffic or the machine changes for both.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Terms {
    /// Plain bytes for each byte on the wire.
    pub(super) ratio: f64,
    /// Plain bytes compressed and written in a nanosecond.
    pub(super) speed: f64,
    /// Plain bytes read and decompressed in a nanosecond.
    pub(super) decompression: f64,
}

// === impl Measured ===

impl Measured {
    /// A body sent as it is.
    pub(super) fn plain(plain_len: usize) -> Self {
        let (compress, decompress) = (Duration::ZERO, Duration::ZERO);
        Self { candidate: Candidate::Plain, wire_len: plain_len, compress, decompress }
    }
}

// === impl Terms ===

impl Terms {
    /// Of a body of `plain_len` bytes.
    pub(super) fn of(plain_len: usize, measured: &Measured) -> Self {
        let plain = plain_len.max(1) as f64;
        let moved = measured.wire_len.max(1) as f64 * MOVED_BYTE_NS;
        let speed = |time: Duration| (plain / (time.as_nanos() as f64 + moved)).ln();
        Self {
            ratio: ratio(plain_len, measured.wire_len),
            speed: speed(measured.compress),
            decompression: speed(measured.decompress),
        }
    }

    /// Nanoseconds of compression for each plain byte.
    pub(super) fn compress_ns(self) -> f64 {
        ((-self.speed).exp() - (-self.ratio).exp() * MOVED_BYTE_NS).max(0.0)
    }

    /// The larger of each term.
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            ratio: self.ratio.max(other.ratio),
            speed: self.speed.max(other.speed),
            decompression: self.decompression.max(other.decompression),
        }
    }

    /// The weighted score, 0 to 1; `best` has the best terms of all candidates.
    pub(super) fn score(self, best: Self, weights: &AdaptiveCompressionConfig) -> f64 {
        let AdaptiveCompressionConfig { ratio_weight, speed_weight, decompress_weight, .. } = weights;
        let weighted = ratio_weight * (self.ratio - best.ratio).exp()
            + speed_weight * (self.speed - best.speed).exp()
            + decompress_weight * (self.decompression - best.decompression).exp();
        weighted / (ratio_weight + speed_weight + decompress_weight)
    }

    /// `self + factor * (to - from)`.
    pub(super) fn moved(self, from: Self, to: Self, factor: f64) -> Self {
        Self {
            ratio: self.ratio + factor * (to.ratio - from.ratio),
            speed: self.speed + factor * (to.speed - from.speed),
            decompression: self.decompression + factor * (to.decompression - from.decompression),
        }
    }
}

/// The logarithm of a compression ratio.
pub(super) fn ratio(plain_len: usize, wire_len: usize) -> f64 {
    (plain_len.max(1) as f64 / wire_len.max(1) as f64).ln()
}

/// Nanoseconds that a byte on the wire costs each end, in its socket and in its buffers. Speeds count it, so that the speed
/// without compression is finite.
const MOVED_BYTE_NS: f64 = 1.0;
