//! Log lines about what a server refuses: for each reason a line at once, then one a minute at most with what was counted
//! since. What comes last in a flood has its line when the minute is over, or when the server ends: the counts add up.

mod reason;

pub(super) use reason::Reason;

use super::Protocol;
use crate::{Address, Clock};
use parking_lot::Mutex;
use reason::Subject;
use std::fmt::{self, Display, Write as _};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// What a server refused, by reason.
pub(super) struct Refusals {
    receiver: String,
    transport: &'static str,
    clock: Arc<dyn Clock>,
    tallies: [Mutex<Tally>; Reason::ALL.len()],
}

/// What was refused for one reason since the last line.
#[derive(Default)]
struct Tally {
    seen: Seen,
    /// No line before this.
    next_line: Option<Instant>,
    /// Whether a task writes the next line when it is due.
    is_scheduled: bool,
}

/// What a line tells.
#[derive(Default)]
struct Seen {
    count: u64,
    /// Who was refused last.
    peer: Option<Address>,
    /// What was said of the first.
    example: String,
}

// === impl Refusals ===

impl Refusals {
    /// `receiver`: what log lines call the server.
    pub(super) fn new(receiver: String, protocol: Protocol, clock: Arc<dyn Clock>) -> Arc<Self> {
        let transport = protocol.name();
        Arc::new(Self { receiver, transport, clock, tallies: Default::default() })
    }

    /// What log lines call the server.
    pub(super) fn receiver(&self) -> &str {
        &self.receiver
    }

    /// Takes note of `count` refusals; `example` says what was wrong. Must be called within a tokio runtime.
    pub(super) fn note(
        self: &Arc<Self>,
        reason: Reason,
        count: u64,
        peer: Option<&Address>,
        example: impl Display,
    ) {
        let now = self.clock.now();
        let due = {
            let Some(tally) = self.tallies.get(reason as usize) else { return };
            let mut tally = tally.lock();
            tally.seen.add(count, peer, example);
            match tally.next_line.filter(|next| now < *next) {
                _ if tally.is_scheduled => return,
                None => Ok(tally.take(now)),
                Some(next) => {
                    tally.is_scheduled = true;
                    Err(next)
                }
            }
        };
        match due {
            Ok(seen) => self.write(reason, &seen),
            Err(next) => {
                let sleep = self.clock.sleep_until(next);
                let refusals = Arc::downgrade(self);
                tokio::spawn(async move {
                    sleep.await;
                    Self::write_late(&refusals, reason);
                });
            }
        }
    }

    /// Writes the line that has become due.
    fn write_late(refusals: &Weak<Self>, reason: Reason) {
        let Some(refusals) = refusals.upgrade() else { return };
        let Some(tally) = refusals.tallies.get(reason as usize) else { return };
        let seen = {
            let mut tally = tally.lock();
            tally.is_scheduled = false;
            tally.take(refusals.clock.now())
        };
        refusals.write(reason, &seen);
    }

    fn write(&self, reason: Reason, Seen { count, peer, example }: &Seen) {
        let Self { receiver, transport, .. } = self;
        let (reason, subject) = (reason.name(), reason.subject());
        let (peer, example) = (peer.as_ref().map(tracing::field::display), example.as_str());
        match subject {
            Subject::Request => {
                tracing::warn!(receiver, transport, reason, count, peer, example, "requests are refused");
            }
            Subject::Connection => {
                tracing::warn!(receiver, transport, reason, count, peer, example, "connections are closed");
            }
            Subject::Listener => {
                tracing::warn!(receiver, transport, reason, count, example, "cannot accept connections");
            }
        }
    }
}

impl Drop for Refusals {
    /// The server ends: what has not been told is told now.
    fn drop(&mut self) {
        for reason in Reason::ALL {
            let Some(tally) = self.tallies.get(reason as usize) else { continue };
            let seen = std::mem::take(&mut tally.lock().seen);
            if seen.count > 0 {
                self.write(reason, &seen);
            }
        }
    }
}

impl fmt::Debug for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusals").field("receiver", &self.receiver).finish_non_exhaustive()
    }
}

// === impl Tally ===

impl Tally {
    fn take(&mut self, now: Instant) -> Seen {
        self.next_line = now.checked_add(INTERVAL);
        std::mem::take(&mut self.seen)
    }
}

// === impl Seen ===

impl Seen {
    fn add(&mut self, count: u64, peer: Option<&Address>, example: impl Display) {
        self.count = self.count.saturating_add(count);
        if let Some(peer) = peer {
            self.peer = Some(peer.clone());
        }
        if self.example.is_empty() {
            // Writing stops at the limit, which is an error to the formatter alone.
            let _ = write!(Short(&mut self.example), "{example}");
        }
    }
}

/// Takes the start of a text.
struct Short<'a>(&'a mut String);

impl fmt::Write for Short<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_EXAMPLE_BYTES.saturating_sub(self.0.len());
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        self.0.push_str(text.get(..text.floor_char_boundary(room)).unwrap_or_default());
        self.0.push('…');
        Err(fmt::Error)
    }
}

/// Between two lines of one reason.
const INTERVAL: Duration = Duration::from_secs(60);
/// Of a text that comes from the network in part.
const MAX_EXAMPLE_BYTES: usize = 300;

#[cfg(test)]
mod tests;
