//! What goes on on an HTTP/2 connection, by which a server that is dead is found out.

use crate::Clock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Calls on a connection, and when the server was heard from.
#[derive(Debug)]
pub(crate) struct Activity {
    /// Requests under way.
    pub(crate) in_flight: AtomicUsize,
    opened: Instant,
    /// Nanoseconds after `opened`.
    heard: AtomicU64,
    /// Calls started since then.
    tried: AtomicUsize,
    /// Calls that timed out since the last one that was answered.
    timeouts: AtomicUsize,
    unresponsive: Notify,
}

// === impl Activity ===

impl Activity {
    /// That of a connection just opened.
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

    /// The server has answered a call.
    pub(crate) fn call_answered(&self, now: Instant) {
        self.timeouts.store(0, Ordering::Relaxed);
        self.heard(now);
    }

    /// Counts a call without an answer; whether the connection is to be replaced for it.
    pub(crate) fn call_timed_out(&self) -> bool {
        let timeouts = self.timeouts.fetch_add(1, Ordering::Relaxed) + 1;
        if timeouts == MAX_TIMEOUTS {
            self.unresponsive.notify_one();
        }
        timeouts >= MAX_TIMEOUTS
    }

    /// The server has sent something, if only the answer to a ping.
    pub(crate) fn heard(&self, now: Instant) {
        let nanos = now.saturating_duration_since(self.opened).as_nanos();
        self.heard.store(u64::try_from(nanos).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.tried.store(0, Ordering::Relaxed);
    }

    /// When the server was last heard from, or the connection opened.
    pub(crate) fn last_heard(&self) -> Instant {
        self.opened + Duration::from_nanos(self.heard.load(Ordering::Relaxed))
    }

    /// Whether anything was asked of the server that it has not answered, also if nobody waits for the answer any more.
    pub(crate) fn awaits_answer(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) > 0 || self.tried.load(Ordering::Relaxed) > 0
    }

    /// Resolves some time after the connection was found to leave calls unanswered: then calls still under way have had
    /// their time, too.
    pub(crate) async fn replaced(&self, clock: &dyn Clock) {
        self.unresponsive.notified().await;
        clock.sleep(REPLACED_GRACE).await;
    }
}

/// Calls that time out in a row before a connection is replaced.
const MAX_TIMEOUTS: usize = 3;
const REPLACED_GRACE: Duration = Duration::from_secs(30);
