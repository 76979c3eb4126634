//! Waiting that ends. A timer is armed only by what has to wait, so most requests never see one.

use crate::{Clock, ServerLimits, Sleep};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// Bounds the wait for each next piece of a body, and for all of it.
pub(super) struct Patience<'a> {
    clock: &'a dyn Clock,
    limits: &'a ServerLimits,
    /// The sender's own deadline.
    deadline: Option<Instant>,
    /// When a piece had to be waited for first.
    begun: Option<Instant>,
    /// Bytes that have come.
    come: u64,
    /// When the last piece came, as far as it is known yet.
    waiting_since: Option<Instant>,
    armed: Option<(Instant, Sleep)>,
}

/// What patience ran out over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expired {
    /// Nothing came for longer than `body_timeout`.
    Silence,
    /// Less came than `min_body_rate`.
    Rate,
    /// `max_body_time` passed.
    Total,
    /// The sender's deadline passed.
    Deadline,
}

impl<'a> Patience<'a> {
    pub(super) fn new(clock: &'a dyn Clock, limits: &'a ServerLimits, deadline: Option<Instant>) -> Self {
        Self { clock, limits, deadline, begun: None, come: 0, waiting_since: None, armed: None }
    }

    /// So many bytes came.
    pub(super) fn renew(&mut self, bytes: usize) {
        self.come += bytes as u64;
        self.waiting_since = None;
    }

    /// To be polled when there is nothing yet. Reads the clock once per wait; a timer that fires early because of
    /// progress since is armed again, so pieces cost no timers.
    pub(super) fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<Expired> {
        let clock = self.clock;
        let silent_from = *self.waiting_since.get_or_insert_with(|| clock.now());
        let Some((end, expired)) = self.end(silent_from) else { return Poll::Pending };
        loop {
            let (at, sleep) = self.armed.get_or_insert_with(|| (end, clock.sleep_until(end)));
            ready!(sleep.as_mut().poll(cx));
            let fired = *at;
            self.armed = None;
            if end <= fired {
                return Poll::Ready(expired);
            }
        }
    }

    /// When waiting ends if nothing comes, and over what.
    fn end(&mut self, silent_from: Instant) -> Option<(Instant, Expired)> {
        let begun = *self.begun.get_or_insert(silent_from);
        let ServerLimits { body_timeout, min_body_rate, max_body_time, .. } = *self.limits;
        let after = |from: Instant, time: Duration| from.checked_add(time);
        // A burst is good for the time that it would have taken at the lowest rate.
        let earned = self.come.saturating_mul(1000).checked_div(min_body_rate).map(Duration::from_millis);
        let slow = earned.and_then(|earned| after(begun, body_timeout.saturating_add(earned)));
        [
            (after(silent_from, body_timeout), Expired::Silence),
            (slow, Expired::Rate),
            (max_body_time.and_then(|time| after(begun, time)), Expired::Total),
            (self.deadline, Expired::Deadline),
        ]
        .into_iter()
        .filter_map(|(at, expired)| Some((at?, expired)))
        .min()
    }
}

/// Awaits `future`, but not beyond `deadline`. `None` if that came first; `future` is dropped then.
pub(super) async fn before<F: Future>(
    deadline: Option<Instant>,
    clock: &dyn Clock,
    future: F,
) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut too_late = None;
    std::future::poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        let Some(deadline) = deadline else { return Poll::Pending };
        too_late.get_or_insert_with(|| clock.sleep_until(deadline)).as_mut().poll(cx).map(|()| None)
    })
    .await
}

#[cfg(test)]
mod tests;
