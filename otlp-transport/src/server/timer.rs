//! hyper's timer, on the clock that was passed in.

use crate::{Clock, Sleep};
use parking_lot::Mutex;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// A [`Clock`] as hyper wants it.
#[derive(Clone)]
pub(crate) struct ClockTimer(pub(crate) Arc<dyn Clock>);

/// hyper wants sleeps that are `Sync`; the lock is never contended, since polling goes past it.
struct SyncSleep(Mutex<Sleep>);

impl hyper::rt::Timer for ClockTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(SyncSleep(Mutex::new(self.0.sleep(duration))))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(SyncSleep(Mutex::new(self.0.sleep_until(deadline))))
    }

    fn now(&self) -> Instant {
        self.0.now()
    }
}

impl hyper::rt::Sleep for SyncSleep {}

impl Future for SyncSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().0.get_mut().as_mut().poll(cx)
    }
}
