//! Requests in OTLP/JSON.

use crate::ExportError;
use crate::client::encoding::internal;
use bytes::Bytes;
use otlp_protocol::json::from_protobuf;
use otlp_protocol::{BufferPool, DecodeError, DecodeErrorKind, Payload, Signal};

/// The request in JSON; `None` if it has more than `max_bytes`. Large requests are written on a thread where they
/// delay no other request.
///
/// # Errors
/// If the payload is not protobuf, which the check of received bodies has seen to.
pub(super) async fn transcode(
    signal: Signal,
    plain: &Payload,
    max_bytes: usize,
    buffers: &BufferPool,
) -> Result<Option<Payload>, ExportError> {
    let plain = plain.to_contiguous();
    let written = if plain.len() < LARGE_BYTES {
        write(signal, &plain, max_bytes, buffers)
    } else {
        let buffers = buffers.clone();
        let written = tokio::task::spawn_blocking(move || write(signal, &plain, max_bytes, &buffers)).await;
        written.map_err(|error| internal("writing JSON", error))?
    };
    match written {
        Ok(text) => Ok(Some(text.into())),
        Err(DecodeError { kind: DecodeErrorKind::TooLarge { .. }, .. }) => Ok(None),
        Err(error) => Err(internal("writing JSON", error)),
    }
}

fn write(signal: Signal, plain: &[u8], max_bytes: usize, buffers: &BufferPool) -> Result<Bytes, DecodeError> {
    let mut text = buffers.take(max_bytes.min(plain.len() * 2));
    from_protobuf(signal.request, plain, max_bytes, &mut text)?;
    Ok(BufferPool::freeze(text))
}

/// About a millisecond of writing.
const LARGE_BYTES: usize = 256 << 10;
