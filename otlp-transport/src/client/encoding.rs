//! Encoding and compression of requests, their bytes on the wire, and decompression of answers.

mod adaptive;

use crate::client::attempt::BodyFault;
use crate::client::room::{Room, Rooms};
use crate::client::stats::ClientStats;
use crate::compression::{absent, compress};
use crate::counter;
use crate::offload;
use crate::{
    AdaptiveCompressor, ClientConfig, Clock, Codec, CompressError, Compression, Compressor, ConfigError,
    DecompressError, Encoding, ExportError, ExportResult, TransportContext, codec,
};
use bytes::{Buf, Bytes};
use otlp_protocol::json::from_protobuf;
use otlp_protocol::{
    Batch, BufferPool, Charge, DecodeError, DecodeErrorKind, ErrorKind, FRAME_HEADER_LEN, FrameHeader,
    Payload, Retry, Signal,
};
use std::fmt;
use std::io::IoSlice;
use std::sync::Arc;

/// Encodes requests: as protobuf or JSON, under a size limit, with a content encoding.
#[derive(Clone)]
pub(crate) struct Encoder {
    encoding: Encoding,
    compressing: Compressing,
    max_request_bytes: usize,
    buffers: BufferPool,
    room: Rooms,
    stats: Arc<ClientStats>,
}

/// Compression of requests.
#[derive(Clone)]
enum Compressing {
    Off,
    Fixed(&'static str, &'static dyn Compressor),
    Adaptive(AdaptiveCompressor),
}

/// A request ready to be sent. `room` holds the memory of its bytes and is kept until the request is sent.
pub(in crate::client) struct Encoded {
    pub(crate) payload: Payload,
    pub(crate) room: Option<Room>,
    pub(crate) is_compressed: bool,
    /// The content encoding, if it is chosen for each request anew; otherwise [`Encoder::name`] is.
    pub(crate) chosen: Option<&'static str>,
}

/// Body of a request on the wire: a gRPC frame header, if any, and the payload's segments without a copy. The frame
/// header is stored inline, so that framing allocates nothing.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    prefix: [u8; FRAME_HEADER_LEN],
    /// Bytes of `prefix` already sent.
    taken: usize,
    payload: Payload,
}

// === impl Encoder ===

impl Encoder {
    /// # Errors
    /// If the content encoding is not compiled in.
    pub(crate) fn new(
        config: &ClientConfig,
        context: &TransportContext,
        stats: Arc<ClientStats>,
    ) -> Result<Self, ConfigError> {
        let compressing = match (config.compression, config.compression.name()) {
            (Compression::Adaptive, _) => {
                let stats = stats.adaptive.get_or_init(Arc::default).clone();
                Compressing::Adaptive(AdaptiveCompressor::counted(
                    context,
                    &config.adaptive_compression,
                    stats,
                )?)
            }
            (_, Some(name)) => Compressing::Fixed(name, compressor(name)?),
            (_, None) => Compressing::Off,
        };
        let max_request_bytes = config.limits.max_request_bytes;
        let (buffers, room) = (context.buffers.clone(), Rooms::new(context.budget.clone()));
        Ok(Self { encoding: config.encoding, compressing, max_request_bytes, buffers, room, stats })
    }

    /// Makes an encoder for gRPC, where `snappy` means the framed stream.
    pub(crate) fn for_grpc(
        config: &ClientConfig,
        context: &TransportContext,
        stats: Arc<ClientStats>,
    ) -> Result<Self, ConfigError> {
        let mut encoder = Self::new(config, context, stats)?;
        if let (Compression::Snappy, Compressing::Fixed(_, compressor)) =
            (config.compression, &mut encoder.compressing)
            && let Some(framed) = Compression::SnappyFramed.name().and_then(codec).and_then(Codec::compressor)
        {
            *compressor = framed;
        }
        Ok(encoder)
    }

    /// Returns the name of the content encoding of all requests; `None` if requests are not compressed, or each by an
    /// encoding of its own.
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self.compressing {
            Compressing::Fixed(name, _) => Some(name),
            Compressing::Off | Compressing::Adaptive(_) => None,
        }
    }

    /// Encodes a request and sends it by `send`. A request whose content encoding the destination refuses is sent again at
    /// once if encodings are chosen adaptively.
    ///
    /// # Errors
    /// If the request is over `max_request_bytes` before compression (OTLP §Request size); and those of `send`.
    pub(super) async fn send<F: Future<Output = ExportResult> + Send>(
        &self,
        batch: &Batch,
        clock: &dyn Clock,
        send: impl Fn(Encoded) -> F + Send + Sync,
    ) -> ExportResult {
        let compressor = match &self.compressing {
            Compressing::Fixed(_, compressor) => Some(*compressor),
            Compressing::Off => None,
            // Boxed, so that the rare path does not enlarge every request's future.
            Compressing::Adaptive(compressor) => {
                return Box::pin(self.send_adaptively(compressor, batch, clock, send)).await;
            }
        };
        let (plain, room) = self.plain(batch).await?;
        let Some(compressor) = compressor else { return send(Encoded::plain(plain, room)).await };
        let payload = compress(compressor, &plain, &self.buffers).await.map_err(not_compressed)?.into();
        // The JSON text is compressed now and needs no memory any more.
        drop((plain, room));
        send(Encoded { payload, room: None, is_compressed: true, chosen: None }).await
    }

    /// Returns the request before compression, and the room of its bytes.
    async fn plain(&self, batch: &Batch) -> Result<(Payload, Option<Room>), ExportError> {
        let protobuf = batch.body().plain();
        let limit = self.max_request_bytes;
        if protobuf.len() > limit {
            return Err(self.too_large(format_args!("of {} bytes", protobuf.len())));
        }
        match self.encoding {
            Encoding::Protobuf => Ok((protobuf.clone(), None)),
            Encoding::Json => {
                let mut room = self.room.take(2 * protobuf.len() as u64, None).await;
                let text = transcode(batch.signal(), protobuf, limit, &self.buffers)
                    .await?
                    .ok_or_else(|| self.too_large("in JSON"))?;
                self.room.resize(&mut room, text.len() as u64, None).await;
                Ok((text, Some(room)))
            }
        }
    }

    fn too_large(&self, what: impl fmt::Display) -> ExportError {
        counter::count(&self.stats.oversized_requests);
        let message = format!(
            "a request {what} is over the client's limit of {} bytes (max_request_bytes)",
            self.max_request_bytes
        );
        ExportError::new(ErrorKind::TooLarge, Retry::Never, message)
    }
}

// === impl Encoded ===

impl Encoded {
    fn plain(payload: Payload, room: Option<Room>) -> Self {
        Self { payload, room, is_compressed: false, chosen: None }
    }
}

// === impl Outgoing ===

impl Outgoing {
    /// Sends the payload alone.
    pub(crate) fn plain(payload: Payload) -> Self {
        Self { prefix: [0; FRAME_HEADER_LEN], taken: FRAME_HEADER_LEN, payload }
    }

    /// Sends the payload as one gRPC message.
    pub(crate) fn framed(header: FrameHeader, payload: Payload) -> Self {
        Self { prefix: header.encode(), taken: 0, payload }
    }

    fn prefix(&self) -> &[u8] {
        self.prefix.get(self.taken..).unwrap_or_default()
    }
}

impl Buf for Outgoing {
    fn remaining(&self) -> usize {
        FRAME_HEADER_LEN - self.taken + self.payload.remaining()
    }

    fn chunk(&self) -> &[u8] {
        match self.prefix() {
            [] => self.payload.chunk(),
            prefix => prefix,
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        match (self.prefix(), slices) {
            (_, []) => 0,
            ([], slices) => self.payload.chunks_vectored(slices),
            (prefix, [first, rest @ ..]) => {
                *first = IoSlice::new(prefix);
                1 + self.payload.chunks_vectored(rest)
            }
        }
    }

    fn advance(&mut self, count: usize) {
        let of_prefix = count.min(FRAME_HEADER_LEN - self.taken);
        self.taken += of_prefix;
        self.payload.advance(count - of_prefix);
    }
}

/// The maker of a content encoding, by its name.
fn compressor(name: &'static str) -> Result<&'static dyn Compressor, ConfigError> {
    let compressor = codec(name).and_then(Codec::compressor);
    let problem = || ConfigError::new("compression", absent(name) + ", or set it to `none`");
    compressor.ok_or_else(problem)
}

/// Writes the request as JSON; `None` if the text is over `max_bytes`. Large requests are written on a blocking thread,
/// where they delay no other request.
///
/// # Errors
/// If the payload is not valid protobuf. Checked bodies always are.
async fn transcode(
    signal: Signal,
    plain: &Payload,
    max_bytes: usize,
    buffers: &BufferPool,
) -> Result<Option<Payload>, ExportError> {
    let plain = plain.to_contiguous();
    let (is_large, buffers) = (plain.len() >= offload::WRITTEN_JSON_BYTES, buffers.clone());
    let written = offload::run(is_large, move || write_json(signal, &plain, max_bytes, &buffers)).await;
    match written.map_err(|error| internal("writing JSON", error))? {
        Ok(text) => Ok(Some(text.into())),
        Err(DecodeError { kind: DecodeErrorKind::TooLarge { .. }, .. }) => Ok(None),
        Err(error) => Err(internal("writing JSON", error)),
    }
}

fn write_json(
    signal: Signal,
    plain: &[u8],
    max_bytes: usize,
    buffers: &BufferPool,
) -> Result<Bytes, DecodeError> {
    let mut text = buffers.take(max_bytes.min(plain.len() * 2));
    from_protobuf(signal.request, plain, max_bytes, &mut text)?;
    Ok(BufferPool::freeze(text))
}

fn not_compressed(error: CompressError) -> ExportError {
    internal("compressing the request", error)
}

/// Decompresses the body of an answer. `encoding` is the value of its content-encoding header.
pub(crate) fn decode_answer(
    encoding: Option<&str>,
    body: Bytes,
    max_bytes: usize,
    buffers: &BufferPool,
) -> Result<Bytes, BodyFault> {
    let Some(encoding) = encoding.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"))
    else {
        return Ok(body);
    };
    let Some(codec) = codec(encoding) else {
        return Err(BodyFault::Undecodable("unknown content encoding".into()));
    };
    codec.decompress(&body, max_bytes, &mut Charge::none(), buffers).map_err(|error| match error {
        DecompressError::TooLarge { limit } => BodyFault::Oversized(limit),
        error => BodyFault::Undecodable(error.into()),
    })
}

/// Makes an error for a failure that only a bug of client or server explains.
pub(crate) fn internal(
    doing: &str,
    problem: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> ExportError {
    let problem = problem.into();
    ExportError::new(ErrorKind::Internal, Retry::Never, format!("{doing}: {problem}")).with_source(problem)
}

#[cfg(test)]
mod tests;
