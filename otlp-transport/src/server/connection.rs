//! One connection: which HTTP it speaks, how long it may live, and how it ends.

use super::activity::{Activity, HeadWatch, Phase};
use super::body::READ_BUFFER_BYTES;
use super::gate::UNKNOWN_WINDOW_BYTES;
use super::grpc::{Grpc, ReplyBody};
use super::http::Http;
use super::intake::Intake;
use super::media_type;
use super::open_requests::OpenRequests;
use super::peer::Peer;
use super::stream::{Stream, Version};
use super::timer::ClockTimer;
use super::{Protocol, ServerStats};
use crate::tls::{Accepted, TlsAcceptor};
use crate::{Address, BoxIo, Clock, PeerCertificate, ServerConfig, ServerLimits};
use http::Request;
use http::header::TRANSFER_ENCODING;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Serves connections.
pub(super) struct Serve {
    intake: Arc<Intake>,
    is_draining: watch::Receiver<bool>,
    tls: Option<TlsAcceptor>,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    service: Service,
}

enum Service {
    Grpc(Arc<Grpc>),
    Http(Arc<Http>),
    /// Told apart by the content type.
    Both(Arc<Grpc>, Arc<Http>),
}

/// What answers a request where both are spoken.
#[expect(clippy::large_enum_variant, reason = "moved once, into the answer, which holds the request anyway")]
enum Answer<G> {
    Grpc(G),
    Http(Request<Incoming>, Arc<Http>, Arc<Peer>),
}

/// A connection that can be told to finish what is under way and close.
trait Connection: Future<Output = hyper::Result<()>> {
    fn finish(self: Pin<&mut Self>);
}

impl Serve {
    pub(super) async fn new(
        intake: Arc<Intake>,
        config: &ServerConfig,
        protocol: Protocol,
        tls: Option<TlsAcceptor>,
        is_draining: watch::Receiver<bool>,
    ) -> Self {
        let http1 = http1_settings(&intake.limits);
        let mut http2 = http2_settings(&intake.limits, ClockTimer(Arc::clone(&intake.context.clock)));
        if intake.gate.may_be_slow() {
            http2.initial_stream_window_size(UNKNOWN_WINDOW_BYTES);
        }
        // RFC 9110 §6.6.1 wants one; gRPC has no use for it.
        http2.auto_date_header(protocol != Protocol::Grpc);
        let http = || Arc::new(Http::new(Arc::clone(&intake), config));
        let grpc = async || Arc::new(Grpc::new(Arc::clone(&intake)).await);
        let service = match protocol {
            Protocol::Grpc => Service::Grpc(grpc().await),
            Protocol::Http => Service::Http(http()),
            Protocol::Both => Service::Both(grpc().await, http()),
        };
        Self { intake, is_draining, tls, http1, http2, service }
    }

    pub(super) fn stats(&self) -> &Arc<ServerStats> {
        &self.intake.stats
    }

    pub(super) fn limits(&self) -> &ServerLimits {
        &self.intake.limits
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.intake.context.clock
    }

    /// Requests that never end, such as watching health, end now.
    pub(super) async fn drained(&self) {
        if let Service::Grpc(grpc) | Service::Both(grpc, _) = &self.service {
            grpc.drained().await;
        }
    }

    /// Serves one connection until it closes.
    pub(super) async fn connection(&self, io: BoxIo, address: Address) {
        let slow = self.clock().sleep(self.limits().header_timeout);
        let (version, stream, certificate) = tokio::select! {
            biased;
            begun = self.begin(io) => match begun {
                Ok(begun) => begun,
                Err(_) => return,
            },
            () = slow => return ServerStats::count(&self.stats().timed_out_connections),
        };
        let peer = Arc::new(Peer::new(address, certificate, self.intake.connection_share()));
        match (&self.service, version) {
            (Service::Grpc(grpc), Version::Http2) => {
                let requests = Arc::new(OpenRequests::default());
                let service = service_fn(|request| {
                    let (open, answer) = (requests.begin(), grpc.respond(request, &peer));
                    async move { answer.await.map(|response| response.map(|body| open.until_sent(body))) }
                });
                let connection = self.http2.serve_connection(TokioIo::new(stream), service);
                self.drive(connection, Some(&requests)).await;
            }
            (Service::Grpc(_), Version::Http1) => {}
            (Service::Http(http), Version::Http2) => {
                let requests = Arc::new(OpenRequests::default());
                let service = service_fn(|request| {
                    let (open, http, peer) = (requests.begin(), Arc::clone(http), Arc::clone(&peer));
                    async move {
                        let response = http.respond(request, &peer).await;
                        Ok::<_, Infallible>(response.map(|body| open.until_sent(body)))
                    }
                });
                let connection = self.http2.serve_connection(TokioIo::new(stream), service);
                self.drive(connection, Some(&requests)).await;
            }
            (Service::Both(grpc, http), Version::Http2) => {
                self.http2_of_both(grpc, http, stream, peer).await;
            }
            (Service::Http(http) | Service::Both(_, http), Version::Http1) => {
                self.http1_connection(http, stream, peer).await;
            }
        }
    }

    /// Secures a connection, if that is wanted, and learns what it speaks. Not bounded in time.
    async fn begin(&self, io: BoxIo) -> io::Result<(Version, Stream, Option<PeerCertificate>)> {
        let Accepted { io, certificate } = match &self.tls {
            None => Accepted { io, certificate: None },
            Some(tls) => tls.accept(io).await.inspect_err(|error| {
                ServerStats::count(&self.stats().tls_handshake_errors);
                tracing::debug!(%error, "no TLS came about");
            })?,
        };
        let (version, stream) = Stream::begin(io).await?;
        Ok((version, stream, certificate))
    }

    /// Serves an HTTP/2 connection on which each request says by its content type what it is.
    async fn http2_of_both(&self, grpc: &Arc<Grpc>, http: &Arc<Http>, stream: Stream, peer: Arc<Peer>) {
        let requests = Arc::new(OpenRequests::default());
        let service = service_fn(|request| {
            let open = requests.begin();
            let answer = match media_type::is_any_grpc(request.headers()) {
                true => Answer::Grpc(grpc.respond(request, &peer)),
                false => Answer::Http(request, Arc::clone(http), Arc::clone(&peer)),
            };
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
        let connection = self.http2.serve_connection(TokioIo::new(stream), service);
        self.drive(connection, Some(&requests)).await;
    }

    async fn http1_connection(&self, http: &Arc<Http>, stream: Stream, peer: Arc<Peer>) {
        let activity = Arc::new(Activity::default());
        let stream = stream.watched(HeadWatch::new(Arc::clone(&activity)));
        let service = service_fn(|request| {
            let (is_ambiguous, answering) = activity.answer();
            let is_ambiguous = is_ambiguous && request.headers().contains_key(TRANSFER_ENCODING);
            let (http, peer) = (Arc::clone(http), Arc::clone(&peer));
            async move {
                let response = if is_ambiguous {
                    http.refuse_ambiguous(request.headers(), &peer).await
                } else {
                    http.respond(request, &peer).await
                };
                drop(answering);
                Ok::<_, Infallible>(response)
            }
        });
        let connection = self.http1.serve_connection(TokioIo::new(stream), service);
        tokio::select! {
            biased;
            () = self.drive(connection, None) => {}
            () = self.unused(&activity) => ServerStats::count(&self.stats().timed_out_connections),
        }
    }

    /// Resolves when an HTTP/1.1 connection has been idle, or the head of a request has been coming, for too long: by up
    /// to a quarter longer, since it is looked at four times in that time and costs nothing in between.
    async fn unused(&self, activity: &Activity) {
        let ServerLimits { header_timeout, idle_timeout, .. } = *self.limits();
        let mut since = (activity.now(), self.clock().now());
        loop {
            self.clock().sleep((header_timeout.min(idle_timeout) / 4).max(SHORTEST_LOOK)).await;
            let (moment, now) = (activity.now(), self.clock().now());
            if moment != since.0 {
                since = (moment, now);
            }
            let limit = match moment.phase {
                Phase::Idle => idle_timeout,
                Phase::Head => header_timeout,
                Phase::Busy => continue,
            };
            if now.saturating_duration_since(since.1) >= limit {
                return;
            }
        }
    }

    /// Resolves when an HTTP/2 connection has been without an open request for that long, by up to a quarter longer:
    /// see [`unused`](Self::unused).
    async fn idle(&self, requests: Option<&OpenRequests>, limit: Option<Duration>) {
        let (Some(requests), Some(limit)) = (requests, limit) else { return std::future::pending().await };
        let mut since = (requests.silence(), self.clock().now());
        loop {
            self.clock().sleep((limit / 4).max(SHORTEST_LOOK)).await;
            let (silence, now) = (requests.silence(), self.clock().now());
            if silence != since.0 {
                since = (silence, now);
            } else if silence.is_some() && now.saturating_duration_since(since.1) >= limit {
                return;
            }
        }
    }

    /// Lets a connection run until it closes: of itself, of age, because it is idle (`requests`, on HTTP/2), or because
    /// the server is drained.
    async fn drive(&self, connection: impl Connection, requests: Option<&OpenRequests>) {
        let mut connection = pin!(connection);
        let outcome = tokio::select! {
            biased;
            outcome = connection.as_mut() => outcome,
            () = self.draining() => {
                connection.as_mut().finish();
                connection.await
            }
            () = self.aged() => {
                connection.as_mut().finish();
                tokio::select! {
                    biased;
                    outcome = connection => outcome,
                    () = self.waited(self.limits().max_connection_age_grace) => return,
                }
            }
            () = self.idle(requests, self.limits().max_connection_idle) => {
                ServerStats::count(&self.stats().timed_out_connections);
                connection.as_mut().finish();
                // A request that crossed the GOAWAY is answered; a peer that does not react is not waited for.
                tokio::select! {
                    biased;
                    _ = connection => {}
                    () = self.idle(requests, Some(self.limits().keepalive_timeout)) => {}
                }
                return;
            }
        };
        if let Err(error) = outcome {
            if error.is_timeout() {
                ServerStats::count(&self.stats().timed_out_connections);
            }
            if error.is_parse_too_large() {
                self.stats().count_refused_headers();
            }
            tracing::debug!(%error, "connection closed");
        }
    }

    /// Resolves when the server is drained.
    pub(super) async fn draining(&self) {
        // An error means that the server is gone, which is as good.
        let _ = self.is_draining.clone().wait_for(|draining| *draining).await;
    }

    /// Resolves when a connection that begins now has reached its age: ±10 %, so that connections that came together
    /// do not leave together.
    async fn aged(&self) {
        let age = self.limits().max_connection_age;
        self.waited(age.map(|age| age.mul_f64(0.9 + 0.2 * fastrand::f64()))).await;
    }

    async fn waited(&self, duration: Option<Duration>) {
        match duration {
            Some(duration) => self.clock().sleep(duration).await,
            None => std::future::pending().await,
        }
    }
}

impl<S, B> Connection for http2::Connection<TokioIo<Stream>, S, TokioExecutor>
where
    Self: Future<Output = hyper::Result<()>>,
    S: hyper::service::HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    TokioExecutor: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<S, B> Connection for http1::Connection<TokioIo<Stream>, S>
where
    Self: Future<Output = hyper::Result<()>>,
    S: hyper::service::HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

fn http1_settings(limits: &ServerLimits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // Slow heads are the watch's business: hyper counts idle time as part of them.
    let max_header_bytes = limits.max_header_bytes as usize;
    builder
        .header_read_timeout(None)
        .max_header_size(max_header_bytes)
        .max_buf_size(READ_BUFFER_BYTES.max(max_header_bytes));
    builder
}

fn http2_settings(limits: &ServerLimits, timer: ClockTimer) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
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
const MAX_FRAME_BYTES: u32 = READ_BUFFER_BYTES as u32;
/// However short a limit is, this often looking is enough.
const SHORTEST_LOOK: Duration = Duration::from_millis(1);
/// Rapid reset (CVE-2023-44487): streams that were reset before they were accepted.
const MAX_PENDING_RESETS: usize = 20;
/// MadeYouReset (CVE-2025-8671): streams that the peer made us reset.
const MAX_LOCAL_RESETS: usize = 1024;
