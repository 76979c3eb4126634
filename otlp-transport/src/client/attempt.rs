//! One attempt: its time limit, and sending once more what the server cannot have processed.

use crate::client::answer::Answer;
use crate::client::outgoing::Outgoing;
use crate::client::pool::ConnectionPool;
use crate::client::send_error::SendError;
use crate::client::stats::ClientStats;
use crate::{Clock, ExportError, ExportResult};
use http::Request;
use otlp_protocol::{ErrorKind, Retry};
use std::time::{Duration, Instant};

/// When an attempt ends, and why then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeLimit {
    until: Option<Instant>,
    timeout: Option<Duration>,
    /// Whether the sender's deadline comes before the timeout.
    by_sender: bool,
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
        let until = timeout.and_then(|timeout| now.checked_add(timeout));
        let limit = match (until, deadline) {
            (Some(until), Some(deadline)) if until <= deadline => {
                Self { until: Some(until), timeout, by_sender: false }
            }
            (until, None) => Self { until, timeout, by_sender: false },
            (_, deadline) => Self { until: deadline, timeout, by_sender: true },
        };
        if limit.by_sender && deadline.is_some_and(|deadline| deadline <= now) {
            Err(limit.passed())
        } else {
            Ok(limit)
        }
    }

    /// What is left of it, if it is the sender's own.
    pub(crate) fn left_of_deadline(&self, clock: &dyn Clock) -> Option<Duration> {
        self.until.filter(|_| self.by_sender).map(|until| until.saturating_duration_since(clock.now()))
    }

    /// Runs the attempt, but not beyond the limit.
    pub(crate) async fn run(
        &self,
        clock: &dyn Clock,
        attempt: impl Future<Output = ExportResult>,
    ) -> ExportResult {
        let Some(until) = self.until else { return attempt.await };
        tokio::select! {
            biased;
            result = attempt => result,
            () = clock.sleep_until(until) => Err(self.passed()),
        }
    }

    fn passed(&self) -> ExportError {
        let message = match self.timeout {
            Some(timeout) if !self.by_sender => format!("no answer within {timeout:?} (timeout)"),
            _ => "the sender's deadline has passed".into(),
        };
        ExportError::new(ErrorKind::Timeout, Retry::Backoff, message)
    }
}

/// Sends a request and reads the answer; once more, on another connection, if the server cannot have processed it.
pub(crate) async fn exchange(
    pool: &ConnectionPool,
    head: impl Fn(bool) -> Request<()>,
    body: Outgoing,
    max_answer_bytes: usize,
) -> Result<Answer, ExportError> {
    let first = pool.get().await?;
    let error = match first.send(&head, body.clone(), max_answer_bytes).await {
        Err(SendError::Unprocessed(_)) => {
            ClientStats::count(&pool.stats().resent_requests);
            let second = pool.get_fresh().await?;
            match second.send(&head, body, max_answer_bytes).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            }
        }
        Ok(answer) => return Ok(answer),
        Err(error) => error,
    };
    Err(match error {
        SendError::Unprocessed(error) | SendError::Failed(error) => error,
        SendError::Oversized(limit) => oversized(pool.stats(), limit),
    })
}

/// OTLP §Response size: not retryable, and counted.
pub(crate) fn oversized(stats: &ClientStats, limit: usize) -> ExportError {
    ClientStats::count(&stats.oversized_answers);
    let message = format!("the answer is over {limit} bytes (max_response_bytes)");
    ExportError::new(ErrorKind::TooLarge, Retry::Never, message)
}
