//! deflate as HTTP means it: zlib's framing, RFC 1950, under both of its names. Taken, not made: whoever can read it reads
//! gzip as well.

use super::output::Output;
use super::{Codec, DecompressError, MAX_IDLE_CONTEXTS};
use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};
use otlp_protocol::{BufferPool, Charge, ObjectPool};
use std::sync::LazyLock;

/// By its name.
pub(super) struct Deflate(pub(super) &'static str);

impl Codec for Deflate {
    fn name(&self) -> &'static str {
        self.0
    }

    /// The most that deflate can make of it.
    fn announced_len(&self, wire: &[u8]) -> u64 {
        (wire.len() as u64).saturating_mul(MAX_RATIO)
    }

    fn decompress(
        &self,
        wire: &[u8],
        max_bytes: usize,
        charge: &mut Charge,
        buffers: &BufferPool,
    ) -> Result<Bytes, DecompressError> {
        let mut out = Output::new(max_bytes, charge, buffers);
        let mut inflater = INFLATERS.take();
        let mut rest = wire;
        loop {
            let (used, made) = (inflater.total_in(), inflater.total_out());
            let room = out.room(rest.len())?;
            let status = inflater
                .decompress(rest, room, FlushDecompress::None)
                .map_err(|_| self.malformed("the data is corrupt"))?;
            let (used, made) =
                ((inflater.total_in() - used) as usize, (inflater.total_out() - made) as usize);
            rest = &rest[used..];
            out.wrote(made);
            match status {
                Status::StreamEnd if rest.is_empty() => return out.finish(),
                Status::StreamEnd => return Err(self.malformed("something follows its end")),
                _ if used == 0 && made == 0 => return Err(self.malformed("it ends too early")),
                _ => {}
            }
        }
    }
}

impl Deflate {
    fn malformed(&self, problem: &'static str) -> DecompressError {
        DecompressError::Malformed { codec: self.0, problem }
    }
}

static INFLATERS: LazyLock<ObjectPool<Decompress>> = LazyLock::new(|| {
    ObjectPool::new(MAX_IDLE_CONTEXTS, || Decompress::new(true), |inflater| inflater.reset(true))
});

/// Deflate makes at most 1032 bytes of one.
const MAX_RATIO: u64 = 1032;
