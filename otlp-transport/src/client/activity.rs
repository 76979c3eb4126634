//! Activity of an HTTP/2 connection, used to find dead servers.

use crate::Clock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Calls on a connection, and the time of the server's last answer.
#[derive(Debug)]
pub(crate) struct Activity {
    /// Requests in flight.
    pub(crate) in_flight: AtomicUsize,
    opened: Instant,
    /// Time of the last answer, in nanoseconds after `opened`.
    heard: AtomicU64,
    /// Calls started since `heard`.
    tried: AtomicUsize,
    /// Calls that timed out since the last call that was answered.
    timeouts: AtomicUsize,
    unresponsive: Notify,
}

// === impl Activity ===

impl Activity {
    /// Makes the activity of a connection opened now.
    pub(crate) fn new(opened: Instant) -> Self {
        Self {
            in_flight: AtomicUsize::new(0),
            opened,
            heard: AtomicU64::new(0),
            tried: AtomicUsize::new(0),
            timeouts: AtomicUsize::new(0),
            unresponsive: Notify::new(),
        }
    }

    pub(crate) fn call_started(&self) {
        self.tried.fetch_add(1, Ordering::Relaxed);
    }

    /// Records that the server answered a call.
    pub(crate) fn call_answered(&self, now: Instant) {
        self.timeouts.store(0, Ordering::Relaxed);
        self.heard(now);
    }

    /// Counts a call without an answer. Returns true if the connection is to be replaced.
    pub(crate) fn call_timed_out(&self) -> bool {
        let timeouts = self.timeouts.fetch_add(1, Ordering::Relaxed) + 1;
        if timeouts == MAX_TIMEOUTS {
            self.unresponsive.notify_one();
        }
        timeouts >= MAX_TIMEOUTS
    }

    /// Records that the server sent something, such as the answer to a ping.
    pub(crate) fn heard(&self, now: Instant) {
        let nanos = now.saturating_duration_since(self.opened).as_nanos();
        self.heard.store(u64::try_from(nanos).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.tried.store(0, Ordering::Relaxed);
    }

    /// Returns the time of the server's last answer, or of the connection's opening.
    pub(crate) fn last_heard(&self) -> Instant {
        self.opened + Duration::from_nanos(self.heard.load(Ordering::Relaxed))
    }

    /// True if the server owes an answer, also to calls that were dropped.
    pub(crate) fn awaits_answer(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) > 0 || self.tried.load(Ordering::Relaxed) > 0
    }

    /// Resolves a grace period after the connection was found to leave calls unanswered, so that calls in flight may
    /// still end.
    pub(crate) async fn replaced(&self, clock: &dyn Clock) {
        self.unresponsive.notified().await;
        clock.sleep(REPLACED_GRACE).await;
    }
}

/// Consecutive calls that time out before a connection is replaced.
const MAX_TIMEOUTS: usize = 3;
const REPLACED_GRACE: Duration = Duration::from_secs(30);
