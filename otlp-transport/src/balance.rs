//! Balancing of requests over several endpoints.
//!
//! A [`LoadBalancingStrategy`] picks among candidates, without time and network. Outlier ejection (`outlier`) decides
//! which endpoints are candidates; the caller passes the time. [`BalancedClient`] does the I/O: the client follows a
//! [`Resolver`](crate::Resolver), keeps a client for each endpoint, and sends a batch that one endpoint did not accept to
//! another.
//!
//! Requests are balanced, not items. Only a [`RoutingKey`] of the batch's content cuts a request by endpoint.

mod client;
mod consistent_hash;
mod endpoint_set;
mod joined;
mod least_connections;
mod outlier;
mod round_robin;
mod routing;
mod stats;
mod status;
mod weighted;

pub use client::BalancedClient;
pub use consistent_hash::{ConsistentHashStrategy, hash_key};
pub use least_connections::LeastConnectionsStrategy;
pub use outlier::EjectionConfig;
pub use round_robin::RoundRobinStrategy;
pub use routing::RoutingKey;
pub use stats::{BalanceStats, EndpointStats, LATENCY_BOUNDS_MS};
pub use status::{EndpointState, EndpointStatus};
pub use weighted::WeightedRoundRobinStrategy;

use std::fmt;
use std::sync::Arc;

/// Picks one of several endpoints for a request, without I/O and without a clock. State is kept behind `&self`.
///
/// ```
/// use otlp_transport::{BalancePolicy, Candidate};
///
/// let candidates = [1, 2, 3].map(|id| Candidate { id, weight: 1, in_flight: 0 });
/// let strategy = BalancePolicy::ConsistentHash.strategy();
/// let first = strategy.pick(&candidates, Some(42)).unwrap();
/// assert_eq!(strategy.pick(&candidates, Some(42)), Some(first));
/// assert_eq!(strategy.pick(&[], Some(42)), None);
/// ```
pub trait LoadBalancingStrategy: fmt::Debug + Send + Sync + 'static {
    /// Name of the policy, as in a configuration: `round_robin`.
    fn name(&self) -> &'static str;

    /// Returns the index of the candidate for a request with this key; `None` if there are no candidates.
    fn pick(&self, candidates: &[Candidate], key: Option<u64>) -> Option<usize>;
}

/// An endpoint that can be picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Hash of the endpoint's address, the same in every process.
    pub id: u64,
    /// The endpoint's share of the requests, relative to the other endpoints' weights; at least 1.
    pub weight: u32,
    /// Requests it was sent and has not answered.
    pub in_flight: u64,
}

/// Policy of balancing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BalancePolicy {
    /// Endpoints in turn, without weights.
    #[default]
    RoundRobin,
    /// Endpoints in turn, in proportion to their weights.
    WeightedRoundRobin,
    /// The endpoint with the fewest requests in flight for its weight; `least_requests` in configurations.
    LeastConnections,
    /// The endpoint that a hash of the request's key names.
    ConsistentHash,
}

/// Settings of balancing.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct BalanceConfig {
    /// Policy that picks an endpoint for a request. Default round robin.
    pub policy: BalancePolicy,
    /// Key of the consistent hash. Default the trace id.
    pub routing: RoutingKey,
    /// Ejection of endpoints that fail.
    pub ejection: EjectionConfig,
    /// Limits of balancing.
    pub limits: BalanceLimits,
}

/// Limits of balancing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BalanceLimits {
    /// The largest number of endpoints. Endpoints that a resolver finds beyond the limit are left out and counted.
    /// Default 256.
    pub max_endpoints: usize,
    /// Further endpoints that a request is sent to within one attempt. Default 2.
    pub max_failovers: usize,
}

// === impl BalancePolicy ===

impl BalancePolicy {
    /// Makes a strategy of this policy, without history.
    pub fn strategy(self) -> Arc<dyn LoadBalancingStrategy> {
        match self {
            Self::RoundRobin => Arc::new(RoundRobinStrategy::default()),
            Self::WeightedRoundRobin => Arc::new(WeightedRoundRobinStrategy::default()),
            Self::LeastConnections => Arc::new(LeastConnectionsStrategy::default()),
            Self::ConsistentHash => Arc::new(ConsistentHashStrategy::default()),
        }
    }
}

// === impl BalanceLimits ===

impl Default for BalanceLimits {
    fn default() -> Self {
        Self { max_endpoints: 256, max_failovers: 2 }
    }
}

#[cfg(test)]
mod tests;
