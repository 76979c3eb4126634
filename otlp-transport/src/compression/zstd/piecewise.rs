//! Zstandard compression piece by piece: one frame that announces the length of its content.

use super::{NAME, ZstdContext};
use crate::compression::{CompressError, PiecewiseCompressor};
use bytes::Bytes;
use otlp_protocol::PooledObject;
use zstd::zstd_safe::zstd_sys::ZSTD_EndDirective::{self, ZSTD_e_continue, ZSTD_e_end};
use zstd::zstd_safe::{InBuffer, OutBuffer, get_error_name};

pub(super) struct Piecewise {
    context: PooledObject<ZstdContext>,
    out: Vec<u8>,
}

impl Piecewise {
    pub(super) fn new(level: i32, plain_len: usize) -> Self {
        let mut context = ZstdContext::at(level);
        // Fails only within a frame; the frame then does not announce its length.
        let _ = context.compressor.set_pledged_src_size(Some(plain_len as u64));
        Self { context, out: Vec::new() }
    }

    fn compress(&mut self, plain: &[u8], directive: ZSTD_EndDirective) -> Result<(), CompressError> {
        let mut input = InBuffer::around(plain);
        loop {
            if self.out.capacity() == self.out.len() {
                self.out.reserve(MIN_GROWTH);
            }
            let at = self.out.len();
            let mut output = OutBuffer::around_pos(&mut self.out, at);
            let left = self
                .context
                .compressor
                .compress_stream2(&mut output, &mut input, directive)
                .map_err(|code| CompressError { codec: NAME, problem: get_error_name(code) })?;
            let is_done = match directive {
                ZSTD_e_end => left == 0,
                _ => input.pos() == plain.len(),
            };
            if is_done {
                return Ok(());
            }
        }
    }
}

impl PiecewiseCompressor for Piecewise {
    fn push(&mut self, plain: &[u8]) -> Result<(), CompressError> {
        self.compress(plain, ZSTD_e_continue)
    }

    fn finish(mut self: Box<Self>) -> Result<Bytes, CompressError> {
        self.compress(&[], ZSTD_e_end)?;
        Ok(Bytes::from(std::mem::take(&mut self.out)))
    }
}

const MIN_GROWTH: usize = 64 << 10;
