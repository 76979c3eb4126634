//! Deliveries of the parts of a request, and their repetition where a pipeline refuses its part.

use crate::fanout::join_answers;
use crate::holder::{HolderAccount, Outlet};
use crate::ledger::Held;
use crate::tasks::Pauses;
use futures_util::future::join_all;
use otlp_protocol::{Accepted, Batch, Retry};
use otlp_transport::{Clock, ExportError, ExportResult};
use std::time::{Duration, Instant};

/// The deliveries of one request: each part to each of its pipelines.
pub(super) struct Deliveries<'o>(Vec<Delivery<'o>>);

struct Delivery<'o> {
    /// Index of the part.
    part: usize,
    /// Index of the part's route.
    route: usize,
    outlet: &'o Outlet,
    batch: Batch,
    state: State,
}

/// The answer of the pipeline, with the guard of the items as long as there is no final answer.
enum State {
    Unsent(Held),
    Accepted(Accepted),
    Failed(ExportError, Held),
    /// Left behind while the guard is with the outlet.
    UnderWay,
}

// === impl Deliveries ===

impl<'o> Deliveries<'o> {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a part of a route for these outlets. `held` are the items that came in for the part: the copies for further outlets
    /// are produced.
    pub(super) fn add(
        &mut self,
        (part, route): (usize, usize),
        mut batch: Batch,
        outlets: &'o [Outlet],
        (account, held): (&HolderAccount, Held),
    ) {
        let mut held = Some(held);
        self.0.extend(outlets.iter().map(|outlet| {
            let state = State::Unsent(held.take().unwrap_or_else(|| account.hold(0)));
            Delivery { part, route, outlet, batch: batch.share(), state }
        }));
    }

    /// Sends all parts at the same time.
    pub(super) async fn send(&mut self) {
        join_all(self.0.iter_mut().map(Delivery::attempt)).await;
    }

    /// Sends parts again that failed retryably, if others arrived: the sender would send those again, too. Pauses as long as the
    /// pipelines ask for, 100 ms at least, and makes no attempt after `end`. `count` counts an attempt by its route.
    pub(super) async fn send_again(&mut self, clock: &dyn Clock, end: Instant, count: impl Fn(usize)) {
        let mut pauses = Pauses::new();
        while self.0.iter().any(|delivery| matches!(delivery.state, State::Accepted(_))) {
            let failed = self.0.iter().filter_map(Delivery::retryable);
            let Some((outlet, error)) = failed.max_by_key(|(_, error)| delay(error)) else { return };
            let pause = pauses.next(error);
            let is_late = clock.now().checked_add(pause).is_none_or(|next| next > end);
            if is_late || !outlet.pause(pause).await {
                return;
            }
            let failed = self.0.iter_mut().filter(|delivery| delivery.retryable().is_some());
            join_all(failed.inspect(|delivery| count(delivery.route)).map(Delivery::attempt)).await;
        }
    }

    /// Counts what failed, and joins the answers: the largest number of rejected items of a part's pipelines counts, and the
    /// numbers of the parts are added.
    pub(super) fn finish(self) -> ExportResult {
        let mut deliveries = self.0.into_iter().peekable();
        let parts = std::iter::from_fn(|| {
            let part = deliveries.peek()?.part;
            let of_part = std::iter::from_fn(|| deliveries.next_if(|delivery| delivery.part == part));
            Some(join_answers(of_part.filter_map(Delivery::answer).collect::<Vec<_>>(), u64::max))
        });
        join_answers(parts.collect::<Vec<_>>(), u64::saturating_add)
    }
}

// === impl Delivery ===

impl Delivery<'_> {
    async fn attempt(&mut self) {
        let held = match std::mem::replace(&mut self.state, State::UnderWay) {
            State::Unsent(held) | State::Failed(_, held) => held,
            settled => {
                self.state = settled;
                return;
            }
        };
        self.state = match self.outlet.try_export(self.batch.share(), held).await {
            Ok(accepted) => State::Accepted(accepted),
            Err((error, held)) => State::Failed(error, held),
        };
    }

    fn retryable(&self) -> Option<(&Outlet, &ExportError)> {
        match &self.state {
            State::Failed(error, _) if error.retry().is_retryable() => Some((self.outlet, error)),
            _ => None,
        }
    }

    fn answer(self) -> Option<ExportResult> {
        match self.state {
            State::Accepted(accepted) => Some(Ok(accepted)),
            State::Failed(error, held) => {
                held.fail(&error);
                Some(Err(error))
            }
            State::Unsent(_) | State::UnderWay => None,
        }
    }
}

/// Returns the delay that an error asks for.
fn delay(error: &ExportError) -> Duration {
    if let Retry::After(delay) = error.retry() { delay } else { Duration::ZERO }
}
