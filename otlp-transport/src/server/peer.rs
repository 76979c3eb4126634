//! Who sends: the other end of a connection; the gate, which gives whom it does not know no answer but that; and what
//! batches are told of where they come from, their sender and the receivers that they have been at. A request that has been
//! here before is refused: it goes in a circle.

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

/// The other end of a connection.
pub(super) struct Peer {
    address: Address,
    certificate: Option<PeerCertificate>,
    /// The connection's share of the byte budget, for bodies that are still coming.
    share: ByteBudget,
    /// The origin of the last batch, for as long as a batch has it. A sender mostly stays who it is: its batches then
    /// share one origin, which is charged once and compared at little cost.
    last: Mutex<Weak<Origin>>,
}

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

/// The server's own id among the receivers that requests have been at.
pub(super) struct OwnHop {
    id: HopId,
    /// What most requests get, which have been at no other receiver.
    first: Arc<Hops>,
}

/// What of a request goes into an origin.
struct Traits<'a> {
    headers: &'a HeaderMap,
    names: &'a [Box<str>],
    identity: Option<&'a str>,
    peer: Option<std::net::IpAddr>,
}

// === impl Peer ===

impl Peer {
    /// `share`: the most that unfinished bodies of the connection may take of the byte budget.
    pub(super) fn new(address: Address, certificate: Option<PeerCertificate>, share: u64) -> Self {
        Self { address, certificate, share: ByteBudget::new(share), last: Mutex::new(Weak::new()) }
    }

    /// What is left of the connection's share of the byte budget.
    pub(super) fn share(&self) -> &ByteBudget {
        &self.share
    }

    /// Its address, for the log.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Its IP address; `None` on a Unix socket.
    pub(super) fn ip(&self) -> Option<std::net::IpAddr> {
        self.address.ip()
    }

    /// What it showed when the connection was opened, if it was asked for that.
    pub(super) fn certificate(&self) -> Option<&PeerCertificate> {
        self.certificate.as_ref()
    }

    /// The origin of a request, as far as it is to be kept, charged; `None` if nothing of it is.
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

// === impl OwnHop ===

impl OwnHop {
    pub(super) fn new(id: HopId) -> Self {
        Self { id, first: Arc::new(Hops::of(id)) }
    }

    /// The receivers that a request has been at, this one included. Those in its header are charged.
    ///
    /// # Errors
    /// If the request has been here before, for good; or if there is no room for the header.
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
            && self.names.iter().all(|name| {
                let mut values = self.headers.get_all(&**name).iter();
                let Some(first) = values.next() else { return true };
                let Some((kept_name, kept_value)) = kept.next() else { return false };
                kept_name == name
                    && match values.next() {
                        None => first.as_bytes() == kept_value,
                        Some(_) => joined(self.headers, name).as_ref() == Some(kept_value),
                    }
            })
            && kept.next().is_none()
    }

    fn to_origin(&self) -> Option<Origin> {
        let kept = self.names.iter().filter_map(|name| Some((name.clone(), joined(self.headers, name)?)));
        let headers: Vec<_> = kept.collect();
        if headers.is_empty() && self.identity.is_none() && self.peer.is_none() {
            return None;
        }
        let identity = self.identity.map(Box::from);
        Some(Origin { headers, identity, peer: self.peer, ..Origin::default() })
    }
}

/// A header's value; of several values, all of them, as RFC 9110 §5.3 joins them.
fn joined(headers: &HeaderMap, name: &str) -> Option<Bytes> {
    let mut values = headers.get_all(name).iter();
    let mut joined = values.next()?.as_bytes().to_vec();
    for value in values {
        joined.push(b',');
        joined.extend_from_slice(value.as_bytes());
    }
    Some(joined.into())
}

/// The refusal of a request that has been here before.
fn returned() -> ExportError {
    let message = format!(
        "forwarding loop: this receiver has had the request before (see the header {HOPS_HEADER}); \
         remove the exporter that sends the data back here"
    );
    ExportError::new(ErrorKind::Loop, Retry::Never, message)
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

#[cfg(test)]
mod tests;
