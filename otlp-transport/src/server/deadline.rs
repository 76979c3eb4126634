//! Waiting that ends. A timer is armed only by what has to wait, so most requests never see one.

use crate::{Clock, Sleep};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// Bounds the wait for each next piece of something, and the wait for all of it.
pub(super) struct Patience<'a> {
    clock: &'a dyn Clock,
    /// Longest silence between two pieces.
    between: Duration,
    /// End of all patience.
    deadline: Option<Instant>,
    /// When the last piece came, as far as it is known yet.
    waiting_since: Option<Instant>,
    armed: Option<(Instant, Sleep)>,
}

/// What patience ran out over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expired {
    /// Nothing came for too long.
    Silence,
    /// The deadline passed.
    Deadline,
}

impl<'a> Patience<'a> {
    pub(super) fn new(clock: &'a dyn Clock, between: Duration, deadline: Option<Instant>) -> Self {
        Self { clock, between, deadline, waiting_since: None, armed: None }
    }

    /// Something came.
    pub(super) fn renew(&mut self) {
        self.waiting_since = None;
    }

    /// To be polled when there is nothing yet. Reads the clock once per wait; a timer that fires early because of
    /// progress since is armed again, so pieces cost no timers.
    pub(super) fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<Expired> {
        let clock = self.clock;
        let silent_from = *self.waiting_since.get_or_insert_with(|| clock.now());
        let silence = silent_from.checked_add(self.between);
        loop {
            let (at, sleep) = match &mut self.armed {
                Some(armed) => armed,
                unarmed => {
                    let Some(at) = [silence, self.deadline].into_iter().flatten().min() else {
                        return Poll::Pending;
                    };
                    unarmed.insert((at, clock.sleep_until(at)))
                }
            };
            ready!(sleep.as_mut().poll(cx));
            let fired = *at;
            self.armed = None;
            if self.deadline.is_some_and(|deadline| deadline <= fired) {
                return Poll::Ready(Expired::Deadline);
            }
            if silence.is_some_and(|silence| silence <= fired) {
                return Poll::Ready(Expired::Silence);
            }
        }
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
