//! Service discovery: which endpoints there are, as they come and go.
//!
//! A [`Resolver`] only finds them; who gets a request is [`balance`](crate::BalancedClient)'s business. Another way to find
//! them is one more file with an `impl Resolver`.

mod dns;
mod fixed;

pub use dns::{DnsConfig, DnsResolver};
pub use fixed::FixedResolver;

use crate::NetFuture;

/// Finds endpoints.
pub trait Resolver: Send + 'static {
    /// The way it finds them, as in the metric label `resolver`: `static`, `dns`.
    fn name(&self) -> &'static str;

    /// The endpoints that are known without asking anybody. Default none.
    fn known(&self) -> Vec<ResolvedEndpoint> {
        Vec::new()
    }

    /// An endpoint as it would find them, which settings are checked by before there is any. Default none.
    fn example(&self) -> Option<ResolvedEndpoint> {
        None
    }

    /// The next list of all endpoints, once there may be a new one; the first at once. An error, or an empty list, says
    /// nothing about the endpoints: those of the last list stay. Never resolves if nothing can change. Bounded in time
    /// otherwise; cancel-safe.
    fn next(&mut self) -> NetFuture<'_, Vec<ResolvedEndpoint>>;
}

/// An endpoint that a resolver found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedEndpoint {
    /// As in [`ClientConfig::endpoint`](crate::ClientConfig::endpoint): what requests and certificates name.
    pub endpoint: String,
    /// `host:port` to connect to instead of the endpoint's own, as in
    /// [`ClientConfig::connect_to`](crate::ClientConfig::connect_to).
    pub connect_to: Option<String>,
    /// Its share of the requests, relative to the others'; 0 is taken as 1.
    pub weight: u32,
}

// === impl ResolvedEndpoint ===

impl ResolvedEndpoint {
    /// An endpoint of weight 1, at its own address.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self { endpoint: endpoint.into(), connect_to: None, weight: 1 }
    }

    /// What tells it from the others: where it is connected to.
    pub fn address(&self) -> &str {
        self.connect_to.as_deref().unwrap_or(&self.endpoint)
    }

    /// Whether a client of the one is a client of the other.
    pub(crate) fn reaches_like(&self, other: &Self) -> bool {
        self.endpoint == other.endpoint && self.connect_to == other.connect_to
    }
}
