//! HTTP/1.1 connections. An idle connection is parked: hyper's state and read buffer are dropped until the next bytes
//! arrive.

use super::activity::{Activity, HeadWatch, Phase};
use super::stream::Stream;
use super::{SHORTEST_LOOK, ended, given, taken};
use crate::ServerLimits;
use crate::server::connection::Life;
use crate::server::engine::{ReplyBody, Service, Version};
use crate::server::http::Fault;
use crate::server::refusals::Reason;
use http::header::{CONNECTION, HeaderValue};
use hyper::body::Incoming;
use hyper::server::conn::http1::{Builder, Connection};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;

/// Serves a connection until it closes.
pub(super) async fn serve<S: Service>(settings: &Builder, service: &Arc<S>, stream: Stream, life: &Life<'_>) {
    let terms = life.terms();
    let activity = Arc::new(Activity::default());
    let mut stream = stream.with_heads(HeadWatch::new(Arc::clone(&activity)));
    let mut aged = pin!(life.aged());
    loop {
        let requests = Box::pin(requests(settings, service, stream, &activity, life, aged.as_mut()));
        let Some((parked, idle)) = requests.await else { return };
        stream = parked;
        life.is_idle();
        tokio::select! {
            biased;
            is_open = stream.readable() => match is_open {
                true => continue,
                false => break,
            },
            () = life.evicted() => life.makes_room(),
            () = life.draining() => {}
            () = aged.as_mut() => {}
            () = terms.clock.sleep(terms.limits.idle_timeout.saturating_sub(idle)) => life.has_timed_out(),
        }
        break;
    }
    stream.close_write().await;
}

/// Answers requests until none has come for a while. Returns the connection and its idle time; `None` if the connection
/// is closed.
async fn requests<S: Service>(
    settings: &Builder,
    service: &Arc<S>,
    stream: Stream,
    activity: &Arc<Activity>,
    life: &Life<'_>,
    aged: Pin<&mut impl Future<Output = ()>>,
) -> Option<(Stream, Duration)> {
    let service = service_fn(|request: hyper::Request<Incoming>| {
        life.is_busy();
        let (may_have_two_lengths, answering) = activity.answer();
        let fault = Fault::of(request.version(), request.headers(), may_have_two_lengths);
        let reply = service.respond(taken(request, Version::Http1, fault), life.peer());
        async move {
            let mut response = given(reply.await);
            if life.is_retiring() {
                // A peer that is about to write its next request is not cut off: that one is answered, and told to go.
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            drop(answering);
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = settings.serve_connection(TokioIo::new(stream), service);
    let outcome = tokio::select! {
        biased;
        outcome = drive(life, &mut connection, aged) => outcome?,
        unused = unused(life, activity) => {
            let idle = match unused {
                Unused::Idle(idle) => idle,
                Unused::Slow(what) => {
                    life.is_refused(Reason::Slow, what);
                    return None;
                }
            };
            let parts = connection.into_parts();
            let mut stream = parts.io.into_inner();
            stream.put_back(&parts.read_buf);
            return Some((stream, idle));
        }
    };
    let is_answered = outcome.as_ref().map_or_else(hyper::Error::is_parse, |()| true);
    ended(outcome, life);
    let stream = connection.into_parts().io.into_inner();
    if is_answered && stream.is_amid_request() {
        linger(stream, life).await;
    }
    None
}

/// Runs a connection until it closes: by itself, at its maximum age, or when the server is drained. `None` if the
/// connection is cut off.
async fn drive<S>(
    life: &Life<'_>,
    connection: &mut Connection<TokioIo<Stream>, S>,
    aged: Pin<&mut impl Future<Output = ()>>,
) -> Option<hyper::Result<()>>
where
    S: HttpService<Incoming, ResBody = ReplyBody, Error = Infallible>,
{
    let mut connection = Pin::new(connection);
    tokio::select! {
        biased;
        outcome = connection.as_mut() => Some(outcome),
        () = life.draining() => {
            connection.as_mut().graceful_shutdown();
            Some(connection.await)
        }
        () = aged => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                biased;
                outcome = connection => Some(outcome),
                () = life.aged_grace() => None,
            }
        }
    }
}

/// Reason not to wait for a connection.
enum Unused {
    /// No request is in flight for this long, and no bytes are left to write.
    Idle(Duration),
    /// A request's head arrives too slowly, or the peer reads an answer too slowly; with the text for the log.
    Slow(&'static str),
}

/// Resolves when a connection has been idle for a while, or a head arrives too slowly. Up to a quarter later than the
/// limits, since the connection is checked four times within a limit and costs nothing in between.
async fn unused(life: &Life<'_>, activity: &Activity) -> Unused {
    let terms = life.terms();
    let ServerLimits { header_timeout, idle_timeout, .. } = terms.limits;
    let mut since = (activity.now(), terms.clock.now());
    loop {
        terms.clock.sleep((header_timeout.min(idle_timeout) / 4).max(SHORTEST_LOOK)).await;
        let (moment, now) = (activity.now(), terms.clock.now());
        if moment != since.0 {
            since = (moment, now);
            continue;
        }
        let waited = now.saturating_duration_since(since.1);
        let (limit, slow) = match moment.phase {
            Phase::Idle if !activity.is_writing() => return Unused::Idle(waited),
            Phase::Idle => (idle_timeout, "an answer was not read within idle_timeout"),
            Phase::Head => (header_timeout, "the head of a request was not complete within header_timeout"),
            Phase::Busy => continue,
        };
        if waited >= limit {
            return Unused::Slow(slow);
        }
    }
}

/// Answers the first request of a connection that is not served, and closes the connection. The first line of `answer`
/// is the status, the rest the body.
pub(super) async fn refuse(mut stream: Stream, life: &Life<'_>, answer: &str) {
    let (status, text) = answer.split_once('\n').unwrap_or((answer, ""));
    let len = text.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: {len}\r\n\r\n{text}"
    );
    // Fails if the peer has closed the connection, and then nobody reads the answer.
    let _ = stream.write_all(answer.as_bytes()).await;
    linger(stream, life).await;
}

/// Reads for a while after the last answer. A connection closed with unread bytes is reset, and the peer may lose the
/// answer. RFC 9112 §9.6.
async fn linger(mut stream: Stream, life: &Life<'_>) {
    let terms = life.terms();
    life.is_idle();
    stream.close_write().await;
    let max_bytes = terms.limits.max_request_bytes.saturating_mul(LINGER_SHARE).max(MIN_LINGER_BYTES);
    tokio::select! {
        biased;
        () = stream.discard(max_bytes) => {}
        () = terms.clock.sleep(LINGER_TIME) => {}
        () = life.evicted() => {}
    }
}

pub(super) fn settings(limits: &ServerLimits) -> Builder {
    let mut builder = Builder::new();
    let max_header_bytes = limits.max_header_bytes as usize;
    // `unused` limits the time of heads: hyper would count idle time as part of a head. A peer that has closed its
    // sending side still gets an answer.
    builder
        .header_read_timeout(None)
        .half_close(true)
        .max_header_size(max_header_bytes)
        .max_buf_size(Version::Http1.read_buffer_bytes().max(max_header_bytes));
    builder
}

/// More bytes than a client's socket buffers hold, also if only small requests are allowed.
const MIN_LINGER_BYTES: usize = 4 << 20;
const LINGER_TIME: Duration = Duration::from_secs(5);
/// Factor on the largest request: a client refused for size has rarely sent a multiple of it.
const LINGER_SHARE: usize = 4;
