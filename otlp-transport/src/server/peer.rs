//! The other end of a connection, and what batches are told of where they come from: their sender, and the receivers that
//! they have been at. A request that has been here before is refused: it goes in a circle.

use crate::{Address, ExportError, Identity, OriginConfig, PeerCertificate};
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

#[cfg(test)]
mod tests;
