//! Compression of requests and inflation of answers.

use crate::client::attempt::oversized;
use crate::client::stats::ClientStats;
use crate::{ClientConfig, Codec, CompressError, DecompressError, ExportError, codec};
use bytes::Bytes;
use otlp_protocol::{BufferPool, Charge, ErrorKind, Payload, Retry};
use std::sync::Arc;

/// The size limit and content encoding of requests.
#[derive(Clone)]
pub(crate) struct Encoder {
    codec: Option<&'static dyn Codec>,
    max_request_bytes: usize,
    buffers: BufferPool,
    stats: Arc<ClientStats>,
}

// === impl Encoder ===

impl Encoder {
    pub(crate) fn new(config: &ClientConfig, buffers: BufferPool, stats: Arc<ClientStats>) -> Self {
        let codec = config.compression.name().and_then(codec);
        Self { codec, max_request_bytes: config.limits.max_request_bytes, buffers, stats }
    }

    /// The encoding's name; `None` if requests are sent as they are.
    pub(crate) fn name(&self) -> Option<&'static str> {
        self.codec.map(Codec::name)
    }

    /// The request as it is sent.
    ///
    /// # Errors
    /// If it is too large: OTLP §Request size, before compression.
    pub(crate) async fn encode(&self, plain: &Payload) -> Result<Payload, ExportError> {
        if plain.len() > self.max_request_bytes {
            ClientStats::count(&self.stats.oversized_requests);
            let limit = self.max_request_bytes;
            let message = format!("a request of {} bytes is over {limit} (max_request_bytes)", plain.len());
            return Err(ExportError::new(ErrorKind::TooLarge, Retry::Never, message));
        }
        let Some(codec) = self.codec else { return Ok(plain.clone()) };
        let compressed = if plain.len() < LARGE_BYTES {
            codec.compress(plain, &self.buffers)
        } else {
            compress_piecewise(codec, plain).await
        };
        compressed.map(Payload::from).map_err(|error| internal("compressing the request", error))
    }
}

/// Lets the thread's other tasks run between pieces.
async fn compress_piecewise(codec: &dyn Codec, plain: &Payload) -> Result<Bytes, CompressError> {
    let mut compressor = codec.piecewise(plain.len());
    let mut since_yield = 0;
    for piece in plain.segments().flat_map(|segment| segment.chunks(PIECE_BYTES)) {
        compressor.push(piece)?;
        since_yield += piece.len();
        if since_yield >= PIECE_BYTES {
            since_yield = 0;
            tokio::task::yield_now().await;
        }
    }
    compressor.finish()
}

/// An answer's body in the clear; `encoding` as its header names it, if it does.
pub(crate) fn decode_answer(
    encoding: Option<&str>,
    body: Bytes,
    max_bytes: usize,
    buffers: &BufferPool,
    stats: &ClientStats,
) -> Result<Bytes, ExportError> {
    let Some(encoding) = encoding.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"))
    else {
        return Ok(body);
    };
    let Some(codec) = codec(encoding) else {
        return Err(internal("reading the answer", "its content encoding is unknown"));
    };
    codec.decompress(&body, max_bytes, &mut Charge::none(), buffers).map_err(|error| match error {
        DecompressError::TooLarge { limit } => oversized(stats, limit),
        error => internal("reading the answer", error),
    })
}

/// What can only be a misunderstanding between the two ends.
pub(crate) fn internal(
    doing: &str,
    problem: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> ExportError {
    let problem = problem.into();
    ExportError::new(ErrorKind::Internal, Retry::Never, format!("{doing}: {problem}")).with_source(problem)
}

/// About a millisecond of compressing at the fastest level.
const LARGE_BYTES: usize = 512 << 10;
/// About half a millisecond of it.
const PIECE_BYTES: usize = 256 << 10;
