//! The gate of a server: whom it does not know gets no answer but that.

use super::intake::Intake;
use super::peer::Peer;
use super::seldom::Seldom;
use crate::{AuthRequest, Authenticate, Denied, ExportError, Identity, SlowCheck, Verdict};
use http::HeaderMap;
use otlp_protocol::{ErrorKind, Retry};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// Judges requests by their heads.
pub(super) struct Gate {
    authenticator: Option<Arc<dyn Authenticate>>,
    /// Slow checks that run at a time.
    running: Semaphore,
    /// Slow checks that run or wait.
    pending: AtomicUsize,
    denied: Seldom,
}

/// What the gate says of a request.
pub(super) enum Admission {
    /// It may pass; who sent it, if anybody is asked.
    Granted(Option<Identity>),
    /// It may not.
    Refused(ExportError),
    /// Not known yet: see [`Intake::finish_check`].
    Pending(SlowCheck),
}

/// Counts a slow check for as long as it runs or waits.
struct Pending<'a>(&'a AtomicUsize);

// === impl Gate ===

impl Gate {
    /// Without an authenticator everybody may pass.
    pub(super) fn new(authenticator: Option<Arc<dyn Authenticate>>) -> Self {
        Self {
            authenticator,
            running: Semaphore::const_new(MAX_RUNNING_CHECKS),
            pending: AtomicUsize::new(0),
            denied: Seldom::default(),
        }
    }

    /// What refused senders are told to send.
    pub(super) fn challenge(&self) -> &str {
        self.authenticator.as_ref().map_or("", |authenticator| authenticator.challenge())
    }

    /// Nothing came of a check: too many others are under way.
    fn busy() -> ExportError {
        ExportError::refused(ErrorKind::Unavailable, "too many passwords are being checked")
    }
}

impl Intake {
    /// Judges a request by its head, without waiting.
    pub(super) fn authenticate(&self, headers: &HeaderMap, peer: &Peer) -> Admission {
        let Some(authenticator) = &self.gate.authenticator else { return Admission::Granted(None) };
        match authenticator.authenticate(&AuthRequest { headers, certificate: peer.certificate() }) {
            Verdict::Known(Ok(identity)) => Admission::Granted(Some(identity)),
            Verdict::Known(Err(denied)) => Admission::Refused(self.deny(&denied)),
            Verdict::Slow(check) => Admission::Pending(check),
        }
    }

    /// The same; a slow check is waited for.
    pub(super) async fn authenticated(
        &self,
        headers: &HeaderMap,
        peer: &Peer,
    ) -> Result<Option<Identity>, ExportError> {
        match self.authenticate(headers, peer) {
            Admission::Granted(identity) => Ok(identity),
            Admission::Refused(error) => Err(error),
            Admission::Pending(check) => self.finish_check(check).await.map(Some),
        }
    }

    /// Runs a slow check where it holds up nobody. Few run at a time: guessing costs the guessers, not the cores.
    pub(super) async fn finish_check(&self, check: SlowCheck) -> Result<Identity, ExportError> {
        let gate = &self.gate;
        if gate.pending.fetch_add(1, Ordering::Relaxed) >= MAX_PENDING_CHECKS {
            gate.pending.fetch_sub(1, Ordering::Relaxed);
            let error = Gate::busy();
            self.stats.count_refusal(error.kind());
            return Err(error);
        }
        let _pending = Pending(&gate.pending);
        let judged = match gate.running.acquire().await {
            Ok(_running) => tokio::task::spawn_blocking(check).await,
            Err(_) => return Err(Gate::busy()),
        };
        judged.map_err(|_| Gate::busy())?.map_err(|denied| self.deny(&denied))
    }

    fn deny(&self, denied: &Denied) -> ExportError {
        self.stats.count_refusal(ErrorKind::Unauthenticated);
        if let Some(count) = self.gate.denied.add(1, &*self.context.clock) {
            tracing::warn!(count, %denied, "requests were refused without credentials");
        }
        ExportError::new(ErrorKind::Unauthenticated, Retry::Never, denied.to_string())
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A check that is given up keeps its thread until it is done, so a few more may run.
const MAX_RUNNING_CHECKS: usize = 2;
/// Those who wait hold a request's head each.
const MAX_PENDING_CHECKS: usize = 128;
