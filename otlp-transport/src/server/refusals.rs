//! Counts and logs what a server refuses. Each reason has a line at once, and then at most one a minute with the number
//! of refusals since. The last refusals of a flood have their line when the minute is over, or when the server ends, so
//! that the counts add up.

mod reason;

pub(super) use reason::Reason;

use super::peer::Peer;
use super::{Protocol, ServerStats};
use crate::counter;
use crate::{Address, Clock, ExportError};
use futures_util::FutureExt;
use otlp_protocol::ErrorKind;
use parking_lot::Mutex;
use reason::Subject;
use std::fmt::{self, Display, Write as _};
use std::io;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// Refusals of a server, by reason.
pub(super) struct Refusals {
    receiver: String,
    transport: &'static str,
    clock: Arc<dyn Clock>,
    stats: Arc<ServerStats>,
    tallies: [Mutex<Tally>; Reason::ALL.len()],
}

/// Refusals for one reason since the last line.
#[derive(Default)]
struct Tally {
    seen: Seen,
    /// Earliest time of the next line.
    next_line: Option<Instant>,
    /// True if a task will write the next line.
    is_scheduled: bool,
}

/// Content of a log line.
#[derive(Default)]
struct Seen {
    count: u64,
    /// The last peer refused.
    peer: Option<Address>,
    /// The text of the first refusal.
    example: String,
}

// === impl Refusals ===

impl Refusals {
    /// `receiver`: the server's name in log lines.
    pub(super) fn new(
        receiver: String,
        protocol: Protocol,
        clock: Arc<dyn Clock>,
        stats: Arc<ServerStats>,
    ) -> Arc<Self> {
        let transport = protocol.name();
        Arc::new(Self { receiver, transport, clock, stats, tallies: Default::default() })
    }

    /// Returns the server's name in log lines.
    pub(super) fn receiver(&self) -> &str {
        &self.receiver
    }

    /// Counts and logs a request that the server itself refuses.
    pub(super) fn request(self: &Arc<Self>, error: &ExportError, peer: &Peer) {
        self.request_as(Reason::of(error.kind()), error.kind(), error.message(), peer);
    }

    /// Counts and logs a refused request under another reason than the error's kind implies; `what` is the text.
    pub(super) fn request_as(
        self: &Arc<Self>,
        reason: Reason,
        kind: ErrorKind,
        what: impl Display,
        peer: &Peer,
    ) {
        self.stats.count_refusal(kind);
        self.note(reason, 1, Some(peer.address()), what);
    }

    /// Counts and logs `count` requests whose heads the protocol engine refused.
    pub(super) fn heads(self: &Arc<Self>, count: u64, peer: &Address, what: impl Display) {
        self.stats.count_refused_headers(count);
        self.note(Reason::Headers, count, Some(peer), what);
    }

    /// Counts and logs a request that the pipeline failed.
    pub(super) fn failed(self: &Arc<Self>, error: &ExportError, peer: &Peer) {
        counter::count(&self.stats.failed_requests);
        let is_for_now = error.retry().is_retryable();
        let reason = if is_for_now { Reason::PipelineRefused } else { Reason::PipelineFailed };
        self.note(reason, 1, Some(peer.address()), error.message());
    }

    /// Counts and logs a connection that is closed, or was never opened.
    pub(super) fn connection(self: &Arc<Self>, reason: Reason, peer: Option<&Address>, what: impl Display) {
        counter::count(match reason {
            Reason::Accept => &self.stats.accept_errors,
            Reason::ConnectionLimit => &self.stats.refused_connections,
            Reason::Slow => &self.stats.timed_out_connections,
            Reason::TlsHandshake => &self.stats.tls_handshake_errors,
            _ => &self.stats.protocol_errors,
        });
        self.note(reason, 1, peer, what);
    }

    /// Counts a failed TLS handshake, and logs it unless the peer closed without an alert, as probes of load balancers
    /// do.
    pub(super) fn tls_handshake(self: &Arc<Self>, error: &io::Error, peer: &Address) {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => counter::count(&self.stats.tls_handshake_errors),
            _ => self.connection(Reason::TlsHandshake, Some(peer), error),
        }
    }

    /// Counts a failure to accept a connection, and logs it unless it is the peer's doing. Returns true if it is the
    /// peer's doing.
    pub(super) fn accept(self: &Arc<Self>, error: &io::Error) -> bool {
        let is_of_peer = matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionReset
        );
        match is_of_peer {
            true => counter::count(&self.stats.accept_errors),
            false => self.connection(Reason::Accept, None, error),
        }
        is_of_peer
    }

    /// Adds `count` refusals; `example` is the text. Must be called within a tokio runtime.
    fn note(self: &Arc<Self>, reason: Reason, count: u64, peer: Option<&Address>, example: impl Display) {
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
                let write = async move {
                    sleep.await;
                    Self::write_late(&refusals, reason);
                };
                tokio::spawn(write.boxed());
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
    /// Writes the lines that have not been written yet.
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
            // Writing stops at the limit, which only the formatter treats as an error.
            let _ = write!(Short(&mut self.example), "{example}");
        }
    }
}

/// Takes the beginning of a text.
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

/// Time between two lines of one reason.
const INTERVAL: Duration = Duration::from_secs(60);
/// Limit on an example, which may hold text from the network.
const MAX_EXAMPLE_BYTES: usize = 300;

#[cfg(test)]
mod tests;
