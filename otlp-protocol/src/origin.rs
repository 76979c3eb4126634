//! Where a batch comes from, as far as that is kept.

use crate::Charge;
use bytes::Bytes;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

/// The sender of a batch, as far as the receiver was told to keep it. Batches of different origins are not merged.
/// Comparing and hashing leave out the charge.
#[derive(Debug, Default)]
pub struct Origin {
    /// Allow-listed request headers, in the order of the allow-list.
    pub headers: Vec<(Box<str>, Bytes)>,
    /// Who the sender proved to be.
    pub identity: Option<Box<str>>,
    /// Whose telemetry it is.
    pub tenant: Option<Box<str>>,
    /// The address it came from, without the port.
    pub peer: Option<IpAddr>,
    /// Resource attributes that batches are kept apart by, in the order of the configuration; all resources of the batch
    /// have them.
    pub resource: Vec<(Box<str>, Box<str>)>,
    /// What the origin holds of the byte budget, given back with the last origin that was made of this one.
    pub charge: Option<Arc<Charge>>,
}

// === impl Origin ===

impl Origin {
    /// Memory that the origin takes, in bytes: what a receiver charges.
    pub fn memory(&self) -> u64 {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len() + HEADER_BYTES);
        let resource = self.resource.iter().map(|(key, value)| key.len() + value.len() + HEADER_BYTES);
        let names = [&self.identity, &self.tenant].into_iter().flatten().map(|name| name.len());
        (size_of::<Self>() + headers.chain(resource).chain(names).sum::<usize>()) as u64
    }

    /// All but the charge.
    fn traits(&self) -> impl Eq + Hash {
        (&self.headers, &self.identity, &self.tenant, &self.peer, &self.resource)
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

/// What a kept header takes beside its name and value: their handles, and what an allocator adds.
const HEADER_BYTES: usize = 128;
