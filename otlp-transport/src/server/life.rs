//! How long connections live: what those of a server have in common, and what one has of its own.

use super::peer::Peer;
use super::refusals::{Reason, Refusals};
use super::{Phase, ServerStats};
use crate::connections::Slot;
use crate::{Address, Clock, ServerLimits};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What all connections of a server live by.
pub(super) struct Terms {
    pub(super) limits: ServerLimits,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stats: Arc<ServerStats>,
    pub(super) refusals: Arc<Refusals>,
    pub(super) phases: watch::Receiver<Phase>,
}

/// One connection, as its protocol engine asks and tells about it.
pub(super) struct Life<'a> {
    terms: &'a Terms,
    peer: Arc<Peer>,
    slot: &'a Slot,
}

// === impl Terms ===

impl Terms {
    /// Resolves when the server is drained.
    pub(super) async fn draining(&self) {
        // An error means that the server is gone, which is as good.
        let _ = self.phases.clone().wait_for(|phase| *phase == Phase::Draining).await;
    }

    /// Resolves after `duration`, if there is one.
    pub(super) async fn waited(&self, duration: Option<Duration>) {
        match duration {
            Some(duration) => self.clock.sleep(duration).await,
            None => std::future::pending().await,
        }
    }
}

// === impl Life ===

impl<'a> Life<'a> {
    pub(super) fn new(terms: &'a Terms, peer: Arc<Peer>, slot: &'a Slot) -> Self {
        Self { terms, peer, slot }
    }

    /// What all connections of the server live by.
    pub(super) fn terms(&self) -> &'a Terms {
        self.terms
    }

    /// The other end.
    pub(super) fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// A request has begun: the connection does not make room for others.
    pub(super) fn is_busy(&self) {
        self.slot.leave();
    }

    /// No request is under way.
    pub(super) fn is_idle(&self) {
        self.slot.enter();
    }

    /// Resolves when the connection has been idle and has a request again.
    pub(super) async fn used(&self) {
        self.slot.used().await;
    }

    /// Resolves when the connection is to make room.
    pub(super) async fn evicted(&self) {
        self.slot.evicted().await;
    }

    /// Resolves when the server is drained.
    pub(super) async fn draining(&self) {
        self.terms.draining().await;
    }

    /// Resolves when a connection that begins now has reached its age: ±10 %, so that connections that came together
    /// do not leave together.
    pub(super) async fn aged(&self) {
        let age = self.terms.limits.max_connection_age;
        self.terms.waited(age.map(|age| age.mul_f64(0.9 + 0.2 * fastrand::f64()))).await;
    }

    /// Resolves when requests that were under way at the connection's age have had their time.
    pub(super) async fn aged_grace(&self) {
        self.terms.waited(self.terms.limits.max_connection_age_grace).await;
    }

    /// Counts that the connection is closed for want of requests.
    pub(super) fn has_timed_out(&self) {
        ServerStats::count(&self.terms.stats.timed_out_connections);
    }

    /// Counts that the connection makes room.
    pub(super) fn makes_room(&self) {
        ServerStats::count(&self.terms.stats.evicted_connections);
    }

    /// Counts and logs that the connection is closed for what came on it.
    pub(super) fn is_refused(&self, reason: Reason, what: impl Display) {
        self.terms.refusals.connection(reason, Some(self.address()), what);
    }

    /// Counts and logs requests whose heads the engine refused by itself.
    pub(super) fn heads_refused(&self, count: u64, what: impl Display) {
        self.terms.refusals.heads(count, self.address(), what);
    }

    fn address(&self) -> &Address {
        self.peer.address()
    }
}
