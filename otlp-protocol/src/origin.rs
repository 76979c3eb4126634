//! Origins of batches: properties of the sender that the receiver keeps.

use crate::Charge;
use bytes::Bytes;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::iter;
use std::net::IpAddr;
use std::sync::Arc;

/// Properties of a batch's sender that the receiver was configured to keep. Batches of different origins are not merged.
/// Comparing and hashing ignore the charge. `Debug` shows the names of headers, not their values.
///
/// ```
/// use otlp_protocol::Origin;
///
/// let origin = Origin { tenant: Some("acme".into()), ..Origin::default() };
/// assert_eq!(origin, Origin { tenant: Some("acme".into()), ..Origin::default() });
/// ```
#[derive(Default)]
pub struct Origin {
    /// Request headers on the receiver's allow-list, in the order of the list; an entry for each value of a header.
    pub headers: Vec<(Box<str>, Bytes)>,
    /// Authenticated identity of the sender.
    pub identity: Option<Box<str>>,
    /// Tenant that owns the telemetry.
    pub tenant: Option<Box<str>>,
    /// IP address of the sender.
    pub peer: Option<IpAddr>,
    /// Resource attributes by which batches are kept apart, in the order of the configuration. All resources of the batch
    /// have these values.
    pub resource: Vec<(Box<str>, Box<str>)>,
    /// The origin's share of the byte budget, released with the last origin derived from this origin.
    pub charge: Option<Arc<Charge>>,
}

// === impl Origin ===

impl Origin {
    /// Returns the memory that the origin takes, in bytes: a receiver charges this much.
    pub fn memory(&self) -> u64 {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len() + HEADER_BYTES);
        let resource = self.resource.iter().map(|(key, value)| key.len() + value.len() + HEADER_BYTES);
        let names = [&self.identity, &self.tenant].into_iter().flatten().map(|name| name.len());
        (size_of::<Self>() + headers.chain(resource).chain(names).sum::<usize>()) as u64
    }

    /// Returns the value of a header, whatever the case of its name; several values are joined by `,` (RFC 9110 §5.3).
    ///
    /// ```
    /// use otlp_protocol::Origin;
    ///
    /// let headers = ["a", "b"].map(|value| ("x-tenant".into(), value.into()));
    /// let origin = Origin { headers: headers.into(), ..Origin::default() };
    /// assert_eq!(origin.header("X-Tenant"), Some("a,b".into()));
    /// assert_eq!(origin.header("x-user"), None);
    /// ```
    pub fn header(&self, name: &str) -> Option<Bytes> {
        let mut values =
            self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let first = values.next()?;
        let Some(second) = values.next() else { return Some(first.clone()) };
        let mut joined = first.to_vec();
        for value in iter::once(second).chain(values) {
            joined.push(b',');
            joined.extend_from_slice(value);
        }
        Some(joined.into())
    }

    /// Returns the fields to compare: all except the charge.
    fn traits(&self) -> impl Eq + Hash {
        (&self.headers, &self.identity, &self.tenant, &self.peer, &self.resource)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("Origin")
            .field("headers", &headers)
            .field("identity", &self.identity)
            .field("tenant", &self.tenant)
            .field("peer", &self.peer)
            .field("resource", &self.resource)
            .field("charge", &self.charge)
            .finish()
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.traits() == other.traits()
    }
}

impl Eq for Origin {}

impl Hash for Origin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Hash::hash(&self.traits(), state);
    }
}

/// Memory of a kept header besides its name and value: the pointers, and the allocator's overhead.
const HEADER_BYTES: usize = 128;
