//! Service discovery: the current list of endpoints.
//!
//! A [`Resolver`] only finds endpoints; [`BalancedClient`](crate::BalancedClient) picks one for each request. A new kind
//! of discovery is one more file with an `impl Resolver`.

mod dns;
mod file;
mod fixed;

pub use dns::{DnsConfig, DnsResolver};
pub use file::{DecodeEndpoints, FileConfig, FileResolver, endpoints_from_json};
pub use fixed::FixedResolver;

use crate::NetFuture;
use crate::user_info::without_secrets;
use std::fmt;

/// Finds endpoints.
///
/// The trait is the place for other ways of discovery, such as the EndpointSlices of Kubernetes or a service registry: `next`
/// waits for the next event of a watch, and returns the whole list. [`BalancedClient`](crate::BalancedClient) follows the
/// resolver in a task of its own and keeps the last list after errors; after an error it waits for 100 ms before the next call.
///
/// ```
/// use otlp_transport::{NetFuture, ResolvedEndpoint, Resolver};
/// use tokio::sync::watch;
///
/// /// Endpoints that another part of the program sets.
/// struct Watched(watch::Receiver<Vec<String>>);
///
/// impl Resolver for Watched {
///     fn name(&self) -> &'static str {
///         "watched"
///     }
///
///     fn known(&self) -> Vec<ResolvedEndpoint> {
///         self.0.borrow().iter().map(ResolvedEndpoint::new).collect()
///     }
///
///     fn next(&mut self) -> NetFuture<'_, Vec<ResolvedEndpoint>> {
///         Box::pin(async move {
///             if self.0.changed().await.is_err() {
///                 std::future::pending::<()>().await; // The list cannot change any more.
///             }
///             Ok(self.0.borrow_and_update().iter().map(ResolvedEndpoint::new).collect())
///         })
///     }
/// }
/// # let (sender, receiver) = watch::channel(vec!["backend-1:4317".to_owned()]);
/// # assert_eq!(Watched(receiver).known().len(), 1);
/// ```
pub trait Resolver: Send + 'static {
    /// Kind of resolver, as in the metric label `resolver`: `static`, `dns`, `file`.
    fn name(&self) -> &'static str;

    /// Endpoints known from the start, without a lookup. Default none.
    fn known(&self) -> Vec<ResolvedEndpoint> {
        Vec::new()
    }

    /// An endpoint as the resolver would find, used to check the client's settings before the first lookup. Default none.
    fn example(&self) -> Option<ResolvedEndpoint> {
        None
    }

    /// Returns the next list of all endpoints, once there may be a new list; the first list at once. An error or an empty
    /// list leaves the last list in use. Never resolves if the list cannot change; otherwise bounded in time.
    /// Cancel-safe.
    fn next(&mut self) -> NetFuture<'_, Vec<ResolvedEndpoint>>;
}

/// An endpoint found by a resolver. `Debug` output leaves out user, password and query of the endpoint.
///
/// ```
/// use otlp_transport::{FixedResolver, ResolvedEndpoint};
///
/// let mut large = ResolvedEndpoint::new("https://backend-1.example:4317");
/// large.weight = 3; // three of four requests
/// let resolver = FixedResolver::new(vec![large, ResolvedEndpoint::new("https://backend-2.example:4317")]);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ResolvedEndpoint {
    /// The endpoint that requests and certificates name, as in [`ClientConfig::endpoint`](crate::ClientConfig::endpoint).
    pub endpoint: String,
    /// `host:port` to connect to in place of the endpoint's own address, as in
    /// [`ClientConfig::connect_to`](crate::ClientConfig::connect_to).
    pub connect_to: Option<String>,
    /// The endpoint's share of the requests, relative to the other endpoints' weights. 0 counts as 1.
    pub weight: u32,
}

// === impl ResolvedEndpoint ===

impl ResolvedEndpoint {
    /// Makes an endpoint of weight 1 at its own address.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self { endpoint: endpoint.into(), connect_to: None, weight: 1 }
    }

    /// Returns the address that is connected to, which identifies the endpoint.
    pub fn address(&self) -> &str {
        self.connect_to.as_deref().unwrap_or(&self.endpoint)
    }

    /// True if one client can send to both endpoints.
    pub(crate) fn reaches_like(&self, other: &Self) -> bool {
        self.endpoint == other.endpoint && self.connect_to == other.connect_to
    }
}

impl fmt::Debug for ResolvedEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolvedEndpoint")
            .field("endpoint", &without_secrets(&self.endpoint))
            .field("connect_to", &self.connect_to)
            .field("weight", &self.weight)
            .finish()
    }
}
