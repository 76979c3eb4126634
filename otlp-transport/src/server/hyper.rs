//! The protocol engine: hyper for HTTP/1.1, and hyper with h2 for HTTP/2. Within the server, types of hyper and h2 are
//! named only here and in the submodules. Connections reach hyper through a [`Stream`], which observes what hyper does
//! not report.

mod activity;
mod authority;
mod http1;
#[cfg_attr(not(feature = "grpc"), path = "hyper/http2/absent.rs")]
mod http2;
mod open_requests;
mod stream;

pub(super) use http2::ALPN;
pub(super) use stream::Stream;

use super::Protocol;
use super::connection::{Life, Terms};
use super::engine::{BrokenBody, Head, Reply, ReplyBody, ReplyPiece, Request, RequestBody, Service, Version};
use super::http::Fault;
use super::refusals::Reason;
use crate::{Clock, Sleep};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use parking_lot::Mutex;
use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// hyper with its settings.
pub(super) struct Hyper {
    http1: hyper::server::conn::http1::Builder,
    http2: http2::Settings,
}

// === impl Hyper ===

impl Hyper {
    /// `may_be_slow`: requests may have to wait for a slow check of credentials.
    pub(super) fn new(terms: &Terms, protocol: Protocol, may_be_slow: bool) -> Self {
        let http2 = http2::settings(terms, protocol, may_be_slow);
        Self { http1: http1::settings(&terms.limits), http2 }
    }

    /// Serves an HTTP/1.1 connection until it closes.
    pub(super) fn http1<'a, S: Service>(
        &'a self,
        service: &'a Arc<S>,
        stream: Stream,
        life: &'a Life<'_>,
    ) -> impl Future<Output = ()> + Send + 'a {
        http1::serve(&self.http1, service, stream, life)
    }

    /// Serves an HTTP/2 connection until it closes.
    pub(super) fn http2<'a, S: Service>(
        &'a self,
        service: &'a Arc<S>,
        stream: Stream,
        life: &'a Life<'_>,
    ) -> impl Future<Output = ()> + Send + 'a {
        http2::serve(&self.http2, service, stream, life)
    }

    /// Answers a TLS handshake on a cleartext port with 400, and closes the connection.
    pub(super) fn refuse_tls<'a>(stream: Stream, life: &'a Life<'_>) -> impl Future<Output = ()> + Send + 'a {
        http1::refuse(stream, life, "400 Bad Request\n")
    }

    /// Answers HTTP/1.1 with `answer`, a status line and a text, and closes the connection. If `answer` is empty, or the
    /// bytes are not HTTP, the connection is closed without an answer.
    pub(super) async fn refuse_http1(stream: Stream, life: &Life<'_>, answer: &str) {
        if !answer.is_empty() && stream.may_be_http1() {
            http1::refuse(stream, life, answer).await;
        }
    }
}

/// Converts a request of hyper.
fn taken(request: hyper::Request<Incoming>, version: Version, fault: Option<Fault>) -> Request<Incoming> {
    let (head, body) = request.into_parts();
    let http::request::Parts { method, uri: target, headers, .. } = head;
    Request { head: Head { version, method, target, headers, fault }, body }
}

/// Converts a reply for hyper.
fn given(reply: Reply) -> hyper::Response<ReplyBody> {
    let mut response = hyper::Response::new(reply.body);
    (*response.status_mut(), *response.headers_mut()) = (reply.status, reply.headers);
    response
}

/// Counts the end of a connection, and logs the peer's fault.
fn ended(outcome: hyper::Result<()>, life: &Life<'_>) {
    let Err(error) = outcome else { return };
    if error.is_timeout() {
        life.has_timed_out();
    }
    if error.is_parse_too_large() {
        life.heads_refused(1, &error);
    } else if let Some(what) = fault_of_peer(&error) {
        life.is_refused(Reason::Protocol, what);
    }
    tracing::debug!(%error, "connection closed");
}

/// Returns the peer's fault; `None` if the connection ended for another reason, such as the network or the peer's
/// decision.
fn fault_of_peer(error: &hyper::Error) -> Option<String> {
    if let Some(of_http2) = error.source().and_then(http2::fault_of_peer) {
        return of_http2;
    }
    (error.is_parse() && !error.is_incomplete_message()).then(|| format!("HTTP/1.1: {error}"))
}

impl RequestBody for Incoming {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenBody>>> {
        loop {
            match ready!(Pin::new(&mut *self).poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => {
                    let is_gone = error.is_incomplete_message() || error.is_closed() || error.is_canceled();
                    return Poll::Ready(Some(Err(BrokenBody { is_gone, cause: error.into() })));
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) if !bytes.is_empty() => return Poll::Ready(Some(Ok(bytes))),
                    _ => {}
                },
            }
        }
    }

    fn is_at_end(&self) -> bool {
        self.is_end_stream()
    }

    fn remaining(&self) -> Option<u64> {
        self.size_hint().exact()
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = ready!(self.get_mut().poll_piece(cx));
        Poll::Ready(piece.map(|piece| match piece {
            ReplyPiece::Bytes(bytes) => Ok(Frame::data(bytes)),
            ReplyPiece::Trailers(trailers) => Ok(Frame::trailers(trailers)),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.is_at_end()
    }

    fn size_hint(&self) -> SizeHint {
        self.len().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// A [`Clock`] as hyper's timer.
#[derive(Clone)]
struct ClockTimer(Arc<dyn Clock>);

/// A sleep that is `Sync`, as hyper requires. The lock is never contended, since `poll` bypasses it.
struct SyncSleep(Mutex<Sleep>);

impl hyper::rt::Timer for ClockTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(SyncSleep(Mutex::new(self.0.sleep(duration))))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(SyncSleep(Mutex::new(self.0.sleep_until(deadline))))
    }

    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl hyper::rt::Sleep for SyncSleep {}

impl Future for SyncSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().0.get_mut().as_mut().poll(cx)
    }
}

/// Shortest interval between checks of a connection.
const SHORTEST_LOOK: Duration = Duration::from_millis(1);
