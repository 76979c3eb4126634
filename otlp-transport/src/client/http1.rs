//! HTTP/1.1 connections: one request at a time on each.

use crate::BoxIo;
use crate::client::answer::{Answer, BodyBuffer};
use crate::client::outgoing::Outgoing;
use crate::client::send_error::SendError;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;

/// The sending end of a connection.
pub(crate) type Sender = SendRequest<Full<Outgoing>>;

/// Starts HTTP/1.1.
pub(crate) async fn handshake(
    io: BoxIo,
) -> Result<(Sender, Connection<TokioIo<BoxIo>, Full<Outgoing>>), hyper::Error> {
    Builder::new().max_header_size(MAX_HEADER_BYTES).handshake(TokioIo::new(io)).await
}

/// Sends a request and reads its answer. If it fails, or is dropped, the connection is of no more use. `reused`: whether
/// the connection has served another request before.
pub(crate) async fn send(
    sender: &mut Sender,
    request: Request<()>,
    body: Outgoing,
    max_answer_bytes: usize,
    reused: bool,
) -> Result<Answer, SendError> {
    // A reused connection may have been closed meanwhile.
    if let Err(error) = sender.ready().await {
        return Err(unprocessed(error));
    }
    let (head, mut incoming) = match sender.try_send_request(request.map(|()| Full::new(body))).await {
        Ok(response) => response.into_parts(),
        Err(mut error) => {
            let never_sent = error.take_message().is_some();
            let error = error.into_error();
            // RFC 9112 §9.5: servers close idle connections at any time, also just as a request is on its way.
            return Err(match never_sent || (reused && closed_early(&error)) {
                true => unprocessed(error),
                false => SendError::from_hyper(error),
            });
        }
    };
    let mut body = BodyBuffer::new(max_answer_bytes);
    while let Some(frame) = incoming.frame().await {
        if let Ok(chunk) = frame.map_err(SendError::from_hyper)?.into_data() {
            body.push(chunk)?;
        }
    }
    Ok(Answer { status: head.status, headers: head.headers, body: body.finish(), trailers: None })
}

/// Whether the connection was closed before anything of the answer was read.
fn closed_early(error: &hyper::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return matches!(io.kind(), BrokenPipe | ConnectionAborted | ConnectionReset);
        }
        source = cause.source();
    }
    error.is_incomplete_message() || error.is_canceled()
}

fn unprocessed(error: hyper::Error) -> SendError {
    match SendError::from_hyper(error) {
        SendError::Failed(error) => SendError::Unprocessed(error),
        other => other,
    }
}

/// Status line and headers of an answer.
const MAX_HEADER_BYTES: usize = 16 << 10;
