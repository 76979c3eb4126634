//! Compression of requests and inflation of answers.

use crate::client::attempt::oversized;
use crate::client::stats::ClientStats;
use crate::{Codec, Compression, DecompressError, ExportError, codec};
use bytes::Bytes;
use otlp_protocol::{BufferPool, Charge, ErrorKind, Payload, Retry};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The size limit and content encoding of requests.
#[derive(Clone)]
pub(crate) struct Encoder {
    codec: Option<&'static dyn Codec>,
    max_request_bytes: usize,
    buffers: BufferPool,
    /// Large requests that are compressed at once: one a core, since more would only take memory.
    large: Arc<Semaphore>,
}

// === impl Encoder ===

impl Encoder {
    pub(crate) fn new(compression: Compression, max_request_bytes: usize, buffers: BufferPool) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let large = Arc::new(Semaphore::new(cores));
        Self { codec: compression.name().and_then(codec), max_request_bytes, buffers, large }
    }

    /// The encoding's name; `None` if requests are sent as they are.
    pub(crate) fn name(&self) -> Option<&'static str> {
        self.codec.map(Codec::name)
    }

    /// The request as it is sent. Large ones are compressed on a blocking thread.
    ///
    /// # Errors
    /// If it is too large: OTLP §Request size, before compression.
    pub(crate) async fn encode(&self, plain: &Payload) -> Result<Payload, ExportError> {
        if plain.len() > self.max_request_bytes {
            let limit = self.max_request_bytes;
            let message = format!("a request of {} bytes is over {limit} (max_request_bytes)", plain.len());
            return Err(ExportError::new(ErrorKind::TooLarge, Retry::Never, message));
        }
        let Some(codec) = self.codec else { return Ok(plain.clone()) };
        let compressed = if plain.len() < INLINE_BYTES {
            codec.compress(plain, &self.buffers)
        } else {
            let (plain, buffers) = (plain.clone(), self.buffers.clone());
            let turn = self.large.clone().acquire_owned().await;
            let compress = move || {
                let _turn = turn;
                codec.compress(&plain, &buffers)
            };
            match tokio::task::spawn_blocking(compress).await {
                Ok(compressed) => compressed,
                Err(error) => return Err(internal("compressing the request", error)),
            }
        };
        compressed.map(Payload::from).map_err(|error| internal("compressing the request", error))
    }
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

/// About a millisecond of compressing at the fastest level; more of it would hold up the thread's other tasks.
const INLINE_BYTES: usize = 512 << 10;
