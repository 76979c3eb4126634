//! Whether the server at the other end of an HTTP/2 connection is alive: what goes on there, and pings that find dead
//! connections.

use crate::{ClientLimits, Clock};
use h2::{Ping, PingPong};
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

/// When to ping, and how long to wait for the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keepalive {
    interval: Duration,
    timeout: Duration,
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
    fn heard(&self, now: Instant) {
        let nanos = now.saturating_duration_since(self.opened).as_nanos();
        self.heard.store(u64::try_from(nanos).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.tried.store(0, Ordering::Relaxed);
    }

    /// When the server was last heard from, or the connection opened.
    fn last_heard(&self) -> Instant {
        self.opened + Duration::from_nanos(self.heard.load(Ordering::Relaxed))
    }

    /// Whether anything was asked of the server that it has not answered, also if nobody waits for the answer any more.
    fn awaits_answer(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) > 0 || self.tried.load(Ordering::Relaxed) > 0
    }

    /// Resolves some time after the connection was found to leave calls unanswered: then calls still under way have had
    /// their time, too.
    pub(super) async fn replaced(&self, clock: &dyn Clock) {
        self.unresponsive.notified().await;
        clock.sleep(REPLACED_GRACE).await;
    }
}

// === impl Keepalive ===

impl Keepalive {
    /// What the limits say, if they want pings at all.
    pub(crate) fn new(limits: &ClientLimits) -> Option<Self> {
        Some(Self { interval: limits.keepalive_interval?, timeout: limits.keepalive_timeout })
    }

    /// Pings after each interval without anything from the server, if a call was tried meanwhile; resolves when a ping
    /// goes unanswered. How long calls last does not matter: a server that is dead when a call starts is found out within
    /// interval and timeout of that call.
    pub(super) async fn watch(
        self,
        mut pings: PingPong,
        activity: &Activity,
        clock: &dyn Clock,
    ) -> Result<(), h2::Error> {
        loop {
            let due = activity.last_heard() + self.interval;
            if clock.now() < due {
                clock.sleep_until(due).await;
                continue;
            }
            if !activity.awaits_answer() {
                clock.sleep(self.interval).await;
                continue;
            }
            tokio::select! {
                pong = pings.ping(Ping::opaque()) => { pong?; activity.heard(clock.now()); }
                () = clock.sleep(self.timeout) => return Ok(()),
            }
        }
    }
}

/// Calls that time out in a row before a connection is replaced.
const MAX_TIMEOUTS: usize = 3;
const REPLACED_GRACE: Duration = Duration::from_secs(30);
