//! Exports of one signal to a destination: attempts and retries, with their metrics, health check and log lines about failures and
//! lost items.
//!
//! Each kind of line is written once a minute at most, with the counts since the last line: a destination that is down must not
//! fill the disk.

mod pace;

pub(crate) use pace::{Losses, Outage};

use crate::batch::AttemptFeedback;
use crate::health::Reachability;
use crate::ledger::DropReason;
use crate::own_spans::OwnSpans;
use crate::retry::{ExponentialBackoffRetry, PartlyDelivered};
use crate::telemetry::ExporterStats;
use otlp_protocol::{Batch, Count, Retry, Signal};
use otlp_transport::{Attempt, BoxAttempt, Clock, Export, ExportError, ExportResult};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Exports with retries, for one signal of an exporter.
pub(crate) struct SignalExporter {
    pub(crate) retry: ExponentialBackoffRetry<WatchedAttempt>,
    pub(crate) stats: Arc<ExporterStats>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) spans: OwnSpans,
}

/// Makes attempts, and reports their outcomes to metrics, health check and log.
pub(crate) struct WatchedAttempt {
    pub(crate) client: BoxAttempt,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stats: Arc<ExporterStats>,
    pub(crate) feedback: AttemptFeedback,
    pub(crate) reachability: Arc<Reachability>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) spans: OwnSpans,
}

/// Writes log lines about failed attempts and lost items.
pub(crate) struct Watch {
    exporter: String,
    signal: Signal,
    /// `host:port`; empty if unknown.
    endpoint: String,
    /// Senders wait for the destination's answer.
    end_to_end: bool,
    clock: Arc<dyn Clock>,
    /// Number of batches in the queue, if there is a queue.
    queued: OnceLock<Box<dyn Fn() -> usize + Send + Sync>>,
    /// The last attempt failed. Read with each attempt, written when it changes.
    is_failing: AtomicBool,
    outage: Mutex<Outage>,
    losses: Mutex<[Losses; Loss::ALL]>,
}

/// Reason for which items do not arrive.
#[derive(Clone, Copy)]
enum Loss {
    Permanent,
    QueueFull,
    /// Not lost: the senders still have the items.
    Refused,
    Rejected,
    RetriesExhausted,
    TooLarge,
}

// === impl SignalExporter ===

impl Export for SignalExporter {
    async fn export(&self, mut batch: Batch) -> ExportResult {
        let span = self.spans.sending(&mut batch, &self.watch.exporter);
        let (signal, count) = (batch.signal(), batch.count());
        let in_flight = self.stats.start();
        let result = self.retry.export(batch).await;
        drop(in_flight);
        let sent = match &result {
            Ok(accepted) => count.items - count.rejected_items(signal, accepted.rejected),
            Err(error) => PartlyDelivered::of(error).map_or(0, |outcomes| outcomes.sent),
        };
        self.stats.sent.add(sent);
        self.stats.send_failed.add(count.items.saturating_sub(sent));
        self.watch.settled(count, &result);
        if let Some(span) = span {
            span.end_sending(sent, count.items.saturating_sub(sent), &result);
        }
        result
    }
}

// === impl WatchedAttempt ===

impl Attempt for WatchedAttempt {
    async fn attempt(&self, batch: &Batch) -> ExportResult {
        let span = self.spans.attempting(batch, &self.watch.exporter);
        let started = self.clock.now();
        let result = self.client.attempt(batch).await;
        let ended = self.clock.now();
        self.stats.attempted(started, ended, batch.items(), &result);
        self.feedback.report(batch.items(), ended.saturating_duration_since(started), &result);
        self.reachability.note(&result);
        self.watch.attempted(&result);
        if let Some(span) = span {
            span.end_attempt(&result);
        }
        result
    }
}

// === impl Watch ===

impl Watch {
    pub(crate) fn new(
        exporter: &str,
        signal: Signal,
        endpoint: &str,
        end_to_end: bool,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            exporter: exporter.into(),
            signal,
            endpoint: endpoint.into(),
            end_to_end,
            clock,
            queued: OnceLock::new(),
            is_failing: AtomicBool::new(false),
            outage: Mutex::default(),
            losses: Mutex::default(),
        }
    }

    /// Sets the source of the number of queued batches in log lines.
    pub(crate) fn observe_queue(&self, queued: impl Fn() -> usize + Send + Sync + 'static) {
        // The gateway calls this once.
        let _ = self.queued.set(Box::new(queued));
    }

    /// Records one attempt. A final error is an answer: the destination works.
    pub(crate) fn attempted(&self, result: &ExportResult) {
        match result {
            Err(error) if error.retry().is_retryable() => self.failed(error),
            _ if self.is_failing.load(Ordering::Relaxed) => self.recovered(),
            _ => {}
        }
    }

    /// Records the final outcome of a batch.
    pub(crate) fn settled(&self, count: Count, result: &ExportResult) {
        let error = match result {
            Ok(accepted) if accepted.is_partial() => {
                let items = count.rejected_items(self.signal, accepted.rejected);
                return self.lost(Loss::Rejected, items, &accepted.message, "");
            }
            Ok(_) => return,
            Err(error) => error,
        };
        let Some(outcomes) = PartlyDelivered::of(error) else {
            return self.lost(Loss::of(error), count.items, error.message(), &fields(error));
        };
        let texts = &outcomes.answer.message;
        self.lost(Loss::Rejected, outcomes.rejected, texts, "");
        let (place, too_large) = (&outcomes.refused_first, outcomes.too_large);
        self.lost(Loss::Permanent, outcomes.refused.saturating_sub(too_large), texts, place);
        self.lost(Loss::TooLarge, too_large, texts, place);
        self.lost(Loss::RetriesExhausted, outcomes.failed, error.message(), "");
    }

    /// Records a batch that was refused because the queue is full.
    pub(crate) fn refused(&self, items: u64) {
        self.lost(Loss::Refused, items, QUEUE_FULL, "");
    }

    /// Records a batch that was dropped because the queue is full.
    pub(crate) fn overflowed(&self, items: u64) {
        self.lost(Loss::QueueFull, items, QUEUE_FULL, "");
    }

    fn failed(&self, error: &ExportError) {
        self.is_failing.store(true, Ordering::Relaxed);
        let Some(line) = self.outage.lock().failed(self.clock.now()) else { return };
        let Self { exporter, endpoint, .. } = self;
        let (signal, queued) = (self.signal.name, self.queued());
        let (failed_attempts, cause) = (line.attempts, &*shortened(error.message()));
        let retry_after = match error.retry() {
            Retry::After(delay) => Some(delay.as_secs()),
            Retry::Backoff | Retry::Never => None,
        };
        match line.lasts {
            None => tracing::warn!(
                exporter,
                signal,
                endpoint,
                cause,
                queued,
                retry_after,
                failed_attempts,
                "sending fails"
            ),
            Some(lasts) => {
                let seconds = lasts.as_secs();
                tracing::warn!(
                    exporter,
                    signal,
                    endpoint,
                    cause,
                    queued,
                    retry_after,
                    failed_attempts,
                    seconds,
                    "sending still fails"
                );
            }
        }
    }

    fn recovered(&self) {
        self.is_failing.store(false, Ordering::Relaxed);
        let Some((lasted, failed_attempts)) = self.outage.lock().ended(self.clock.now()) else { return };
        let Self { exporter, endpoint, .. } = self;
        let (signal, queued, seconds) = (self.signal.name, self.queued(), lasted.as_secs());
        tracing::info!(exporter, signal, endpoint, queued, failed_attempts, seconds, "sending works again");
    }

    fn lost(&self, loss: Loss, items: u64, cause: &str, place: &str) {
        if items == 0 {
            return;
        }
        let line = self.losses.lock()[loss as usize].count(self.clock.now(), items);
        let Some((items, batches)) = line else { return };
        let Self { exporter, endpoint, .. } = self;
        let (signal, reason, cause) = (self.signal.name, loss.reason(), &*shortened(cause));
        let (place, queued) = (Some(place).filter(|place| !place.is_empty()), self.queued());
        match (loss, self.end_to_end) {
            (Loss::Refused, _) => tracing::warn!(
                exporter,
                signal,
                endpoint,
                reason,
                queued,
                items,
                batches,
                "the sending queue is full: senders are told to retry"
            ),
            (Loss::Rejected, _) => tracing::warn!(
                exporter,
                signal,
                endpoint,
                reason,
                items,
                batches,
                cause,
                "the destination rejected items in partial successes"
            ),
            (_, false) => tracing::warn!(
                exporter,
                signal,
                endpoint,
                reason,
                items,
                batches,
                cause,
                place,
                "items are dropped"
            ),
            (_, true) => tracing::warn!(
                exporter,
                signal,
                endpoint,
                reason,
                items,
                batches,
                cause,
                place,
                "items are not delivered; senders get an error"
            ),
        }
    }

    fn queued(&self) -> usize {
        self.queued.get().map_or(0, |queued| queued())
    }
}

// === impl Loss ===

impl Loss {
    /// Number of reasons.
    const ALL: usize = 6;

    /// Returns the reason for items whose last attempt ended with `error`.
    fn of(error: &ExportError) -> Self {
        match DropReason::of(error) {
            DropReason::RetriesExhausted => Self::RetriesExhausted,
            DropReason::TooLarge => Self::TooLarge,
            _ => Self::Permanent,
        }
    }

    /// Returns the name of the reason, as in the ledger.
    fn reason(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::QueueFull | Self::Refused => "queue_full",
            Self::RetriesExhausted => "retries_exhausted",
            Self::Rejected => "rejected",
            Self::TooLarge => "too_large",
        }
    }
}

/// Returns the names of the first fields that the destination's error names.
fn fields(error: &ExportError) -> String {
    let violations = error.to_status().violations;
    let fields: Vec<_> = violations.iter().take(MAX_FIELDS).map(|found| shortened(&found.field)).collect();
    fields.join(", ")
}

/// Shortens a text from the network.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

const QUEUE_FULL: &str = "the sending queue is full";
/// Room for the URL, the status, 200 characters of the destination's message, and the text of the retry.
const MAX_TEXT_CHARS: usize = 400;
const MAX_FIELDS: usize = 3;

#[cfg(test)]
mod tests;
