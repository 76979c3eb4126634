//! HTTP/2 connections, and the requests open on them.

use super::authority::FrameWatch;
use super::open_requests::{OpenRequest, OpenRequests};
use super::stream::Stream;
use super::{ClockTimer, SHORTEST_LOOK, ended, given, taken};
use crate::server::Protocol;
use crate::server::connection::{Life, Terms};
use crate::server::engine::{ReplyBody, Service, Version};
use crate::server::peer::UNKNOWN_WINDOW_BYTES;
use crate::tls::Alpn;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http2::{Builder, Connection};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// hyper's settings.
pub(super) type Settings = Builder<TokioExecutor>;

/// HTTP versions that servers of OTLP/HTTP accept in ALPN.
pub(in crate::server) const ALPN: Alpn = Alpn::Any;

/// Body of a reply. Keeps its request open while the body is sent: watching health takes long.
struct OpenBody {
    body: ReplyBody,
    _open: OpenRequest,
}

/// A connection that can be told to finish open requests and close.
trait Finish: Future<Output = hyper::Result<()>> {
    fn finish(self: Pin<&mut Self>);
}

/// Serves a connection until it closes.
pub(super) async fn serve<S: Service>(
    settings: &Settings,
    service: &Arc<S>,
    stream: Stream,
    life: &Life<'_>,
) {
    let requests = Arc::new(OpenRequests::default());
    let stream = TokioIo::new(stream.with_frames(FrameWatch::new(Arc::clone(&requests))));
    let service = service_fn(|request: hyper::Request<Incoming>| {
        life.is_busy();
        let open = requests.begin();
        let reply = service.respond(taken(request, Version::Http2, None), life.peer());
        async move {
            let response = given(reply.await);
            Ok::<_, Infallible>(response.map(|body| OpenBody { body, _open: open }))
        }
    });
    let connection = settings.serve_connection(stream, service);
    drive(life, Box::pin(connection), &requests).await;
    count_refused(life, &requests);
}

/// Counts and logs streams whose heads h2 refused by itself: no service sees such a stream.
fn count_refused(life: &Life<'_>, requests: &OpenRequests) {
    let refused = requests.take_refused();
    if refused > 0 {
        life.heads_refused(refused, "HTTP/2: headers malformed or over the limit, or requests reset at once");
    }
}

/// Runs a connection until it closes: by itself, at its maximum age, because it is idle, to make room for another, or
/// because the server retires or is drained. The connection is boxed, so that the futures it moves through do not each
/// reserve its size.
async fn drive(life: &Life<'_>, mut connection: Pin<Box<impl Finish>>, requests: &OpenRequests) {
    let outcome = tokio::select! {
        biased;
        outcome = connection.as_mut() => outcome,
        () = life.terms().retiring() => {
            connection.as_mut().finish();
            connection.await
        }
        () = life.aged() => {
            connection.as_mut().finish();
            tokio::select! {
                biased;
                outcome = connection => outcome,
                () = life.aged_grace() => return,
            }
        }
        unused = unused(life, requests) => {
            let grace = match unused {
                Unused::Idle => {
                    life.has_timed_out();
                    life.terms().limits.keepalive_timeout
                }
                Unused::Evicted => {
                    life.makes_room();
                    EVICTION_GRACE
                }
            };
            connection.as_mut().finish();
            // A request that crossed the GOAWAY is answered. A peer that does not react is closed after the grace period.
            tokio::select! {
                biased;
                _ = connection => {}
                () = silent(life.terms(), requests, grace) => {}
            }
            return;
        }
    };
    ended(outcome, life);
}

/// Reason to close a connection.
enum Unused {
    /// No request for `max_connection_idle`.
    Idle,
    /// To make room for another connection.
    Evicted,
}

/// Resolves when a connection has been without an open request for too long. Costs nothing while the connection is idle.
async fn unused(life: &Life<'_>, requests: &OpenRequests) -> Unused {
    let terms = life.terms();
    let limit = terms.limits.max_connection_idle;
    let look = limit.map_or(LONGEST_LOOK, |limit| (limit / 4).clamp(SHORTEST_LOOK, LONGEST_LOOK));
    let mut since = (requests.silence(), terms.clock.now());
    loop {
        tokio::select! {
            biased;
            () = life.evicted() => return Unused::Evicted,
            () = terms.clock.sleep(look) => {}
        }
        let (silence, now) = (requests.silence(), terms.clock.now());
        if silence.is_none() || silence != since.0 {
            since = (silence, now);
            continue;
        }
        count_refused(life, requests);
        life.is_idle();
        let waited = now.saturating_duration_since(since.1);
        tokio::select! {
            biased;
            () = life.evicted() => return Unused::Evicted,
            () = life.used() => since = (None, terms.clock.now()),
            () = terms.waited(limit.map(|limit| limit.saturating_sub(waited))) => return Unused::Idle,
        }
    }
}

/// Resolves when a connection has been without an open request for `limit`, up to a quarter later.
async fn silent(terms: &Terms, requests: &OpenRequests, limit: Duration) {
    let mut since = (requests.silence(), terms.clock.now());
    loop {
        terms.clock.sleep((limit / 4).max(SHORTEST_LOOK)).await;
        let (silence, now) = (requests.silence(), terms.clock.now());
        if silence != since.0 {
            since = (silence, now);
        } else if silence.is_some() && now.saturating_duration_since(since.1) >= limit {
            return;
        }
    }
}

/// Returns the peer's fault on a connection that ended with `cause`. `None` if `cause` is not h2's error; `Some(None)` if
/// the connection ended for another reason.
pub(super) fn fault_of_peer(cause: &(dyn Error + 'static)) -> Option<Option<String>> {
    let h2 = cause.downcast_ref::<h2::Error>()?;
    let is_ours = h2.is_library() && h2.reason().is_some_and(|reason| reason != h2::Reason::NO_ERROR);
    Some(is_ours.then(|| format!("HTTP/2: {h2}")))
}

// === impl OpenBody ===

impl Body for OpenBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<S, B> Finish for Connection<TokioIo<Stream>, S, TokioExecutor>
where
    Self: Future<Output = hyper::Result<()>>,
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    TokioExecutor: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// `may_be_slow`: requests may have to wait until it is known who sent them.
pub(super) fn settings(terms: &Terms, protocol: Protocol, may_be_slow: bool) -> Settings {
    let limits = &terms.limits;
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .timer(ClockTimer(Arc::clone(&terms.clock)))
        // RFC 9110 §6.6.1 requires a date; gRPC does not use it.
        .auto_date_header(protocol != Protocol::Grpc)
        .initial_stream_window_size(if may_be_slow { UNKNOWN_WINDOW_BYTES } else { STREAM_WINDOW_BYTES })
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(MAX_FRAME_BYTES)
        .max_concurrent_streams(limits.max_concurrent_streams)
        .max_header_list_size(limits.max_header_bytes)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_LOCAL_RESETS)
        .keep_alive_interval(limits.keepalive_interval)
        .keep_alive_timeout(limits.keepalive_timeout);
    builder
}

/// Bytes that a peer may send of one request before the server reads it.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// Bytes that a peer may send of all requests of a connection before the server reads them.
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// A body in one frame is sliced without a copy; a read buffer gets as large as the largest frame.
const MAX_FRAME_BYTES: u32 = Version::Http2.read_buffer_bytes() as u32;
/// Rapid reset (CVE-2023-44487): limit on streams reset before they were accepted.
const MAX_PENDING_RESETS: usize = 20;
/// MadeYouReset (CVE-2025-8671): limit on streams that the peer made the server reset.
const MAX_LOCAL_RESETS: usize = 1024;
/// Longest interval between checks whether a connection is idle.
const LONGEST_LOOK: Duration = Duration::from_millis(2500);
/// Time that a peer has to close a connection that makes room for another.
const EVICTION_GRACE: Duration = Duration::from_secs(1);
