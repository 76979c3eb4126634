//! Pings that find dead connections.

use super::Activity;
use crate::{ClientLimits, Clock};
use h2::{Ping, PingPong};
use std::time::Duration;

/// When to ping, and how long to wait for the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keepalive {
    interval: Duration,
    timeout: Duration,
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
