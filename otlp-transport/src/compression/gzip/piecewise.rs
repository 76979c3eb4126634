//! gzip compression piece by piece: zlib, since libdeflate needs the whole body at once.

use super::{Level, NAME};
use crate::compression::deflating::{Deflating, deflaters};
use crate::compression::{CompressError, PiecewiseCompressor};
use bytes::Bytes;
use flate2::{Compress, Compression};
use libdeflater::Crc;
use otlp_protocol::ObjectPool;
use std::sync::LazyLock;

pub(super) struct Piecewise {
    stream: Deflating,
    checksum: Crc,
    len: u32,
}

impl Piecewise {
    pub(super) fn new(level: Level) -> Self {
        let (algorithm, deflaters) = match level {
            Level::Fastest => (FASTEST_ALGORITHM, &DEFLATERS),
            Level::Thorough => (0, &THOROUGH_DEFLATERS),
        };
        let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, algorithm, UNKNOWN_SYSTEM];
        Self { stream: Deflating::new(NAME, &header, deflaters), checksum: Crc::new(), len: 0 }
    }
}

impl PiecewiseCompressor for Piecewise {
    fn push(&mut self, plain: &[u8]) -> Result<(), CompressError> {
        self.checksum.update(plain);
        // RFC 1952 §2.3.1: ISIZE is the length modulo 2^32.
        self.len = self.len.wrapping_add(plain.len() as u32);
        self.stream.push(plain)
    }

    fn finish(mut self: Box<Self>) -> Result<Bytes, CompressError> {
        let mut out = self.stream.finish()?;
        out.extend_from_slice(&self.checksum.sum().to_le_bytes());
        out.extend_from_slice(&self.len.to_le_bytes());
        Ok(Bytes::from(out))
    }
}

/// Without a frame, RFC 1951.
static DEFLATERS: LazyLock<ObjectPool<Compress>> =
    LazyLock::new(|| deflaters(|| Compress::new(Compression::fast(), false)));
static THOROUGH_DEFLATERS: LazyLock<ObjectPool<Compress>> =
    LazyLock::new(|| deflaters(|| Compress::new(Compression::new(6), false)));

/// RFC 1952 §2.3.1, XFL.
const FASTEST_ALGORITHM: u8 = 4;
/// RFC 1952 §2.3.1, OS.
const UNKNOWN_SYSTEM: u8 = 255;
