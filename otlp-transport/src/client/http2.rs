//! HTTP/2 connections: many requests at once on each. On h2 itself rather than hyper's client: a request takes no task
//! and no channel of its own, and errors say whether the server saw it.

use crate::client::answer::{Answer, BodyBuffer};
use crate::client::coalesce::Coalescing;
use crate::client::outgoing::Outgoing;
use crate::client::send_error::SendError;
use crate::{BoxIo, ClientLimits, Clock};
use h2::client::{Builder, Connection, SendRequest};
use h2::{Ping, PingPong};
use http::Request;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// The sending end of a connection.
pub(crate) type Sender = SendRequest<Outgoing>;

/// What goes on at a connection, as far as keepalive and the pool must know. Counters only.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    /// Requests under way.
    pub(crate) in_flight: AtomicUsize,
    /// Answers received.
    pub(crate) answers: AtomicUsize,
}

/// When to ping, and how long to wait for the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keepalive {
    interval: Duration,
    timeout: Duration,
}

/// An open connection, which does nothing unless driven.
pub(crate) struct Http2Connection {
    h2: Connection<Coalescing, Outgoing>,
    io: Coalescing,
}

/// Starts HTTP/2 with prior knowledge, or after ALPN chose it.
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

/// Sends a request and reads its answer. Cancel-safe: dropping it resets the stream.
pub(crate) async fn send(
    sender: &mut Sender,
    request: Request<()>,
    body: Outgoing,
    max_answer_bytes: usize,
) -> Result<Answer, SendError> {
    let (response, mut stream) = match sender.send_request(request, false) {
        Ok(opened) => opened,
        // Nothing of it has been sent.
        Err(error) => {
            return Err(match SendError::from_h2(error) {
                SendError::Failed(error) => SendError::Unprocessed(error),
                other => other,
            });
        }
    };
    // The body is in memory already: h2 holds it while flow control lets it go.
    // Fails only if the stream is gone, which the answer tells.
    let _ = stream.send_data(body, true);
    drop(stream);
    let (head, mut incoming) = response.await.map_err(SendError::from_h2)?.into_parts();
    let mut body = BodyBuffer::new(max_answer_bytes);
    while let Some(chunk) = incoming.data().await {
        let chunk = chunk.map_err(SendError::from_h2)?;
        // Fails only if the stream is gone, which the next read tells.
        let _ = incoming.flow_control().release_capacity(chunk.len());
        body.push(chunk)?;
    }
    let trailers = incoming.trailers().await.map_err(SendError::from_h2)?;
    Ok(Answer { status: head.status, headers: head.headers, body: body.finish(), trailers })
}

/// Whether the connection takes new requests: not after a GOAWAY, nor when it is broken.
pub(crate) fn is_open(sender: &mut Sender) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    !matches!(sender.poll_ready(&mut context), Poll::Ready(Err(_)))
}

// === impl Http2Connection ===

impl Http2Connection {
    /// Drives the connection to its end: until the peer closes it, or nobody holds a sender and no stream is open, or a
    /// ping goes unanswered.
    pub(crate) async fn drive(
        mut self,
        keepalive: Option<Keepalive>,
        activity: &Activity,
        clock: &dyn Clock,
    ) -> Result<(), h2::Error> {
        match (keepalive, self.h2.ping_pong()) {
            (Some(keepalive), Some(pings)) => tokio::select! {
                ended = self => ended,
                broken = keepalive.watch(pings, activity, clock) => broken,
            },
            _ => self.await,
        }
    }
}

impl Future for Http2Connection {
    type Output = Result<(), h2::Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = Pin::new(&mut self.h2).poll(context);
        match self.io.poll_drain(context) {
            // It is of no more use; dropping it fails its streams.
            Poll::Ready(Err(_)) if ended.is_pending() => Poll::Ready(Ok(())),
            _ => ended,
        }
    }
}

// === impl Keepalive ===

impl Keepalive {
    /// What the limits say, if they want pings at all.
    pub(crate) fn new(limits: &ClientLimits) -> Option<Self> {
        Some(Self { interval: limits.keepalive_interval?, timeout: limits.keepalive_timeout })
    }

    /// Pings while requests are in flight and no answers come; resolves when a ping goes unanswered.
    async fn watch(
        self,
        mut pings: PingPong,
        activity: &Activity,
        clock: &dyn Clock,
    ) -> Result<(), h2::Error> {
        let mut answers = 0;
        loop {
            clock.sleep(self.interval).await;
            let seen = std::mem::replace(&mut answers, activity.answers.load(Ordering::Relaxed));
            if activity.in_flight.load(Ordering::Relaxed) == 0 || seen != answers {
                continue;
            }
            tokio::select! {
                pong = pings.ping(Ping::opaque()) => { pong?; }
                () = clock.sleep(self.timeout) => return Ok(()),
            }
        }
    }
}

/// Answers are small; a server may not make us hold more than this of one, or of all on a connection.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;
/// Streams opened before the server's SETTINGS are known: the least that RFC 9113 recommends servers to allow.
const INITIAL_STREAMS: usize = 100;
/// Headers, or trailers, of an answer.
const MAX_HEADER_BYTES: u32 = 16 << 10;
/// How much of a stream h2 takes from flow control at once.
const SEND_BUFFER: usize = 1 << 20;
