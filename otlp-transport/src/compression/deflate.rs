//! deflate as in HTTP: zlib's framing (RFC 1950), under both of its names.

use super::deflating::{Deflating, deflaters};
use super::output::{Inflate, inflate};
use super::{Codec, CompressError, Compressor, DecompressError, MAX_IDLE_CONTEXTS, PiecewiseCompressor};
use bytes::Bytes;
use flate2::{Compress, Compression, Decompress, FlushDecompress, Status};
use otlp_protocol::{BufferPool, Charge, ObjectPool, Payload, PooledObject};
use std::sync::LazyLock;

/// The codec, with its name.
pub(super) struct Deflate(pub(super) &'static str);

impl Codec for Deflate {
    fn name(&self) -> &'static str {
        self.0
    }

    fn announced_len(&self, _wire: &[u8]) -> u64 {
        0
    }

    fn quick_bytes(&self) -> usize {
        256 << 10
    }

    fn decompress(
        &self,
        wire: &[u8],
        max_bytes: usize,
        charge: &mut Charge,
        buffers: &BufferPool,
    ) -> Result<Bytes, DecompressError> {
        let begin = || Stream { codec: self, inflater: INFLATERS.take(), rest: wire, is_over: false };
        inflate(begin, wire.len(), max_bytes, charge, buffers)
    }

    fn compressor(&self) -> Option<&'static dyn Compressor> {
        Some(&Zlib)
    }
}

/// Compresses, under either name.
struct Zlib;

impl Compressor for Zlib {
    fn compress(&self, plain: &Payload, _buffers: &BufferPool) -> Result<Bytes, CompressError> {
        let mut stream = Deflating::new(MADE, &[], &DEFLATERS);
        plain.segments().try_for_each(|segment| stream.push(segment))?;
        stream.finish().map(Bytes::from)
    }

    fn piecewise(&self, _plain_len: usize) -> Box<dyn PiecewiseCompressor> {
        Box::new(Piecewise(Deflating::new(MADE, &[], &DEFLATERS)))
    }
}

struct Piecewise(Deflating);

impl PiecewiseCompressor for Piecewise {
    fn push(&mut self, plain: &[u8]) -> Result<(), CompressError> {
        self.0.push(plain)
    }

    fn finish(mut self: Box<Self>) -> Result<Bytes, CompressError> {
        self.0.finish().map(Bytes::from)
    }
}

struct Stream<'a> {
    codec: &'a Deflate,
    inflater: PooledObject<Decompress>,
    rest: &'a [u8],
    is_over: bool,
}

impl Inflate for Stream<'_> {
    fn next(&mut self, room: &mut [u8]) -> Result<Option<usize>, DecompressError> {
        if self.is_over {
            return Ok(None);
        }
        let (used, made) = (self.inflater.total_in(), self.inflater.total_out());
        let status = self
            .inflater
            .decompress(self.rest, room, FlushDecompress::None)
            .map_err(|_| self.codec.malformed("corrupt data"))?;
        let used = (self.inflater.total_in() - used) as usize;
        let made = (self.inflater.total_out() - made) as usize;
        self.rest = &self.rest[used..];
        self.is_over = status == Status::StreamEnd;
        match self.is_over {
            true if !self.rest.is_empty() => Err(self.codec.malformed("extra data after the end")),
            false if used == 0 && made == 0 => Err(self.codec.malformed("truncated data")),
            _ => Ok(Some(made)),
        }
    }
}

impl Deflate {
    fn malformed(&self, problem: &'static str) -> DecompressError {
        DecompressError::Malformed { codec: self.0, problem }
    }
}

/// In zlib's frame, RFC 1950.
static DEFLATERS: LazyLock<ObjectPool<Compress>> =
    LazyLock::new(|| deflaters(|| Compress::new(Compression::fast(), true)));
static INFLATERS: LazyLock<ObjectPool<Decompress>> = LazyLock::new(|| {
    ObjectPool::new(MAX_IDLE_CONTEXTS, || Decompress::new(true), |inflater| inflater.reset(true))
});
const MADE: &str = "zlib";
