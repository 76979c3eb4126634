//! HTTP/2 connections.

use super::{SHORTEST_LOOK, Serve, Service};
use crate::ServerLimits;
use crate::connections::Slot;
use crate::server::ServerStats;
use crate::server::authority::FrameWatch;
use crate::server::body::HTTP2_READ_BUFFER_BYTES;
use crate::server::grpc::{Grpc, ReplyBody};
use crate::server::http::Http;
use crate::server::media_type;
use crate::server::open_requests::OpenRequests;
use crate::server::peer::Peer;
use crate::server::refusals::Reason;
use crate::server::stream::Stream;
use crate::server::timer::ClockTimer;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2::{Builder, Connection};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// What answers a request where both protocols are spoken.
#[expect(clippy::large_enum_variant, reason = "moved once, into the answer, which holds the request anyway")]
enum Answer<G> {
    Grpc(G),
    Http(Request<Incoming>, Arc<Http>, Arc<Peer>),
}

/// A connection that can be told to finish what is under way and close.
trait Finish: Future<Output = hyper::Result<()>> {
    fn finish(self: Pin<&mut Self>);
}

/// Serves a connection until it closes.
pub(super) async fn serve(serve: &Serve, stream: Stream, peer: Arc<Peer>, slot: &Slot) {
    let requests = Arc::new(OpenRequests::default());
    let stream = TokioIo::new(stream.with_frames(FrameWatch::new(Arc::clone(&requests))));
    let begin = || {
        slot.leave();
        requests.begin()
    };
    match &serve.service {
        Service::Grpc(grpc) => {
            let service = service_fn(|request| {
                let (open, answer) = (begin(), grpc.respond(request, &peer));
                async move { answer.await.map(|response| response.map(|body| open.until_sent(body))) }
            });
            let connection = serve.http2.serve_connection(stream, service);
            drive(serve, Box::pin(connection), &requests, &peer, slot).await;
        }
        Service::Http(http) => {
            let service = service_fn(|request| {
                let (open, http, peer) = (begin(), Arc::clone(http), Arc::clone(&peer));
                async move {
                    let response = http.respond(request, &peer).await;
                    Ok::<_, Infallible>(response.map(|body| open.until_sent(body)))
                }
            });
            let connection = serve.http2.serve_connection(stream, service);
            drive(serve, Box::pin(connection), &requests, &peer, slot).await;
        }
        Service::Both(grpc, http) => {
            let service = service_fn(|request| {
                let (open, answer) = (begin(), told_apart(request, grpc, http, &peer));
                async move {
                    let response = match answer {
                        Answer::Grpc(answer) => answer.await?,
                        Answer::Http(request, http, peer) => {
                            http.respond(request, &peer).await.map(ReplyBody::Http)
                        }
                    };
                    Ok::<_, Infallible>(response.map(|body| open.until_sent(body)))
                }
            });
            let connection = serve.http2.serve_connection(stream, service);
            drive(serve, Box::pin(connection), &requests, &peer, slot).await;
        }
    }
    count_refused(serve, &requests, &peer);
}

/// Counts and logs streams whose heads h2 refused by itself, which no service is told of.
fn count_refused(serve: &Serve, requests: &OpenRequests, peer: &Peer) {
    let refused = requests.take_refused();
    if refused > 0 {
        ServerStats::add(&serve.stats().refused_requests, refused);
        ServerStats::add(&serve.stats().refused_headers, refused);
        let what = "HTTP/2: headers malformed or over the limit, or requests reset at once";
        serve.refusals().note(Reason::Headers, refused, Some(peer.address()), what);
    }
}

/// What answers a request: its content type says which protocol it is.
fn told_apart(
    request: Request<Incoming>,
    grpc: &Arc<Grpc>,
    http: &Arc<Http>,
    peer: &Arc<Peer>,
) -> Answer<impl Future<Output = Result<http::Response<ReplyBody>, Infallible>> + Send + use<>> {
    match media_type::is_any_grpc(request.headers()) {
        true => Answer::Grpc(grpc.respond(request, peer)),
        false => Answer::Http(request, Arc::clone(http), Arc::clone(peer)),
    }
}

/// Lets a connection run until it closes: by itself, of age, because it is idle, to make room, or because the server is
/// drained. Boxed, the connection is there once, not in each of the places it is moved through.
async fn drive(
    serve: &Serve,
    mut connection: Pin<Box<impl Finish>>,
    requests: &OpenRequests,
    peer: &Peer,
    slot: &Slot,
) {
    let outcome = tokio::select! {
        biased;
        outcome = connection.as_mut() => outcome,
        () = serve.draining() => {
            connection.as_mut().finish();
            connection.await
        }
        () = serve.aged() => {
            connection.as_mut().finish();
            tokio::select! {
                biased;
                outcome = connection => outcome,
                () = serve.waited(serve.limits().max_connection_age_grace) => return,
            }
        }
        unused = unused(serve, requests, peer, slot) => {
            let (counter, grace) = match unused {
                Unused::Idle => (&serve.stats().timed_out_connections, serve.limits().keepalive_timeout),
                Unused::Evicted => (&serve.stats().evicted_connections, EVICTION_GRACE),
            };
            ServerStats::count(counter);
            connection.as_mut().finish();
            // A request that crossed the GOAWAY is answered; a peer that does not react is not waited for.
            tokio::select! {
                biased;
                _ = connection => {}
                () = silent(serve, requests, grace) => {}
            }
            return;
        }
    };
    serve.ended(outcome, peer);
}

/// Why a connection is told to go away.
enum Unused {
    /// Without a request for `max_connection_idle`.
    Idle,
    /// To make room.
    Evicted,
}

/// Resolves when a connection has been without an open request for too long. Costs nothing while it is idle.
async fn unused(serve: &Serve, requests: &OpenRequests, peer: &Peer, slot: &Slot) -> Unused {
    let limit = serve.limits().max_connection_idle;
    let look = limit.map_or(LONGEST_LOOK, |limit| (limit / 4).clamp(SHORTEST_LOOK, LONGEST_LOOK));
    let mut since = (requests.silence(), serve.clock().now());
    loop {
        tokio::select! {
            biased;
            () = slot.evicted() => return Unused::Evicted,
            () = serve.clock().sleep(look) => {}
        }
        let (silence, now) = (requests.silence(), serve.clock().now());
        if silence.is_none() || silence != since.0 {
            since = (silence, now);
            continue;
        }
        count_refused(serve, requests, peer);
        slot.enter();
        let waited = now.saturating_duration_since(since.1);
        tokio::select! {
            biased;
            () = slot.evicted() => return Unused::Evicted,
            () = slot.used() => since = (None, serve.clock().now()),
            () = serve.waited(limit.map(|limit| limit.saturating_sub(waited))) => return Unused::Idle,
        }
    }
}

/// Resolves when a connection has been without an open request for `limit`, by up to a quarter longer.
async fn silent(serve: &Serve, requests: &OpenRequests, limit: Duration) {
    let mut since = (requests.silence(), serve.clock().now());
    loop {
        serve.clock().sleep((limit / 4).max(SHORTEST_LOOK)).await;
        let (silence, now) = (requests.silence(), serve.clock().now());
        if silence != since.0 {
            since = (silence, now);
        } else if silence.is_some() && now.saturating_duration_since(since.1) >= limit {
            return;
        }
    }
}

impl<S, B> Finish for Connection<TokioIo<Stream>, S, TokioExecutor>
where
    Self: Future<Output = hyper::Result<()>>,
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    TokioExecutor: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

pub(super) fn settings(limits: &ServerLimits, timer: ClockTimer) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .timer(timer)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
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

/// What a peer may send of one request before it is taken up.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// What a peer may send of all requests of a connection before they are taken up.
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// A body in one frame is sliced; a read buffer gets as large as the largest frame.
const MAX_FRAME_BYTES: u32 = HTTP2_READ_BUFFER_BYTES as u32;
/// Rapid reset (CVE-2023-44487): streams that were reset before they were accepted.
const MAX_PENDING_RESETS: usize = 20;
/// MadeYouReset (CVE-2025-8671): streams that the peer made us reset.
const MAX_LOCAL_RESETS: usize = 1024;
/// How soon a connection without requests is known to be idle.
const LONGEST_LOOK: Duration = Duration::from_millis(2500);
/// How long a peer has to close a connection that is to make room.
const EVICTION_GRACE: Duration = Duration::from_secs(1);
