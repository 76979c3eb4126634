//! Requests in OTLP/JSON.

use crate::ExportError;
use crate::client::encoding::internal;
use bytes::Bytes;
use otlp_protocol::json::from_protobuf;
use otlp_protocol::{BufferPool, DecodeError, Payload, Signal};

/// The request in JSON. Large ones are written on a thread where they hold up nobody else.
///
/// # Errors
/// If the payload is not protobuf, which the check at the door has seen to.
pub(super) async fn transcode(
    signal: Signal,
    plain: &Payload,
    buffers: &BufferPool,
) -> Result<Payload, ExportError> {
    let plain = plain.to_contiguous();
    let written = if plain.len() < LARGE_BYTES {
        write(signal, &plain, buffers)
    } else {
        let buffers = buffers.clone();
        let written = tokio::task::spawn_blocking(move || write(signal, &plain, &buffers)).await;
        written.map_err(|error| internal("writing JSON", error))?
    };
    written.map(Payload::from).map_err(|error| internal("writing JSON", error))
}

fn write(signal: Signal, plain: &[u8], buffers: &BufferPool) -> Result<Bytes, DecodeError> {
    let mut text = buffers.take(plain.len() * 2);
    from_protobuf(signal.request, plain, &mut text)?;
    Ok(BufferPool::freeze(text))
}

/// About a millisecond of writing.
const LARGE_BYTES: usize = 256 << 10;
