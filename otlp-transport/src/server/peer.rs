//! The other end of a connection, and what batches are told of it.

use crate::{Address, Identity, OriginConfig, PeerCertificate};
use bytes::Bytes;
use http::HeaderMap;
use otlp_protocol::Origin;
use parking_lot::Mutex;
use std::sync::Arc;

/// The other end of a connection.
pub(super) struct Peer {
    address: Address,
    certificate: Option<PeerCertificate>,
    /// The origin of the last batch. A sender mostly stays who it is: its batches then share one, which costs nothing to
    /// make and little to compare.
    last: Mutex<Option<Arc<Origin>>>,
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
    pub(super) fn new(address: Address, certificate: Option<PeerCertificate>) -> Self {
        Self { address, certificate, last: Mutex::new(None) }
    }

    /// Its IP address; `None` on a Unix socket.
    pub(super) fn ip(&self) -> Option<std::net::IpAddr> {
        self.address.ip()
    }

    /// What it showed when the connection was opened, if it was asked for that.
    pub(super) fn certificate(&self) -> Option<&PeerCertificate> {
        self.certificate.as_ref()
    }

    /// The origin of a request, as far as it is to be kept; `None` if nothing of it is.
    pub(super) fn origin(
        &self,
        config: &OriginConfig,
        headers: &HeaderMap,
        identity: Option<&Identity>,
    ) -> Option<Arc<Origin>> {
        if config.headers.is_empty() && !config.identity && !config.peer {
            return None;
        }
        let traits = Traits {
            headers,
            names: &config.headers,
            identity: identity.filter(|_| config.identity).map(Identity::name),
            peer: self.address.ip().filter(|_| config.peer),
        };
        let mut last = self.last.lock();
        if let Some(last) = last.as_ref().filter(|last| traits.are_of(last)) {
            return Some(Arc::clone(last));
        }
        let origin = Arc::new(traits.to_origin()?);
        *last = Some(Arc::clone(&origin));
        Some(origin)
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

#[cfg(test)]
mod tests;
