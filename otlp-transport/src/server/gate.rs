//! The gate of a server: whom it does not know gets no answer but that.

use super::checks::Checks;
use super::peer::Peer;
use super::refusals::{Reason, Refusals};
use crate::{AuthRequest, Authenticate, Denied, ExportError, Identity, SlowCheck, Verdict};
use http::HeaderMap;
use otlp_protocol::{ByteBudget, ErrorKind, Retry};
use std::sync::Arc;

/// Judges requests by their heads.
pub(super) struct Gate {
    authenticator: Option<Arc<dyn Authenticate>>,
    checks: Checks,
    refusals: Arc<Refusals>,
    /// What senders may send while they are checked is charged here.
    budget: ByteBudget,
}

/// What the gate says of a request.
pub(super) enum Admission {
    /// It may pass; who sent it, if anybody is asked.
    Granted(Option<Identity>),
    /// It may not.
    Refused(ExportError),
    /// Not known yet: see [`Gate::finish_check`].
    Pending(SlowCheck),
}

// === impl Gate ===

impl Gate {
    /// Without an authenticator everybody may pass.
    pub(super) fn new(
        authenticator: Option<Arc<dyn Authenticate>>,
        refusals: Arc<Refusals>,
        budget: ByteBudget,
    ) -> Self {
        let checks = Checks::new(MAX_RUNNING_CHECKS, MAX_PENDING_CHECKS);
        Self { authenticator, checks, refusals, budget }
    }

    /// Whether requests may have to wait for a slow check.
    pub(super) fn may_be_slow(&self) -> bool {
        self.authenticator.as_ref().is_some_and(|authenticator| authenticator.may_be_slow())
    }

    /// What refused senders are told to send.
    pub(super) fn challenge(&self) -> &str {
        self.authenticator.as_ref().map_or("", |authenticator| authenticator.challenge())
    }

    /// Judges a request by its head, without waiting.
    pub(super) fn authenticate(&self, headers: &HeaderMap, peer: &Peer) -> Admission {
        let Some(authenticator) = &self.authenticator else { return Admission::Granted(None) };
        match authenticator.authenticate(&AuthRequest { headers, certificate: peer.certificate() }) {
            Verdict::Known(Ok(identity)) => Admission::Granted(Some(identity)),
            Verdict::Known(Err(denied)) => Admission::Refused(self.deny(&denied, peer)),
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
            Admission::Pending(check) => self.finish_check(check, peer).await.map(Some),
        }
    }

    /// Runs a slow check where it holds up nobody. Few run at a time: guessing costs the guessers, not the cores.
    pub(super) async fn finish_check(&self, check: SlowCheck, peer: &Peer) -> Result<Identity, ExportError> {
        let Some(turn) = self.checks.turn(peer.ip()).await else {
            let error = busy();
            self.refusals.request(&error, peer);
            return Err(error);
        };
        // What the sender may send meanwhile, which nobody takes up.
        let window = self.budget.try_charge(u64::from(UNKNOWN_WINDOW_BYTES));
        let _window = window.map_err(ExportError::from).inspect_err(|error| {
            self.refusals.request(error, peer);
        })?;
        // A request that is given up leaves its check running: the thread holds the turn until that is done, or
        // else those who hang up at once would fill all threads there are.
        let judged = tokio::task::spawn_blocking(move || {
            let judged = check();
            drop(turn);
            judged
        });
        judged.await.map_err(|_| busy())?.map_err(|denied| self.deny(&denied, peer))
    }

    fn deny(&self, denied: &Denied, peer: &Peer) -> ExportError {
        let reason = if denied.is_missing() { Reason::CredentialsMissing } else { Reason::CredentialsWrong };
        self.refusals.request_as(reason, ErrorKind::Unauthenticated, denied, peer);
        ExportError::new(ErrorKind::Unauthenticated, Retry::Never, denied.to_string())
    }
}

/// Nothing came of a check: too many others are under way.
fn busy() -> ExportError {
    ExportError::refused(ErrorKind::Unavailable, "too many passwords are being checked")
}

/// Each takes a thread and some milliseconds of its core.
const MAX_RUNNING_CHECKS: usize = 2;
/// Those who wait hold a request's head each.
const MAX_PENDING_CHECKS: usize = 128;
/// HTTP/2: what may come of a request whose sender is being checked, in bytes, where checks may be slow.
pub(super) const UNKNOWN_WINDOW_BYTES: u32 = 64 << 10;
