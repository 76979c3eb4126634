//! HTTP/1.1 connections, which carry one request at a time.

use crate::client::attempt::{Answer, AnswerLimits, BodyBuffer, BodyFault};
use crate::client::encoding::Outgoing;
use crate::client::send_error::{SendError, disconnected};
use crate::{BoxIo, Clock};
use bytes::Bytes;
use http::Request;
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;

/// The sending half of a connection.
pub(crate) type Sender = SendRequest<Full<Outgoing>>;

/// An open connection, which does nothing unless awaited.
pub(crate) type Http1Connection = Connection<TokioIo<BoxIo>, Full<Outgoing>>;

/// Starts HTTP/1.1 on a connection.
pub(crate) async fn handshake(io: BoxIo) -> Result<(Sender, Http1Connection), hyper::Error> {
    Builder::new().max_header_size(MAX_HEADER_BYTES).handshake(TokioIo::new(io)).await
}

/// Sends a request and reads its answer. After a failure, a fault of the answer's body, or a drop of the future, the
/// connection cannot be used again.
///
/// A request that hyper hands back was not written, since the server had closed the connection before. A request of which
/// any byte may have been written may have been processed, also on a reused connection: a server that closes an idle
/// connection looks like a server that accepted the request and then failed.
pub(crate) async fn send(
    sender: &mut Sender,
    request: Request<()>,
    body: Outgoing,
    limits: AnswerLimits,
    clock: &dyn Clock,
) -> Result<Answer, SendError> {
    // The server may have closed a reused connection.
    if let Err(error) = sender.ready().await {
        return Err(unprocessed(error));
    }
    let (head, mut incoming) = match sender.try_send_request(request.map(|()| Full::new(body))).await {
        Ok(response) => response.into_parts(),
        Err(mut error) => {
            let never_sent = error.take_message().is_some();
            let error = error.into_error();
            return Err(if never_sent { unprocessed(error) } else { failed(error) });
        }
    };
    let answer = Answer::of(head);
    if incoming.is_end_stream() {
        return Ok(answer);
    }
    let read = limits.in_time(clock, answer.status, read_body(&mut incoming, limits.max_bytes)).await;
    Ok(answer.with(read))
}

async fn read_body(incoming: &mut Incoming, max_bytes: usize) -> Result<Bytes, BodyFault> {
    let mut body = BodyBuffer::new(max_bytes);
    while let Some(frame) = incoming.frame().await {
        if let Ok(chunk) = frame.map_err(|_| BodyFault::BrokenOff)?.into_data() {
            body.push(chunk)?;
        }
    }
    Ok(body.finish())
}

/// Converts the error of an HTTP/1.1 connection that broke off before the answer was complete.
fn failed(error: hyper::Error) -> SendError {
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    SendError::Failed(disconnected(format!("the server did not answer: {error}{cause}")).with_source(error))
}

fn unprocessed(error: hyper::Error) -> SendError {
    match failed(error) {
        SendError::Failed(error) => SendError::Unprocessed(error),
        other => other,
    }
}

/// Limit on the status line and headers of an answer.
const MAX_HEADER_BYTES: usize = 16 << 10;
