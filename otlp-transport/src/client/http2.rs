//! HTTP/2 connections, which carry many requests at once. Uses h2 instead of hyper's client: a request needs no task and
//! no channel, and errors say whether the server saw the request. Servers that are dead are found by pings and by calls
//! without an answer.

use crate::client::activity::Activity;
use crate::client::attempt::{Answer, AnswerLimits, BodyBuffer, BodyFault};
use crate::client::coalesce::Coalescing;
use crate::client::encoding::Outgoing;
use crate::client::send_error::{SendError, disconnected};
use crate::tls::Alpn;
use crate::{BoxIo, ClientLimits, Clock, ExportError};
use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use h2::{Ping, PingPong, Reason, RecvStream};
use http::Request;
use otlp_protocol::{Code, Retry};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// The sending half of a connection.
pub(crate) type Sender = SendRequest<Outgoing>;

/// An open connection. Nothing is sent or received unless the connection is driven.
pub(crate) struct Http2Connection {
    h2: Connection<Coalescing, Outgoing>,
    io: Coalescing,
}

/// Interval of pings, and the time limit of their answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keepalive {
    interval: Duration,
    timeout: Duration,
}

/// HTTP versions that clients of OTLP/HTTP offer in ALPN.
pub(crate) const HTTP_ALPN: Alpn = Alpn::Any;

/// Starts HTTP/2 with prior knowledge, or after ALPN has chosen HTTP/2.
pub(crate) async fn handshake(io: BoxIo) -> Result<(Sender, Http2Connection), h2::Error> {
    let io = Coalescing::new(io);
    let (sender, h2) = Builder::new()
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_max_send_streams(INITIAL_STREAMS)
        .max_header_list_size(MAX_HEADER_BYTES)
        .max_send_buffer_size(SEND_BUFFER)
        .handshake(io.clone())
        .await?;
    Ok((sender, Http2Connection { h2, io }))
}

/// Sends a request and reads its answer. Cancel-safe: dropping the future resets the stream.
pub(crate) async fn send(
    sender: &mut Sender,
    request: Request<()>,
    body: Outgoing,
    limits: AnswerLimits,
    clock: &dyn Clock,
) -> Result<Answer, SendError> {
    let (response, mut stream) = match sender.send_request(request, false) {
        Ok(opened) => opened,
        // No byte of the request was sent.
        Err(error) => {
            return Err(match failed(error) {
                SendError::Failed(error) => SendError::Unprocessed(error),
                other => other,
            });
        }
    };
    // The body is in memory already: h2 keeps the body while flow control sends it. Fails only if the stream is gone,
    // which the answer shows.
    let _ = stream.send_data(body, true);
    drop(stream);
    let (head, mut incoming) = response.await.map_err(failed)?.into_parts();
    let mut answer = Answer::of(head);
    if incoming.is_end_stream() {
        return Ok(answer);
    }
    let read = if limits.judged_by_trailers {
        let read = read_body(&mut incoming, limits.max_bytes, MAX_DISCARDED_BYTES).await;
        if !matches!(read, Ok(Err(BodyFault::BrokenOff))) {
            answer.trailers = incoming.trailers().await.map_err(failed)?;
        }
        read.map_err(failed)?
    } else {
        let read = async {
            let read = read_body(&mut incoming, limits.max_bytes, 0).await;
            read.unwrap_or(Err(BodyFault::BrokenOff))
        };
        limits.in_time(clock, answer.status, read).await
    };
    Ok(answer.with(read))
}

/// Reads a body of at most `max_bytes`. Of a larger body, up to `max_discarded` more bytes are read and discarded, to
/// reach the trailers.
async fn read_body(
    incoming: &mut RecvStream,
    max_bytes: usize,
    max_discarded: usize,
) -> Result<Result<Bytes, BodyFault>, h2::Error> {
    let mut body = BodyBuffer::new(max_bytes);
    let (mut fault, mut discarded) = (None, 0);
    while let Some(chunk) = incoming.data().await {
        let chunk = chunk?;
        // Fails only if the stream is gone, which the next read shows.
        let _ = incoming.flow_control().release_capacity(chunk.len());
        if fault.is_none() {
            fault = body.push(chunk).err();
            continue;
        }
        discarded += chunk.len();
        if discarded > max_discarded {
            return Ok(Err(BodyFault::BrokenOff));
        }
    }
    Ok(match fault {
        None => Ok(body.finish()),
        Some(fault) => Err(fault),
    })
}

/// True if the connection accepts new requests: no GOAWAY was received, and the connection is not broken.
pub(crate) fn is_open(sender: &mut Sender) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    !matches!(sender.poll_ready(&mut context), Poll::Ready(Err(_)))
}

/// Converts an error of a stream or its connection, by gRPC's mapping of RST_STREAM (PROTOCOL-HTTP2 §Errors).
fn failed(error: h2::Error) -> SendError {
    let message = format!("the server did not answer: {error}");
    // A GOAWAY of the peer ends only streams above its last-stream-id, which were never processed (RFC 9113 §6.8). Other
    // streams go on, and end with the connection.
    if error.is_go_away() && error.is_remote() {
        return SendError::Unprocessed(disconnected(message).with_source(error));
    }
    let failed = match error.reason().filter(|_| error.is_reset()) {
        Some(Reason::REFUSED_STREAM) => {
            return SendError::Unprocessed(disconnected(message).with_source(error));
        }
        Some(Reason::CANCEL) => ExportError::from_grpc(Code::Cancelled, message, None),
        // A reset for throttling is not the OTLP answer RESOURCE_EXHAUSTED, which would be final.
        Some(Reason::ENHANCE_YOUR_CALM) => {
            ExportError::from_grpc(Code::ResourceExhausted, message, None).with_retry(Retry::Backoff)
        }
        Some(_) => ExportError::from_grpc(Code::Internal, message, None),
        None => disconnected(message),
    };
    SendError::Failed(failed.with_source(error))
}

// === impl Http2Connection ===

impl Http2Connection {
    /// Drives the connection until it ends: the peer closes it, all senders are dropped and no stream is open, a ping is
    /// not answered, or several calls were not answered and the grace period for the remaining calls is over.
    pub(crate) async fn drive(
        mut self,
        keepalive: Option<Keepalive>,
        activity: &Activity,
        clock: &dyn Clock,
    ) -> Result<(), h2::Error> {
        let pings = self.h2.ping_pong();
        let watched = async {
            match (keepalive, pings) {
                (Some(keepalive), Some(pings)) => keepalive.watch(pings, activity, clock).await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = self => ended,
            broken = watched => broken,
            () = activity.replaced(clock) => Ok(()),
        }
    }
}

impl Future for Http2Connection {
    type Output = Result<(), h2::Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = Pin::new(&mut self.h2).poll(context);
        match self.io.poll_drain(context) {
            // The connection is broken; dropping it fails its streams.
            Poll::Ready(Err(_)) if ended.is_pending() => Poll::Ready(Ok(())),
            _ => ended,
        }
    }
}

// === impl Keepalive ===

impl Keepalive {
    /// Makes the settings of pings; `None` without `keepalive_interval`.
    pub(crate) fn new(limits: &ClientLimits) -> Option<Self> {
        Some(Self { interval: limits.keepalive_interval?, timeout: limits.keepalive_timeout })
    }

    /// Sends a ping after each interval without an answer in which a call was started. Resolves when a ping is not
    /// answered. A server that is dead when a call starts is found within interval and timeout of that call, however long
    /// calls take.
    async fn watch(
        self,
        mut pings: PingPong,
        activity: &Activity,
        clock: &dyn Clock,
    ) -> Result<(), h2::Error> {
        loop {
            let due = activity.last_heard() + self.interval;
            if clock.now() < due {
                clock.sleep_until(due).await;
                continue;
            }
            if !activity.awaits_answer() {
                clock.sleep(self.interval).await;
                continue;
            }
            tokio::select! {
                pong = pings.ping(Ping::opaque()) => { pong?; activity.heard(clock.now()); }
                () = clock.sleep(self.timeout) => return Ok(()),
            }
        }
    }
}

/// Flow-control windows: the most that a server may make us hold of one answer, and of all answers on a connection.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;
/// Streams opened before the server's SETTINGS are known: the lowest limit that RFC 9113 recommends to servers.
const INITIAL_STREAMS: usize = 100;
/// Limit on headers, and on trailers, of an answer.
const MAX_HEADER_BYTES: u32 = 16 << 10;
/// Bytes of an oversized body read to reach the status in the trailers.
const MAX_DISCARDED_BYTES: usize = 64 << 20;
/// Bytes of a stream that h2 buffers beyond flow control.
const SEND_BUFFER: usize = 1 << 20;
