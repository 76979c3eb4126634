//! State of a pool's connections and the choice of one for a request (no I/O, no clock), and the lease of a connection
//! for one request.

use super::{ConnectionPool, Shared, Waiter};
use crate::client::activity::Activity;
use crate::client::attempt::{Answer, AnswerLimits, TimeLimit};
use crate::client::encoding::Outgoing;
use crate::client::greeting::Greeting;
use crate::client::send_error::SendError;
use crate::client::{http1, http2};
use crate::counter;
use crate::{ClientLimits, ExportError};
use bytes::Buf as _;
use http::Request;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Connections of a pool, and the requests that wait for a connection.
pub(super) struct State {
    /// HTTP/2 connections that accept requests.
    pub(super) multiplexed: Vec<Http2Entry>,
    /// HTTP/1.1 connections without a request; the last entry was used last.
    idle: Vec<Idle>,
    /// Number of HTTP/1.1 connections, idle and busy.
    pub(super) open_http1: usize,
    /// Attempts to connect in progress.
    pub(super) connecting: usize,
    /// Requests that wait for a connection, in the order of their arrival.
    pub(super) waiters: VecDeque<Waiter>,
    /// True if connections multiplex; `None` until ALPN has chosen a version on the first connection.
    multiplexes: Option<bool>,
    /// True if a task closes idle connections.
    expiring: bool,
    max_connections: Option<usize>,
    max_waiting: usize,
    max_age: Option<Duration>,
    idle_timeout: Duration,
}

/// An HTTP/2 connection.
pub(super) struct Http2Entry {
    sender: http2::Sender,
    pub(super) activity: Arc<Activity>,
    greeting: Greeting,
    opened: Instant,
}

struct Idle {
    held: Held,
    since: Instant,
}

/// Outcome of asking for a connection.
pub(super) enum Choice {
    Take(Held),
    Wait,
    /// Too many requests wait already.
    Full,
}

/// A connection leased from a [`ConnectionPool`](super::ConnectionPool) for one request. Dropping it returns the
/// connection.
pub struct PooledConnection {
    shared: Arc<Shared>,
    held: Option<Held>,
}

/// The leased connection.
pub(super) enum Held {
    /// A whole connection. `busy` from the start of a request to the end of its answer: a connection dropped while busy
    /// is closed.
    Http1 { sender: http1::Sender, greeting: Greeting, opened: Instant, busy: bool },
    /// A stream of a connection, counted in its activity.
    Http2 { sender: http2::Sender, activity: Arc<Activity>, greeting: Greeting },
}

/// A request on an HTTP/2 connection. Reports its outcome to the connection's activity.
struct Call<'a> {
    shared: &'a Shared,
    activity: &'a Arc<Activity>,
    time: &'a TimeLimit,
}

// === impl State ===

impl State {
    pub(super) fn new(multiplexes: Option<bool>, limits: &ClientLimits) -> Self {
        Self {
            multiplexed: Vec::new(),
            idle: Vec::new(),
            open_http1: 0,
            connecting: 0,
            waiters: VecDeque::new(),
            multiplexes,
            expiring: false,
            max_connections: limits.max_connections.map(|max| max.max(1)),
            max_waiting: limits.max_waiting,
            max_age: limits.max_connection_age,
            idle_timeout: limits.idle_timeout,
        }
    }

    /// Chooses an open connection with capacity.
    pub(super) fn choose(&mut self, now: Instant) -> Choice {
        let max_age = self.max_age;
        // A connection may have received GOAWAY, or be broken, before its task has run.
        self.multiplexed
            .retain_mut(|entry| !entry.is_aged(now, max_age) && http2::is_open(&mut entry.sender));
        let mut waiting = 0;
        for entry in &self.multiplexed {
            match entry.in_flight().checked_sub(entry.streams()) {
                None => return Choice::Take(entry.lease()),
                Some(excess) => waiting += excess,
            }
        }
        while let Some(Idle { held, since }) = self.idle.pop() {
            let expired = now.saturating_duration_since(since) >= self.idle_timeout;
            if !expired && !held.is_aged(now, self.max_age) && !held.is_closed() {
                return Choice::Take(held);
            }
            self.open_http1 -= 1;
        }
        if waiting + self.waiters.len() >= self.max_waiting {
            // Some waiters may have been dropped.
            self.waiters.retain(|waiter| !waiter.is_closed());
            if waiting + self.waiters.len() >= self.max_waiting {
                return Choice::Full;
            }
        }
        match self.roomiest() {
            // h2 holds the request until the server allows another stream.
            Some(entry) if self.open() >= self.limit() => Choice::Take(entry.lease()),
            _ => Choice::Wait,
        }
    }

    /// True if a waiter needs another connection and the limit allows one.
    pub(super) fn wants_connection(&self) -> bool {
        if self.open() + self.connecting >= self.limit() {
            return false;
        }
        let waiting = self.waiters.iter().filter(|waiter| !waiter.is_closed()).count();
        // Until ALPN has chosen a version, one connection is opened.
        self.connecting < if self.multiplexes == Some(false) { waiting } else { waiting.min(1) }
    }

    /// Returns the HTTP/2 connection with the fewest requests beyond its stream limit.
    pub(super) fn roomiest(&self) -> Option<&Http2Entry> {
        self.multiplexed.iter().min_by_key(|entry| entry.in_flight().saturating_sub(entry.streams()))
    }

    /// Records the version that ALPN has chosen.
    pub(super) fn learn(&mut self, multiplexes: bool) {
        self.multiplexes = Some(multiplexes);
    }

    /// Keeps an idle connection. Returns true if a task must be started to close idle connections.
    pub(super) fn keep(&mut self, held: Held, now: Instant) -> bool {
        self.idle.push(Idle { held, since: now });
        !std::mem::replace(&mut self.expiring, true)
    }

    /// Removes connections that are idle for too long or closed by the server. Returns them, and the time of the next
    /// check.
    pub(super) fn expire(&mut self, now: Instant) -> (Vec<Held>, Option<Instant>) {
        let (idle_timeout, mut expired) = (self.idle_timeout, Vec::new());
        for Idle { held, since } in std::mem::take(&mut self.idle) {
            if held.is_closed() || now.saturating_duration_since(since) >= idle_timeout {
                expired.push(held);
            } else {
                self.idle.push(Idle { held, since });
            }
        }
        self.open_http1 -= expired.len();
        self.expiring = !self.idle.is_empty();
        (expired, self.idle.first().map(|oldest| oldest.since + idle_timeout))
    }

    /// Removes all idle connections.
    pub(super) fn take_idle(&mut self) -> Vec<Held> {
        let idle: Vec<_> = std::mem::take(&mut self.idle).into_iter().map(|idle| idle.held).collect();
        self.open_http1 -= idle.len();
        idle
    }

    /// Sends no more requests on the connection.
    pub(super) fn retire(&mut self, activity: &Arc<Activity>) {
        self.multiplexed.retain(|entry| !Arc::ptr_eq(&entry.activity, activity));
    }

    fn open(&self) -> usize {
        self.open_http1 + self.multiplexed.len()
    }

    fn limit(&self) -> usize {
        let default = if self.multiplexes == Some(false) { DEFAULT_MAX_HTTP1 } else { DEFAULT_MAX_HTTP2 };
        self.max_connections.unwrap_or(default)
    }
}

// === impl Http2Entry ===

impl Http2Entry {
    pub(super) fn new(sender: http2::Sender, greeting: Greeting, opened: Instant) -> Self {
        Self { sender, activity: Arc::new(Activity::new(opened)), greeting, opened }
    }

    /// Counts a request in flight and returns its lease.
    pub(super) fn lease(&self) -> Held {
        self.activity.in_flight.fetch_add(1, Ordering::Relaxed);
        let (sender, activity) = (self.sender.clone(), self.activity.clone());
        Held::Http2 { sender, activity, greeting: self.greeting.clone() }
    }

    fn is_aged(&self, now: Instant, max_age: Option<Duration>) -> bool {
        max_age.is_some_and(|max_age| now.saturating_duration_since(self.opened) >= max_age)
    }

    fn in_flight(&self) -> usize {
        self.activity.in_flight.load(Ordering::Relaxed)
    }

    /// Returns the number of concurrent requests that the server allows, at most [`MAX_STREAMS`].
    fn streams(&self) -> usize {
        self.sender.current_max_send_streams().min(MAX_STREAMS)
    }
}

// === impl Held ===

impl Held {
    pub(super) fn http1(sender: http1::Sender, greeting: Greeting, opened: Instant) -> Self {
        Self::Http1 { sender, greeting, opened, busy: false }
    }

    /// True if an HTTP/1.1 connection has been closed.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self, Self::Http1 { sender, .. } if sender.is_closed())
    }

    /// True if an HTTP/1.1 connection has reached the age limit.
    pub(super) fn is_aged(&self, now: Instant, max_age: Option<Duration>) -> bool {
        match (self, max_age) {
            (Self::Http1 { opened, .. }, Some(max_age)) => now.saturating_duration_since(*opened) >= max_age,
            _ => false,
        }
    }
}

// === impl ConnectionPool ===

impl ConnectionPool {
    /// Sends a request and reads the answer. Sends once more, on another connection, if the server cannot have processed
    /// the request.
    pub(crate) async fn exchange(
        &self,
        head: impl Fn(bool) -> Request<()>,
        body: Outgoing,
        limits: AnswerLimits,
        time: &TimeLimit,
    ) -> Result<Answer, ExportError> {
        let stats = self.stats();
        let first = self.get().await?;
        time.connected();
        let bytes = body.remaining() as u64;
        counter::add(&stats.sent_bytes, bytes);
        let error = match first.send(&head, body.clone(), limits, time).await {
            Err(SendError::Unprocessed(_)) => {
                counter::count(&stats.resent_requests);
                let second = self.get_fresh().await?;
                counter::add(&stats.sent_bytes, bytes);
                match second.send(&head, body, limits, time).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => error,
                }
            }
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        Err(match error {
            SendError::Unprocessed(error) | SendError::Failed(error) => error,
        })
    }
}

// === impl PooledConnection ===

impl PooledConnection {
    pub(super) fn new(shared: Arc<Shared>, held: Held) -> Self {
        Self { shared, held: Some(held) }
    }

    /// True if the connection carries other requests at the same time (HTTP/2).
    pub fn is_multiplexed(&self) -> bool {
        matches!(self.held, Some(Held::Http2 { .. }))
    }

    /// Sends a request and reads the answer. `head` makes the request's head; its argument is true for HTTP/2, which
    /// needs an absolute URI.
    async fn send(
        mut self,
        head: impl FnOnce(bool) -> Request<()>,
        body: Outgoing,
        limits: AnswerLimits,
        time: &TimeLimit,
    ) -> Result<Answer, SendError> {
        match &mut self.held {
            Some(Held::Http1 { sender, busy, greeting, .. }) => {
                *busy = true;
                let answer = http1::send(sender, head(false), body, limits, &*self.shared.clock).await;
                *busy = match &answer {
                    // A server that refuses early may leave the rest of the request unread.
                    Ok(answer) => {
                        answer.fault.is_some() || (!answer.status.is_success() && !sender.is_ready())
                    }
                    Err(_) => true,
                };
                answer.map_err(|error| error.explained(self.shared.connector.name(), greeting.mix_up(false)))
            }
            Some(Held::Http2 { sender, activity, greeting }) => {
                let call = Call::start(&self.shared, activity, time);
                let answer = http2::send(sender, head(true), body, limits, &*self.shared.clock).await;
                if http2::is_open(sender) {
                    call.end();
                } else {
                    self.shared.retire(activity);
                }
                answer.map_err(|error| error.explained(self.shared.connector.name(), greeting.mix_up(true)))
            }
            None => Err(SendError::Failed(self.shared.gone())),
        }
    }

    /// Takes the connection out of the lease, which then returns nothing when dropped.
    pub(super) fn take(&mut self) -> Option<Held> {
        self.held.take()
    }
}

impl fmt::Debug for PooledConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PooledConnection")
            .field("endpoint", &self.shared.connector.name())
            .finish_non_exhaustive()
    }
}

impl Drop for PooledConnection {
    fn drop(&mut self) {
        match self.take() {
            Some(Held::Http1 { busy: true, .. }) => Shared::lost_http1(&self.shared),
            Some(held @ Held::Http1 { .. }) => Shared::put_back(&self.shared, held),
            Some(Held::Http2 { activity, .. }) => {
                activity.in_flight.fetch_sub(1, Ordering::Relaxed);
            }
            None => {}
        }
    }
}

// === impl Call ===

impl<'a> Call<'a> {
    fn start(shared: &'a Shared, activity: &'a Arc<Activity>, time: &'a TimeLimit) -> Self {
        activity.call_started();
        Self { shared, activity, time }
    }

    /// Records that the server answered, also if by a reset of the stream.
    fn end(self) {
        self.activity.call_answered(self.shared.clock.now());
    }
}

impl Drop for Call<'_> {
    /// Counts a call that timed out against its connection. `time` has not passed for calls that were answered.
    fn drop(&mut self) {
        if self.time.speaks_against_connection() && self.activity.call_timed_out() {
            tracing::debug!("consecutive calls timed out; the connection is replaced");
            self.shared.retire(self.activity);
        }
    }
}

const DEFAULT_MAX_HTTP1: usize = 100;
const DEFAULT_MAX_HTTP2: usize = 4;
/// Limit for servers that set none.
const MAX_STREAMS: usize = 1024;
