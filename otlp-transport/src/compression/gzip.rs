//! gzip (RFC 1952): all members of the stream. Checksums and lengths are checked; bytes before, between or after members
//! are refused.
//!
//! One member, which nearly all senders send, is inflated in one shot by libdeflate. libdeflate does not report the end
//! of the member, so the stream must be known to have one member: no second member can begin unless the three bytes of a
//! member's start occur again, and a member whose checksum and length are the stream's last eight bytes ends with the
//! stream unless these eight bytes occur earlier. Streams in which either occurs again (by chance once in 16 MiB) are
//! read member by member with zlib.

mod piecewise;

use super::output::{Inflate, inflate};
use super::scratch::{MAX_SCRATCH_BYTES, contiguous, reset_scratch};
use super::{Codec, CompressError, Compressor, DecompressError, MAX_IDLE_CONTEXTS, PiecewiseCompressor};
use crate::offload;
use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::{CompressionLvl, Crc, DecompressionError, Decompressor, crc32};
use otlp_protocol::{BufferPool, Charge, ObjectPool, Payload, PooledObject};
use std::sync::LazyLock;

pub(super) struct Gzip;

impl Codec for Gzip {
    fn name(&self) -> &'static str {
        NAME
    }

    fn announced_len(&self, wire: &[u8]) -> u64 {
        wire.last_chunk().map_or(0, |trailer| u64::from(Trailer::parse(*trailer).len))
    }

    fn quick_bytes(&self) -> usize {
        512 << 10
    }

    fn decompress(
        &self,
        wire: &[u8],
        max_bytes: usize,
        charge: &mut Charge,
        buffers: &BufferPool,
    ) -> Result<Bytes, DecompressError> {
        let Some((_, trailer)) = wire.split_last_chunk::<TRAILER_LEN>() else {
            return Err(malformed("truncated before the trailer"));
        };
        let has_second_start = memchr::memmem::find(&wire[1..], &MEMBER_START).is_some();
        let has_second_trailer = memchr::memmem::find(wire, trailer) != Some(wire.len() - TRAILER_LEN);
        if has_second_start || has_second_trailer {
            return inflate(|| Members::new(wire, max_bytes), wire.len(), max_bytes, charge, buffers);
        }
        // libdeflate does not check a header's own checksum.
        if header_len(wire).is_none() {
            return Err(malformed(NOT_A_HEADER));
        }
        let trailer = Trailer::parse(*trailer);
        let len = trailer.len as usize;
        if len > wire.len().saturating_mul(MAX_RATIO) {
            return Err(malformed("impossible length in the trailer"));
        }
        if len > max_bytes {
            return Err(DecompressError::TooLarge { limit: max_bytes });
        }
        charge.try_grow(len as u64)?;
        let mut out = buffers.take(len);
        out.resize(len, 0);
        let inflated = DECOMPRESSORS.take().gzip_decompress(wire, &mut out).map_err(|error| match error {
            DecompressionError::BadData => malformed("corrupt or truncated data"),
            DecompressionError::InsufficientSpace => malformed("more data than the length in the trailer"),
        })?;
        if inflated != len || crc32(&out) != trailer.crc {
            return Err(malformed("extra data after the end"));
        }
        Ok(BufferPool::freeze(out))
    }

    fn compressor(&self) -> Option<&'static dyn Compressor> {
        Some(&Level::Fastest)
    }

    fn compressor_at(&self, level: u32) -> Option<&'static dyn Compressor> {
        match level {
            1 => Some(&Level::Fastest),
            6 => Some(&Level::Thorough),
            _ => None,
        }
    }
}

/// The levels that are offered.
#[derive(Clone, Copy)]
enum Level {
    /// 1. Telemetry shrinks 5 to 10 times at any level, and higher levels cost more CPU.
    Fastest,
    /// 6.
    Thorough,
}

impl Compressor for Level {
    fn compress(&self, plain: &Payload, buffers: &BufferPool) -> Result<Bytes, CompressError> {
        let mut context = COMPRESSORS.take();
        let GzipContext { fastest, thorough, joined, out } = &mut *context;
        let compressor = match self {
            Self::Fastest => fastest,
            Self::Thorough => thorough.get_or_insert_with(|| libdeflate(6)),
        };
        let plain = contiguous(plain, joined);
        let bound = compressor.gzip_compress_bound(plain.len());
        if out.len() < bound {
            out.resize(bound, 0);
        }
        let len = compressor
            .gzip_compress(plain, out)
            .map_err(|_| CompressError { codec: NAME, problem: "the output is larger than its bound" })?;
        let mut compressed = buffers.take(len);
        compressed.extend_from_slice(&out[..len]);
        Ok(BufferPool::freeze(compressed))
    }

    fn piecewise(&self, _plain_len: usize) -> Box<dyn PiecewiseCompressor> {
        Box::new(piecewise::Piecewise::new(*self))
    }

    fn quick_bytes(&self) -> usize {
        match self {
            Self::Fastest => offload::COMPRESSED_BYTES,
            Self::Thorough => offload::COMPRESSED_BYTES / 4,
        }
    }
}

/// Buffers of compression. libdeflate needs zeroed output of the largest possible size: the buffer is kept between
/// bodies, so that it is zeroed once, and only the written bytes are copied.
struct GzipContext {
    fastest: libdeflater::Compressor,
    /// Made when it is needed first.
    thorough: Option<libdeflater::Compressor>,
    /// The segments of a body, joined.
    joined: Vec<u8>,
    out: Vec<u8>,
}

impl GzipContext {
    fn new() -> Self {
        Self { fastest: libdeflate(1), thorough: None, joined: Vec::new(), out: Vec::new() }
    }

    fn reset(&mut self) {
        reset_scratch(&mut self.joined);
        if self.out.capacity() > MAX_SCRATCH_BYTES {
            self.out = Vec::new();
        }
    }
}

/// The trailer of a member.
#[derive(PartialEq)]
struct Trailer {
    crc: u32,
    len: u32,
}

impl Trailer {
    fn parse([a, b, c, d, e, f, g, h]: [u8; TRAILER_LEN]) -> Self {
        Self { crc: u32::from_le_bytes([a, b, c, d]), len: u32::from_le_bytes([e, f, g, h]) }
    }
}

/// Inflates the members of a stream one after the other.
struct Members<'a> {
    inflater: PooledObject<Decompress>,
    rest: &'a [u8],
    /// Checksum of the current member; `None` between members.
    checksum: Option<Crc>,
    len: u32,
    begun: usize,
    max_bytes: usize,
}

impl<'a> Members<'a> {
    fn new(wire: &'a [u8], max_bytes: usize) -> Self {
        Self { inflater: INFLATERS.take(), rest: wire, checksum: None, len: 0, begun: 0, max_bytes }
    }

    fn begin(&mut self) -> Result<Crc, DecompressError> {
        self.begun += 1;
        if self.begun > MAX_MEMBERS {
            return Err(malformed("more than 65536 members"));
        }
        if self.begun > FREE_MEMBERS.max(self.max_bytes / MEMBER_COST) {
            return Err(DecompressError::TooLarge { limit: self.max_bytes });
        }
        self.rest = &self.rest[header_len(self.rest).ok_or(malformed(NOT_A_HEADER))?..];
        self.inflater.reset(false);
        self.len = 0;
        Ok(Crc::new())
    }

    fn end(&mut self, checksum: &Crc) -> Result<(), DecompressError> {
        let Some((trailer, after)) = self.rest.split_first_chunk::<TRAILER_LEN>() else {
            return Err(malformed("truncated before the trailer"));
        };
        if Trailer::parse(*trailer) != (Trailer { crc: checksum.sum(), len: self.len }) {
            return Err(malformed("checksum or length mismatch"));
        }
        self.rest = after;
        Ok(())
    }
}

impl Inflate for Members<'_> {
    fn next(&mut self, room: &mut [u8]) -> Result<Option<usize>, DecompressError> {
        if self.rest.is_empty() && self.begun > 0 && self.checksum.is_none() {
            return Ok(None);
        }
        let mut checksum = match self.checksum.take() {
            Some(checksum) => checksum,
            None => self.begin()?,
        };
        let (used, made) = (self.inflater.total_in(), self.inflater.total_out());
        let status = self
            .inflater
            .decompress(self.rest, room, FlushDecompress::None)
            .map_err(|_| malformed("corrupt data"))?;
        let used = (self.inflater.total_in() - used) as usize;
        let made = (self.inflater.total_out() - made) as usize;
        self.rest = &self.rest[used..];
        checksum.update(&room[..made]);
        // RFC 1952 §2.3.1: ISIZE is the length modulo 2^32.
        self.len = self.len.wrapping_add(made as u32);
        match status {
            Status::StreamEnd => self.end(&checksum)?,
            _ if used == 0 && made == 0 => return Err(malformed("truncated data")),
            _ => self.checksum = Some(checksum),
        }
        Ok(Some(made))
    }
}

/// Returns the length of the member header at the start of `bytes`; `None` if the header is invalid or incomplete.
fn header_len(bytes: &[u8]) -> Option<usize> {
    let (fixed, _) = bytes.split_first_chunk::<10>()?;
    let flags = fixed[3];
    if !fixed.starts_with(&MEMBER_START) || flags & RESERVED_FLAGS != 0 {
        return None;
    }
    let mut len = fixed.len();
    if flags & EXTRA_FLAG != 0 {
        let (extra, _) = bytes.get(len..)?.split_first_chunk::<2>()?;
        len += 2 + usize::from(u16::from_le_bytes(*extra));
    }
    for flag in [NAME_FLAG, COMMENT_FLAG] {
        if flags & flag != 0 {
            len += memchr::memchr(0, bytes.get(len..)?)? + 1;
        }
    }
    if flags & HEADER_CRC_FLAG != 0 {
        let (crc, _) = bytes.get(len..)?.split_first_chunk::<2>()?;
        if u16::from_le_bytes(*crc) != crc32(bytes.get(..len)?) as u16 {
            return None;
        }
        len += 2;
    }
    (len <= bytes.len()).then_some(len)
}

fn malformed(problem: &'static str) -> DecompressError {
    DecompressError::Malformed { codec: NAME, problem }
}

static COMPRESSORS: LazyLock<ObjectPool<GzipContext>> =
    LazyLock::new(|| ObjectPool::new(MAX_IDLE_CONTEXTS, GzipContext::new, GzipContext::reset));
static DECOMPRESSORS: LazyLock<ObjectPool<Decompressor>> =
    LazyLock::new(|| ObjectPool::new(MAX_IDLE_CONTEXTS, Decompressor::new, |_| {}));
static INFLATERS: LazyLock<ObjectPool<Decompress>> =
    LazyLock::new(|| ObjectPool::new(MAX_IDLE_CONTEXTS, || Decompress::new(false), |_| {}));

fn libdeflate(level: i32) -> libdeflater::Compressor {
    libdeflater::Compressor::new(CompressionLvl::new(level).unwrap_or_default())
}

const NAME: &str = "gzip";
const NOT_A_HEADER: &str = "invalid member header";
/// RFC 1952 §2.3.1: the magic number, and deflate as the compression method.
const MEMBER_START: [u8; 3] = [0x1f, 0x8b, 8];
const TRAILER_LEN: usize = 8;
/// The highest compression ratio of deflate.
const MAX_RATIO: usize = 1032;
/// A member costs a microsecond, however short it is.
const MAX_MEMBERS: usize = 65_536;
/// Bytes inflated in the time that an empty member costs.
const MEMBER_COST: usize = 1 << 10;
/// Members allowed under any limit.
const FREE_MEMBERS: usize = 64;
const HEADER_CRC_FLAG: u8 = 1 << 1;
const EXTRA_FLAG: u8 = 1 << 2;
const NAME_FLAG: u8 = 1 << 3;
const COMMENT_FLAG: u8 = 1 << 4;
const RESERVED_FLAGS: u8 = 0xe0;
