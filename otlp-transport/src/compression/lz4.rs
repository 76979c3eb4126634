//! LZ4's frame format: one frame, with blocks of up to 4 MiB.

use super::output::{Inflate, inflate};
use super::{Codec, CompressError, Compressor, DecompressError, PiecewiseCompressor};
use bytes::Bytes;
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use otlp_protocol::{BufferPool, Charge, Payload};
use std::io::{self, Read, Write};

pub(super) struct Lz4;

impl Codec for Lz4 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn announced_len(&self, _wire: &[u8]) -> u64 {
        0
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
        let block_bytes = block_bytes(wire).ok_or(malformed("invalid frame header"))?;
        // The decoder keeps a block as read, and two blocks of output.
        let before = charge.bytes();
        charge.try_grow(3 * block_bytes)?;
        let begin =
            || Frame { decoder: FrameDecoder::new(Wire { rest: wire, is_short: false }), is_over: false };
        let plain = inflate(begin, wire.len(), max_bytes, charge, buffers)?;
        charge.shrink_to(before + plain.len() as u64);
        Ok(plain)
    }

    fn compressor(&self) -> Option<&'static dyn Compressor> {
        Some(&Lz4)
    }
}

struct Frame<'a> {
    decoder: FrameDecoder<Wire<'a>>,
    is_over: bool,
}

/// The rest of a body. Records reads beyond the end, since the decoder takes the end of a body for the end of a frame.
struct Wire<'a> {
    rest: &'a [u8],
    is_short: bool,
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.rest.read(buffer)?;
        self.is_short |= read < buffer.len();
        Ok(read)
    }
}

impl Inflate for Frame<'_> {
    fn next(&mut self, room: &mut [u8]) -> Result<Option<usize>, DecompressError> {
        // Another read would begin another frame.
        if self.is_over {
            return Ok(None);
        }
        let made = self.decoder.read(room).map_err(|_| malformed("corrupt or truncated data"))?;
        self.is_over = made == 0;
        let wire = self.decoder.get_ref();
        match self.is_over {
            true if wire.is_short => Err(malformed("truncated data")),
            true if !wire.rest.is_empty() => Err(malformed("extra data after the end")),
            true => Ok(None),
            false => Ok(Some(made)),
        }
    }
}

impl Compressor for Lz4 {
    fn compress(&self, plain: &Payload, _buffers: &BufferPool) -> Result<Bytes, CompressError> {
        let mut made = self.piecewise(plain.len());
        plain.segments().try_for_each(|segment| made.push(segment))?;
        made.finish()
    }

    fn piecewise(&self, plain_len: usize) -> Box<dyn PiecewiseCompressor> {
        let info = FrameInfo::new().block_size(BLOCK_SIZE).block_mode(BlockMode::Independent);
        let out = Vec::with_capacity(plain_len / 4 + MIN_ROOM);
        Box::new(Blocks(FrameEncoder::with_frame_info(info, out)))
    }
}

struct Blocks(FrameEncoder<Vec<u8>>);

impl PiecewiseCompressor for Blocks {
    fn push(&mut self, plain: &[u8]) -> Result<(), CompressError> {
        self.0.write_all(plain).map_err(|_| BROKEN)
    }

    fn finish(self: Box<Self>) -> Result<Bytes, CompressError> {
        self.0.finish().map(Bytes::from).map_err(|_| BROKEN)
    }
}

/// Returns the block size that a frame's header names; `None` if the header is invalid.
fn block_bytes(wire: &[u8]) -> Option<u64> {
    let descriptor = wire.strip_prefix(&MAGIC)?.get(1)?;
    match descriptor >> 4 {
        size @ 4..=7 => Some(1 << (2 * size + 8)),
        _ => None,
    }
}

fn malformed(problem: &'static str) -> DecompressError {
    DecompressError::Malformed { codec: NAME, problem }
}

const NAME: &str = "lz4";
const MAGIC: [u8; 4] = 0x184d_2204_u32.to_le_bytes();
/// Blocks of this size find the repetitions of telemetry.
const BLOCK_SIZE: BlockSize = BlockSize::Max256KB;
const MIN_ROOM: usize = 4 << 10;
const BROKEN: CompressError = CompressError { codec: NAME, problem: "the encoder failed" };
