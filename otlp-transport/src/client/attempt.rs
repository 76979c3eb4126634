//! One attempt: its time limit, and sending once more what the server cannot have processed.

use crate::client::answer::{Answer, AnswerLimits};
use crate::client::outgoing::Outgoing;
use crate::client::pool::ConnectionPool;
use crate::client::send_error::SendError;
use crate::client::stats::ClientStats;
use crate::{Clock, ExportError, ExportResult};
use bytes::Buf as _;
use http::Request;
use otlp_protocol::{ErrorKind, Retry};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// When an attempt ends, and why then.
#[derive(Debug)]
pub(crate) struct TimeLimit {
    until: Option<Instant>,
    timeout: Option<Duration>,
    /// Whether the sender's deadline comes before the timeout.
    by_sender: bool,
    /// Whether the time is so long that a connection without an answer is to blame.
    blames_connection: bool,
    has_passed: AtomicBool,
    is_connected: AtomicBool,
}

// === impl TimeLimit ===

impl TimeLimit {
    /// The earlier of `timeout` from now and the batch's `deadline`.
    ///
    /// # Errors
    /// If the deadline has passed: then nothing is sent.
    pub(crate) fn new(
        clock: &dyn Clock,
        timeout: Option<Duration>,
        deadline: Option<Instant>,
    ) -> Result<Self, ExportError> {
        let now = clock.now();
        let own = timeout.and_then(|timeout| now.checked_add(timeout));
        let by_sender = deadline.is_some_and(|deadline| own.is_none_or(|own| deadline < own));
        let until = if by_sender { deadline } else { own };
        let blames_connection =
            !by_sender || until.is_some_and(|until| until.saturating_duration_since(now) >= BLAMING_TIME);
        let limit = Self {
            until,
            timeout,
            by_sender,
            blames_connection,
            has_passed: AtomicBool::new(false),
            is_connected: AtomicBool::new(false),
        };
        if limit.by_sender && deadline.is_some_and(|deadline| deadline <= now) {
            Err(deadline_passed())
        } else {
            Ok(limit)
        }
    }

    /// When the attempt ends; `None`: no limit.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// What is left of it, if it is the sender's own.
    pub(crate) fn left_of_deadline(&self, clock: &dyn Clock) -> Option<Duration> {
        self.until.filter(|_| self.by_sender).map(|until| until.saturating_duration_since(clock.now()))
    }

    /// Runs an attempt to reach `endpoint`, but not beyond the limit.
    pub(crate) async fn run(
        &self,
        clock: &dyn Clock,
        endpoint: &str,
        attempt: impl Future<Output = ExportResult>,
    ) -> ExportResult {
        let Some(until) = self.until else { return attempt.await };
        // Dropped after the flag is set, which the connection looks at.
        let mut attempt = std::pin::pin!(attempt);
        tokio::select! {
            biased;
            result = &mut attempt => result,
            () = clock.sleep_until(until) => {
                self.has_passed.store(true, Ordering::Relaxed);
                Err(self.passed(endpoint))
            }
        }
    }

    /// Whether an attempt that is dropped now speaks against its connection.
    pub(crate) fn speaks_against_connection(&self) -> bool {
        self.blames_connection && self.has_passed.load(Ordering::Relaxed)
    }

    fn passed(&self, endpoint: &str) -> ExportError {
        let missing = if self.is_connected.load(Ordering::Relaxed) { "answer from" } else { "connection to" };
        let message = match self.timeout {
            Some(timeout) if !self.by_sender => {
                format!("no {missing} {endpoint} within {timeout:?} (timeout)")
            }
            _ => format!("no {missing} {endpoint} before the sender's deadline"),
        };
        ExportError::new(ErrorKind::Timeout, Retry::Backoff, message)
    }
}

fn deadline_passed() -> ExportError {
    ExportError::new(ErrorKind::Timeout, Retry::Backoff, "the sender's deadline has passed")
}

/// Sends a request and reads the answer; once more, on another connection, if the server cannot have processed it.
pub(crate) async fn exchange(
    pool: &ConnectionPool,
    head: impl Fn(bool) -> Request<()>,
    body: Outgoing,
    limits: AnswerLimits,
    time: &TimeLimit,
) -> Result<Answer, ExportError> {
    let first = pool.get().await?;
    time.is_connected.store(true, Ordering::Relaxed);
    let bytes = body.remaining() as u64;
    ClientStats::add(&pool.stats().sent_bytes, bytes);
    let error = match first.send(&head, body.clone(), limits, time).await {
        Err(SendError::Unprocessed(_)) => {
            ClientStats::count(&pool.stats().resent_requests);
            let second = pool.get_fresh().await?;
            ClientStats::add(&pool.stats().sent_bytes, bytes);
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

/// A sender's deadline that is shorter than this tells nothing of the connection.
const BLAMING_TIME: Duration = Duration::from_secs(1);
