//! Compression with snappy: the bare block, and the framed stream.

use crate::compression::{CompressError, Compressor, PiecewiseCompressor};
use bytes::Bytes;
use otlp_protocol::{BufferPool, Payload};
use snap::raw::Encoder;
use snap::write::FrameEncoder;
use std::io::Write;

/// Compresses to bare blocks.
pub(super) struct Block;

/// Compresses to framed streams.
pub(super) struct Framed;

impl Compressor for Block {
    fn compress(&self, plain: &Payload, _buffers: &BufferPool) -> Result<Bytes, CompressError> {
        pieces(self, plain)
    }

    fn piecewise(&self, plain_len: usize) -> Box<dyn PiecewiseCompressor> {
        let mut out = Vec::with_capacity(plain_len / 4 + MIN_ROOM);
        write_len(plain_len, &mut out);
        Box::new(Fragments { encoder: Encoder::new(), pending: Vec::new(), left: plain_len, out })
    }
}

impl Compressor for Framed {
    fn compress(&self, plain: &Payload, _buffers: &BufferPool) -> Result<Bytes, CompressError> {
        pieces(self, plain)
    }

    fn piecewise(&self, plain_len: usize) -> Box<dyn PiecewiseCompressor> {
        Box::new(Chunks(FrameEncoder::new(Vec::with_capacity(plain_len / 4 + MIN_ROOM))))
    }
}

fn pieces(compressor: &dyn Compressor, plain: &Payload) -> Result<Bytes, CompressError> {
    let mut made = compressor.piecewise(plain.len());
    plain.segments().try_for_each(|segment| made.push(segment))?;
    made.finish()
}

/// A block being compressed. A block is its length, and then fragments of 64 KiB that do not refer to each other, so they
/// can be compressed one by one.
struct Fragments {
    encoder: Encoder,
    /// Bytes of the next fragment.
    pending: Vec<u8>,
    /// Announced bytes that have not arrived.
    left: usize,
    out: Vec<u8>,
}

impl Fragments {
    fn write(&mut self, fragment: &[u8]) -> Result<(), CompressError> {
        let block = self.encoder.compress_vec(fragment).map_err(|_| broken())?;
        // The fragment's own block, without its length.
        let len_bytes = block.iter().take_while(|&&byte| byte >= 0x80).count() + 1;
        self.out.extend_from_slice(block.get(len_bytes..).unwrap_or_default());
        Ok(())
    }
}

impl PiecewiseCompressor for Fragments {
    fn push(&mut self, mut plain: &[u8]) -> Result<(), CompressError> {
        self.left = self.left.checked_sub(plain.len()).ok_or(WRONG_LEN)?;
        while self.pending.len() + plain.len() >= FRAGMENT_BYTES {
            let (now, later) = plain.split_at(FRAGMENT_BYTES - self.pending.len());
            plain = later;
            if self.pending.is_empty() {
                self.write(now)?;
            } else {
                let mut fragment = std::mem::take(&mut self.pending);
                fragment.extend_from_slice(now);
                self.write(&fragment)?;
                fragment.clear();
                self.pending = fragment;
            }
        }
        self.pending.extend_from_slice(plain);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Bytes, CompressError> {
        if self.left > 0 {
            return Err(WRONG_LEN);
        }
        let last = std::mem::take(&mut self.pending);
        if !last.is_empty() {
            self.write(&last)?;
        }
        Ok(Bytes::from(self.out))
    }
}

struct Chunks(FrameEncoder<Vec<u8>>);

impl PiecewiseCompressor for Chunks {
    fn push(&mut self, plain: &[u8]) -> Result<(), CompressError> {
        self.0.write_all(plain).map_err(|_| broken())
    }

    fn finish(self: Box<Self>) -> Result<Bytes, CompressError> {
        let stream = self.0.into_inner().map_err(|_| broken())?;
        // The encoder writes no identifier for an empty body.
        Ok(if stream.is_empty() { Bytes::from_static(super::STREAM_IDENTIFIER) } else { stream.into() })
    }
}

/// Writes a length as snappy and protobuf do: seven bits a byte, the lowest first.
fn write_len(mut len: usize, out: &mut Vec<u8>) {
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
}

fn broken() -> CompressError {
    CompressError { codec: NAME, problem: "the encoder failed" }
}

const NAME: &str = "snappy";
const WRONG_LEN: CompressError =
    CompressError { codec: NAME, problem: "length differs from the announced length" };
const FRAGMENT_BYTES: usize = 64 << 10;
const MIN_ROOM: usize = 4 << 10;
