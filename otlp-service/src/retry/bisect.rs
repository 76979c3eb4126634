//! Bisection: sends a batch that was refused with a final error in parts, so that only the offending items are lost.
//!
//! A part that is refused is cut in halves, the largest parts first, until single items are left or the limit of requests is
//! reached. A part that fails with a retryable error waits for the next round, while the other parts are sent. All parts share
//! the `max_elapsed_time` of the batch.
//!
//! Of parts that are too large, the first are cut first, so that a part soon fits. Each part that is accepted allows as many
//! further requests as it takes to find one item. So every item that is too large is found in the end, but a destination that
//! accepts nothing gets no more requests than for other refusals.

use super::{Attempts, ExponentialBackoffRetry, PartlyDelivered};
use crate::cut::Parts;
use otlp_protocol::view::RequestView;
use otlp_protocol::{Batch, ErrorKind, Retry, Signal, SplitLimits};
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
            while let Some(part) = bisection.next(&*self.clock).await {
                let result = match self.await_throttle(self.clock.now(), attempts.last_start()).await {
                    Ok(_) => self.attempt_once(&part.batch).await,
                    Err(error) => Err(error),
                };
                bisection.settle(part, result, &*self.clock).await;
                self.pass_on(&mut bisection).await;
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
        bisection.give_up_postponed();
        self.pass_on(&mut bisection).await;
        bisection.finish()
    }

    /// Passes on the parts that are lost.
    async fn pass_on(&self, bisection: &mut Bisection) {
        for (batch, error) in bisection.lost.drain(..) {
            if let Some(lost) = &self.lost {
                lost.take(batch, &error).await;
            }
        }
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
    /// Parts that are too large, and that are cut once more requests are allowed.
    postponed: VecDeque<(Part, ExportError)>,
    /// Parts that are lost, until they are passed on.
    lost: Vec<(Batch, ExportError)>,
    /// The refusal of the whole batch.
    refusal: Option<ExportError>,
    /// Number of requests that were or will be sent, without retries.
    requests: usize,
    /// Number of requests beyond the limit that are allowed for parts that are too large.
    granted: usize,
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
        Self {
            signal,
            items,
            parts: VecDeque::new(),
            failed: Vec::new(),
            failure: None,
            postponed: VecDeque::new(),
            lost: Vec::new(),
            refusal: None,
            requests: 1,
            granted: 0,
            outcomes: PartlyDelivered::default(),
        }
    }

    /// Returns the next part of this round. Once there is no other, postponed parts are cut.
    async fn next(&mut self, clock: &dyn Clock) -> Option<Part> {
        while self.parts.is_empty() && self.has_requests(ErrorKind::TooLarge) {
            let (part, refusal) = self.postponed.pop_front()?;
            self.refuse(part, refusal, clock).await;
        }
        self.parts.pop_front()
    }

    /// True if a part that was refused with an error of that kind may be cut.
    fn has_requests(&self, kind: ErrorKind) -> bool {
        let granted = if kind == ErrorKind::TooLarge { self.granted } else { 0 };
        self.requests + 2 <= MAX_REQUESTS + granted
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
                self.granted += requests_to_find_one(self.items);
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
        let Part { mut batch, first } = part;
        self.refusal.get_or_insert_with(|| refusal.clone());
        let is_too_large = refusal.kind() == ErrorKind::TooLarge;
        match (may_help(&batch, &refusal), self.has_requests(refusal.kind())) {
            (true, true) => {
                let max_items = batch.items().div_ceil(2);
                let halves = halves(batch.share(), max_items, clock).await;
                let fits = is_too_large || self.requests + halves.len() <= MAX_REQUESTS;
                if halves.len() > 1 && fits {
                    self.cut(halves, first, is_too_large);
                } else {
                    self.lose(batch, first, refusal);
                }
            }
            (true, false) if is_too_large => self.postponed.push_back((Part { batch, first }, refusal)),
            _ => self.lose(batch, first, refusal),
        }
    }

    /// Adds the halves of a part to the parts to be sent.
    fn cut(&mut self, halves: Vec<Batch>, mut first: u64, is_too_large: bool) {
        self.requests += halves.len();
        let parts = halves.into_iter().map(|batch| {
            let part = Part { first, batch };
            first += part.batch.items();
            part
        });
        if is_too_large {
            let mut parts: Vec<_> = parts.collect();
            parts.drain(..).rev().for_each(|part| self.parts.push_front(part));
        } else {
            self.parts.extend(parts);
        }
    }

    /// Counts the items of a part as refused.
    fn lose(&mut self, batch: Batch, first: u64, refusal: ExportError) {
        let items = batch.items();
        if self.outcomes.refused == 0 {
            self.outcomes.refused_first = describe(&batch, first, self.items);
        }
        self.outcomes.refused += items;
        self.outcomes.too_large += if refusal.kind() == ErrorKind::TooLarge { items } else { 0 };
        self.outcomes.answer.rejected += batch.count().rejectable(self.signal);
        self.outcomes.answer.add_message(refusal.message());
        self.lost.push((batch, refusal));
    }

    /// Counts the postponed parts as refused: no further requests are allowed.
    fn give_up_postponed(&mut self) {
        while let Some((Part { batch, first }, refusal)) = self.postponed.pop_front() {
            self.lose(batch, first, refusal);
        }
    }

    /// Counts the parts that wait for the next round as failed: there is no further round.
    fn give_up(&mut self, failure: ExportError) {
        self.outcomes.failed += self.failed.iter().map(|part| part.batch.items()).sum::<u64>();
        let failed = self.failed.drain(..).map(|part| (part.batch, failure.clone()));
        self.lost.extend(failed);
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

/// Returns the number of requests that it takes to find one item among `items` by halves.
fn requests_to_find_one(items: u64) -> usize {
    2 * (items.max(1).ilog2() as usize + 1)
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
