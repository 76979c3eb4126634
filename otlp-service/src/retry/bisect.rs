//! Bisection: sends a batch that was refused with a final error in parts, so that only the offending items are lost.
//!
//! A part that is refused is cut in halves, the largest parts first, until single items are left or the limit of requests is
//! reached. A part that fails with a retryable error waits for the next round, while the other parts are sent. All parts share
//! the `max_elapsed_time` of the batch.

use super::{Attempts, ExponentialBackoffRetry, PartlyDelivered};
use crate::cut::Parts;
use otlp_protocol::view::RequestView;
use otlp_protocol::{Batch, Retry, Signal, SplitLimits};
use otlp_transport::{Attempt, Clock, ExportError, ExportResult};
use std::collections::VecDeque;

/// Returns true if parts of a refused batch may be accepted.
pub(super) fn may_help(batch: &Batch, refusal: &ExportError) -> bool {
    let is_final = refusal.retry() == Retry::Never;
    batch.items() > 1 && batch.is_mergeable() && is_final && refusal.kind().may_be_about_content()
}

impl<A: Attempt> ExponentialBackoffRetry<A> {
    /// Sends a refused batch in parts.
    pub(super) async fn bisect(
        &self,
        batch: Batch,
        refusal: ExportError,
        mut attempts: Attempts<'_>,
    ) -> ExportResult {
        let mut bisection = Bisection::new(batch.signal(), batch.items());
        bisection.refuse(Part { batch, first: 0 }, refusal, &*self.clock).await;
        loop {
            while let Some(part) = bisection.parts.pop_front() {
                let result = match self.await_throttle(self.clock.now(), attempts.last_start()).await {
                    Ok(_) => self.attempt_once(&part.batch).await,
                    Err(error) => Err(error),
                };
                bisection.settle(part, result, &*self.clock).await;
            }
            let Some(failure) = bisection.failure.take() else { break };
            attempts.count += 1;
            match self.next_attempt(&mut attempts, &failure) {
                Ok(next) => self.clock.sleep_until(next).await,
                Err(failure) => {
                    bisection.give_up(failure);
                    break;
                }
            }
            bisection.parts.extend(bisection.failed.drain(..));
        }
        bisection.finish()
    }
}

/// The parts of one batch, and the outcomes of the settled parts.
struct Bisection {
    signal: Signal,
    items: u64,
    /// Parts to be sent in this round.
    parts: VecDeque<Part>,
    /// Parts to be sent again in the next round, and their error.
    failed: Vec<Part>,
    failure: Option<ExportError>,
    /// The refusal of the whole batch.
    refusal: Option<ExportError>,
    /// Number of requests that were or will be sent, without retries.
    requests: usize,
    outcomes: PartlyDelivered,
}

struct Part {
    batch: Batch,
    /// Index of the part's first item among the items of the whole batch.
    first: u64,
}

// === impl Bisection ===

impl Bisection {
    fn new(signal: Signal, items: u64) -> Self {
        let (parts, failed, outcomes) = (VecDeque::new(), Vec::new(), PartlyDelivered::default());
        Self { signal, items, parts, failed, failure: None, refusal: None, requests: 1, outcomes }
    }

    async fn settle(&mut self, part: Part, result: ExportResult, clock: &dyn Clock) {
        match result {
            Ok(accepted) => {
                let count = part.batch.count();
                let rejected = accepted.rejected.min(count.rejectable(self.signal));
                let rejected_items = count.rejected_items(self.signal, rejected);
                self.outcomes.rejected += rejected_items;
                self.outcomes.sent += count.items - rejected_items;
                self.outcomes.answer.rejected += rejected;
                self.outcomes.answer.add_message(&accepted.message);
            }
            Err(error) if error.retry().is_retryable() => {
                self.failed.push(part);
                self.failure = Some(error);
            }
            Err(error) => self.refuse(part, error, clock).await,
        }
    }

    /// Cuts a refused part, or counts its items as refused if the part cannot be cut.
    async fn refuse(&mut self, part: Part, refusal: ExportError, clock: &dyn Clock) {
        let Part { mut batch, mut first } = part;
        let may_help = may_help(&batch, &refusal);
        self.refusal.get_or_insert_with(|| refusal.clone());
        if may_help && self.requests + 2 <= MAX_REQUESTS {
            let max_items = batch.items().div_ceil(2);
            let halves = halves(batch.share(), max_items, clock).await;
            if halves.len() > 1 && self.requests + halves.len() <= MAX_REQUESTS {
                self.requests += halves.len();
                for batch in halves {
                    let next = first + batch.items();
                    self.parts.push_back(Part { batch, first });
                    first = next;
                }
                return;
            }
        }
        if self.outcomes.refused == 0 {
            self.outcomes.refused_first = describe(&batch, first, self.items);
        }
        self.outcomes.refused += batch.items();
        self.outcomes.answer.rejected += batch.count().rejectable(self.signal);
        self.outcomes.answer.add_message(refusal.message());
    }

    /// Counts the parts that wait for the next round as failed: there is no further round.
    fn give_up(&mut self, failure: ExportError) {
        self.outcomes.failed += self.failed.drain(..).map(|part| part.batch.items()).sum::<u64>();
        self.failure = Some(failure);
    }

    fn finish(self) -> ExportResult {
        let Self { failure, refusal, items, outcomes, .. } = self;
        let is_delivered = outcomes.sent + outcomes.rejected > 0;
        match (failure, refusal) {
            // All items failed or all items were refused: the answer of an uncut batch.
            (Some(failure), _) if outcomes.failed == items => Err(failure),
            (None, Some(refusal)) if !is_delivered => Err(refusal),
            (Some(failure), _) => {
                let message = format!("{outcomes} of a batch sent in parts: {failure}");
                Err(ExportError::new(failure.kind(), failure.retry(), message).with_source(outcomes))
            }
            (None, Some(refusal)) if outcomes.refused > 0 => {
                let message = format!("{outcomes} of a batch sent in parts: {refusal}");
                Err(ExportError::new(refusal.kind(), Retry::Never, message).with_source(outcomes))
            }
            (None, _) => Ok(outcomes.answer),
        }
    }
}

/// Cuts a batch into parts of at most `max_items` items.
async fn halves(batch: Batch, max_items: u64, clock: &dyn Clock) -> Vec<Batch> {
    let mut parts = Parts::new(batch, SplitLimits { max_items: Some(max_items), max_bytes: None });
    let mut halves = Vec::with_capacity(2);
    while let Some(half) = parts.next(clock).await {
        halves.push(half);
    }
    halves
}

/// Describes a part in a log line: the indices of its items, of `items` in the whole batch, and the service of its first resource.
fn describe(part: &Batch, first: u64, items: u64) -> String {
    let last = first + part.items().saturating_sub(1);
    let body = part.body().plain().to_contiguous();
    let resource = RequestView::new(part.signal(), &body).resources().next();
    let attributes = resource.map(|group| group.resource().attributes());
    let service = attributes.and_then(|attributes| attributes.get("service.name")?.as_str());
    let place = if first == last { format!("item {first}") } else { format!("items {first} to {last}") };
    match service {
        Some(service) => {
            let service: String = service.chars().take(MAX_SERVICE_CHARS).collect();
            format!("{place} of {items}, service.name {service:?}")
        }
        None => format!("{place} of {items}"),
    }
}

/// Largest number of requests for one batch: a destination that refuses all data must not get a request for each item.
const MAX_REQUESTS: usize = 64;

/// Largest length of a service name in a log line.
const MAX_SERVICE_CHARS: usize = 100;
