//! Balancing: which of several endpoints gets a request.
//!
//! Three things stand apart. A [`LoadBalancingStrategy`] picks among candidates and knows neither time nor network; the
//! ejection of endpoints that fail (`outlier`) decides who is a candidate and is handed the time; [`BalancedClient`] is
//! the shell around both: it follows a [`Resolver`](crate::Resolver), keeps a client for each endpoint and takes what one
//! endpoint did not take to another.
//!
//! The unit is the request, never the item; only [`RoutingKey::TraceId`] looks at items, to cut a request by endpoint.

mod client;
mod consistent_hash;
mod endpoint_set;
mod joined;
mod least_connections;
mod outlier;
mod round_robin;
mod routing;
mod stats;
mod weighted;

pub use client::BalancedClient;
pub use consistent_hash::{ConsistentHashStrategy, hash_key};
pub use least_connections::LeastConnectionsStrategy;
pub use outlier::EjectionConfig;
pub use round_robin::RoundRobinStrategy;
pub use routing::RoutingKey;
pub use stats::{BalanceStats, EndpointStats, LATENCY_BOUNDS_MS};
pub use weighted::WeightedRoundRobinStrategy;

use std::fmt;
use std::sync::Arc;

/// Picks one of several endpoints for a request. Without I/O and without a clock; what it remembers, it keeps behind
/// `&self`.
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
    /// The policy's name, as in a configuration: `round_robin`.
    fn name(&self) -> &'static str;

    /// The index of the candidate that gets a request with this key; `None` only if there are none.
    fn pick(&self, candidates: &[Candidate], key: Option<u64>) -> Option<usize>;
}

/// An endpoint that may be picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who it is: a hash of its address, the same in every process.
    pub id: u64,
    /// Its share of the requests, relative to the others'; at least 1.
    pub weight: u32,
    /// Requests it was sent and has not answered.
    pub in_flight: u64,
}

/// The policies there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BalancePolicy {
    /// One after the other, whatever their weights.
    #[default]
    RoundRobin,
    /// In turns by weight.
    WeightedRoundRobin,
    /// The one with the fewest requests in flight for its weight; in configurations `least_requests`.
    LeastConnections,
    /// By key.
    ConsistentHash,
}

/// How requests are spread over endpoints.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct BalanceConfig {
    /// Who gets a request. Default round robin.
    pub policy: BalancePolicy,
    /// What the consistent hash is of. Default the trace id.
    pub routing: RoutingKey,
    /// When an endpoint that fails is left out, and for how long.
    pub ejection: EjectionConfig,
    /// What balancing may cost.
    pub limits: BalanceLimits,
}

/// Named limits of balancing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BalanceLimits {
    /// Endpoints; further ones that a resolver finds are left out and counted. Default 256.
    pub max_endpoints: usize,
    /// Further endpoints that a request is taken to within one attempt. Default 2.
    pub max_failovers: usize,
}

// === impl BalancePolicy ===

impl BalancePolicy {
    /// A strategy of that policy, without memory of requests.
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
