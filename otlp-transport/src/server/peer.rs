//! Senders: the peer of a connection, the authentication gate, and the origin and hops that batches carry. A request that
//! has been at this receiver before is refused, since exporters send it in a circle.

use super::checks::Checks;
use super::refusals::{Reason, Refusals};
use crate::{
    Address, AuthRequest, Authenticate, Denied, ExportError, Identity, OriginConfig, PeerCertificate,
    SlowCheck, Verdict,
};
use bytes::Bytes;
use http::HeaderMap;
use otlp_protocol::{ByteBudget, ErrorKind, HOPS_HEADER, HopId, Hops, Origin, Retry};
use parking_lot::Mutex;
use std::sync::{Arc, Weak};

/// The peer of a connection.
pub(super) struct Peer {
    address: Address,
    certificate: Option<PeerCertificate>,
    /// The connection's share of the byte budget, for unfinished bodies.
    share: ByteBudget,
    /// The origin of the last batch, while a batch holds it. Batches of one sender mostly have equal origins: they share
    /// one, which is charged once and is cheap to compare.
    last: Mutex<Weak<Origin>>,
}

/// Authenticates requests by their heads.
pub(super) struct Gate {
    authenticator: Option<Arc<dyn Authenticate>>,
    checks: Checks,
    refusals: Arc<Refusals>,
    /// Budget for the bytes that senders may send while their credentials are checked.
    budget: ByteBudget,
}

/// Outcome of the gate.
pub(super) enum Admission {
    /// The request may pass, with the sender's identity if authentication is configured.
    Granted(Option<Identity>),
    /// The request is refused.
    Refused(ExportError),
    /// A slow check is needed: see [`Gate::finish_check`].
    Pending(SlowCheck),
}

/// The server's own id among the receivers that requests have been at.
pub(super) struct OwnHop {
    id: HopId,
    /// The hops of requests that have been at no other receiver.
    first: Arc<Hops>,
}

/// Parts of a request that form an origin.
struct Traits<'a> {
    headers: &'a HeaderMap,
    names: &'a [Box<str>],
    identity: Option<&'a str>,
    peer: Option<std::net::IpAddr>,
}

// === impl Peer ===

impl Peer {
    /// Makes a peer. `share`: the most that unfinished bodies of the connection may take of the byte budget.
    pub(super) fn new(address: Address, certificate: Option<PeerCertificate>, share: u64) -> Self {
        Self { address, certificate, share: ByteBudget::new(share), last: Mutex::new(Weak::new()) }
    }

    /// Returns the rest of the connection's share of the byte budget.
    pub(super) fn share(&self) -> &ByteBudget {
        &self.share
    }

    /// Returns the address, for the log.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Returns the IP address; `None` on a Unix socket.
    pub(super) fn ip(&self) -> Option<std::net::IpAddr> {
        self.address.ip()
    }

    /// Returns the peer's client certificate, if one was required.
    pub(super) fn certificate(&self) -> Option<&PeerCertificate> {
        self.certificate.as_ref()
    }

    /// Returns the origin of a request, as far as it is kept, and charged; `None` if nothing is kept.
    pub(super) fn origin(
        &self,
        config: &OriginConfig,
        budget: &ByteBudget,
        headers: &HeaderMap,
        identity: Option<&Identity>,
    ) -> Result<Option<Arc<Origin>>, ExportError> {
        if config.headers.is_empty() && !config.identity && !config.peer {
            return Ok(None);
        }
        let traits = Traits {
            headers,
            names: &config.headers,
            identity: identity.filter(|_| config.identity).map(Identity::name),
            peer: self.address.ip().filter(|_| config.peer),
        };
        let mut last = self.last.lock();
        if let Some(last) = last.upgrade().filter(|last| traits.are_of(last)) {
            return Ok(Some(last));
        }
        let Some(mut origin) = traits.to_origin() else { return Ok(None) };
        origin.charge = Some(Arc::new(budget.try_charge(origin.memory())?));
        let origin = Arc::new(origin);
        *last = Arc::downgrade(&origin);
        Ok(Some(origin))
    }
}

// === impl Gate ===

impl Gate {
    /// Makes a gate. Without an authenticator every request passes.
    pub(super) fn new(
        authenticator: Option<Arc<dyn Authenticate>>,
        refusals: Arc<Refusals>,
        budget: ByteBudget,
    ) -> Self {
        let checks = Checks::new(MAX_RUNNING_CHECKS, MAX_PENDING_CHECKS);
        Self { authenticator, checks, refusals, budget }
    }

    /// True if no credentials are required.
    pub(super) fn is_open(&self) -> bool {
        self.authenticator.is_none()
    }

    /// True if requests may have to wait for a slow check of credentials.
    pub(super) fn may_be_slow(&self) -> bool {
        self.authenticator.as_ref().is_some_and(|authenticator| authenticator.may_be_slow())
    }

    /// Returns the challenge sent with refusals.
    pub(super) fn challenge(&self) -> &str {
        self.authenticator.as_ref().map_or("", |authenticator| authenticator.challenge())
    }

    /// Authenticates a request by its head, without waiting.
    pub(super) fn authenticate(&self, headers: &HeaderMap, peer: &Peer) -> Admission {
        let Some(authenticator) = &self.authenticator else { return Admission::Granted(None) };
        match authenticator.authenticate(&AuthRequest { headers, certificate: peer.certificate() }) {
            Verdict::Known(Ok(identity)) => Admission::Granted(Some(identity)),
            Verdict::Known(Err(denied)) => Admission::Refused(self.deny(&denied, peer)),
            Verdict::Slow(check) => Admission::Pending(check),
        }
    }

    /// Authenticates a request by its head, and waits for a slow check.
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

    /// Runs a slow check on a blocking thread. Few checks run at a time: guessing passwords costs the guessers time, not
    /// the server's cores.
    pub(super) async fn finish_check(&self, check: SlowCheck, peer: &Peer) -> Result<Identity, ExportError> {
        let Some(turn) = self.checks.turn(peer.ip()).await else {
            let error = busy();
            self.refusals.request(&error, peer);
            return Err(error);
        };
        // Charged for what the sender may send while it waits, which nothing reads.
        let window = self.budget.try_charge(u64::from(UNKNOWN_WINDOW_BYTES));
        let _window = window.map_err(ExportError::from).inspect_err(|error| {
            self.refusals.request(error, peer);
        })?;
        // A check goes on if its request is dropped: the thread holds the turn until the check ends. Otherwise clients
        // that disconnect at once could occupy all threads.
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

// === impl OwnHop ===

impl OwnHop {
    pub(super) fn new(id: HopId) -> Self {
        Self { id, first: Arc::new(Hops::of(id)) }
    }

    /// Returns the receivers that a request has been at, including this server. The ids in its header are charged.
    ///
    /// # Errors
    /// If the request has been here before, for good; or if the budget has no memory for the header.
    pub(super) fn with(&self, headers: &HeaderMap, budget: &ByteBudget) -> Result<Arc<Hops>, ExportError> {
        if !headers.contains_key(HOPS_HEADER) {
            return Ok(Arc::clone(&self.first));
        }
        let charge = budget.try_charge(Hops::MEMORY)?;
        let values = headers.get_all(HOPS_HEADER).into_iter().map(|value| value.as_bytes());
        match Hops::read(values, self.id, charge) {
            Some(hops) => Ok(Arc::new(hops)),
            None => Err(returned()),
        }
    }
}

// === impl Traits ===

impl Traits<'_> {
    fn are_of(&self, origin: &Origin) -> bool {
        let mut kept = origin.headers.iter();
        origin.identity.as_deref() == self.identity
            && origin.peer == self.peer
            && self.headers().all(|(name, value)| {
                kept.next().is_some_and(|(kept_name, kept)| **kept_name == *name && kept == value)
            })
            && kept.next().is_none()
    }

    /// Iterates over the values of the headers to keep; a header that was sent several times has an entry for each value.
    fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.names.iter().flat_map(|name| {
            self.headers.get_all(&**name).iter().map(move |value| (&**name, value.as_bytes()))
        })
    }

    fn to_origin(&self) -> Option<Origin> {
        let kept = self.headers().map(|(name, value)| (name.into(), Bytes::copy_from_slice(value)));
        let headers: Vec<_> = kept.collect();
        if headers.is_empty() && self.identity.is_none() && self.peer.is_none() {
            return None;
        }
        let identity = self.identity.map(Box::from);
        Some(Origin { headers, identity, peer: self.peer, ..Origin::default() })
    }
}

/// Makes the refusal of a request that has been here before.
fn returned() -> ExportError {
    let message = format!(
        "forwarding loop: this receiver has had the request before (see the header {HOPS_HEADER}); \
         remove the exporter that sends the data back here"
    );
    ExportError::new(ErrorKind::Loop, Retry::Never, message)
}

/// Makes the refusal of a check that cannot wait, since too many checks wait.
fn busy() -> ExportError {
    ExportError::refused(ErrorKind::Unavailable, "too many password checks are waiting: retry later")
}

/// Each check occupies a thread and some milliseconds of a core.
const MAX_RUNNING_CHECKS: usize = 2;
/// Each waiting check holds a request's head.
const MAX_PENDING_CHECKS: usize = 128;
/// HTTP/2 window in bytes, where checks may be slow: bytes that may arrive of a request whose credentials are being
/// checked.
pub(super) const UNKNOWN_WINDOW_BYTES: u32 = 64 << 10;

#[cfg(test)]
mod tests;
