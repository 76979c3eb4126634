//! A connection on loan from a pool, for one request; and the exchange of a request for an answer.

use super::{ConnectionPool, Shared};
use crate::ExportError;
use crate::client::attempt::{Answer, AnswerLimits, TimeLimit};
use crate::client::connect::Greeting;
use crate::client::encoding::Outgoing;
use crate::client::send_error::SendError;
use crate::client::{http1, http2};
use crate::counter;
use bytes::Buf as _;
use http::Request;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A connection on loan from a [`ConnectionPool`](super::ConnectionPool), good for one request; goes back when dropped.
pub struct PooledConnection {
    shared: Arc<Shared>,
    held: Option<Held>,
}

/// What is on loan.
pub(super) enum Held {
    /// A whole connection. `busy` from the start of a request to the end of its answer: what is dropped in between is lost.
    Http1 { sender: http1::Sender, greeting: Greeting, opened: Instant, busy: bool },
    /// A share of one, counted in its activity.
    Http2 { sender: http2::Sender, activity: Arc<http2::Activity>, greeting: Greeting },
}

/// A request on an HTTP/2 connection: tells the connection's activity how it ended.
struct Call<'a> {
    shared: &'a Shared,
    activity: &'a Arc<http2::Activity>,
    time: &'a TimeLimit,
}

// === impl ConnectionPool ===

impl ConnectionPool {
    /// Sends a request and reads the answer; once more, on another connection, if the server cannot have processed it.
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

    /// Whether it carries other requests at the same time: HTTP/2.
    pub fn is_multiplexed(&self) -> bool {
        matches!(self.held, Some(Held::Http2 { .. }))
    }

    /// Sends a request and reads the answer. `head` makes the request's head, for HTTP/2 (true) with an absolute URI.
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

    /// Takes out what is on loan; then dropping gives nothing back.
    pub(super) fn take(&mut self) -> Option<Held> {
        self.held.take()
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
    fn start(shared: &'a Shared, activity: &'a Arc<http2::Activity>, time: &'a TimeLimit) -> Self {
        activity.call_started();
        Self { shared, activity, time }
    }

    /// The server has answered, if only by resetting the stream.
    fn end(self) {
        self.activity.call_answered(self.shared.clock.now());
    }
}

impl Drop for Call<'_> {
    /// Of a call that was answered, its time has not passed.
    fn drop(&mut self) {
        if self.time.speaks_against_connection() && self.activity.call_timed_out() {
            tracing::debug!("several calls in a row timed out; the connection is replaced");
            self.shared.retire(self.activity);
        }
    }
}

// === impl Held ===

impl Held {
    pub(super) fn http1(sender: http1::Sender, greeting: Greeting, opened: Instant) -> Self {
        Self::Http1 { sender, greeting, opened, busy: false }
    }

    /// Whether an HTTP/1.1 connection has been closed.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self, Self::Http1 { sender, .. } if sender.is_closed())
    }

    /// Whether an HTTP/1.1 connection has reached that age.
    pub(super) fn is_aged(&self, now: Instant, max_age: Option<Duration>) -> bool {
        match (self, max_age) {
            (Self::Http1 { opened, .. }, Some(max_age)) => now.saturating_duration_since(*opened) >= max_age,
            _ => false,
        }
    }
}
