//! Settings of services.

use crate::RetryConfig;
use otlp_transport::{
    BalanceConfig, BalancePolicy, ClientConfig, ClientStrategy, FixedResolver, GrpcTransportStrategy,
    ResolvedEndpoint, Resolver,
};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Settings of a service: protocol, client, balancing, retries.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServicePolicy {
    /// Protocol of the endpoints. Default gRPC.
    pub strategy: Arc<dyn ClientStrategy>,
    /// Settings of the client of each endpoint; `endpoint` and `connect_to` are not used. Default that of [`ClientConfig`].
    pub client: ClientConfig,
    /// Balancing over the endpoints, and ejection of endpoints that fail. Default [`BalancePolicy::LeastConnections`], so that
    /// a slow endpoint gets fewer calls.
    pub balance: BalanceConfig,
    /// Retries of a call. The caller waits for them: the default is 100 ms before the second attempt, at most 5 s between two
    /// attempts, and 30 s in all.
    pub retry: RetryConfig,
    /// The most calls under way at a time; further calls are refused retryably and counted. Default 1000.
    pub max_calls: usize,
}

/// Limits of a [`MicroserviceArchitecture`](crate::MicroserviceArchitecture).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServiceLimits {
    /// The most services; further services are not registered. Default 1024.
    pub max_services: usize,
}

/// The endpoints of a service: a fixed list, or a resolver that finds them.
pub struct ServiceEndpoints(pub(super) Box<dyn Resolver>);

// === impl ServicePolicy ===

impl Default for ServicePolicy {
    fn default() -> Self {
        let mut balance = BalanceConfig::default();
        balance.policy = BalancePolicy::LeastConnections;
        let retry = RetryConfig {
            initial_interval: Duration::from_millis(100),
            max_interval: Duration::from_secs(5),
            max_elapsed_time: Some(Duration::from_secs(30)),
            ..RetryConfig::default()
        };
        Self {
            strategy: Arc::new(GrpcTransportStrategy),
            client: ClientConfig::new(""),
            balance,
            retry,
            max_calls: 1000,
        }
    }
}

impl fmt::Debug for ServicePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServicePolicy")
            .field("client", &self.client)
            .field("balance", &self.balance)
            .field("retry", &self.retry)
            .field("max_calls", &self.max_calls)
            .finish_non_exhaustive()
    }
}

// === impl ServiceLimits ===

impl Default for ServiceLimits {
    fn default() -> Self {
        Self { max_services: 1024 }
    }
}

// === impl ServiceEndpoints ===

impl From<Box<dyn Resolver>> for ServiceEndpoints {
    fn from(resolver: Box<dyn Resolver>) -> Self {
        Self(resolver)
    }
}

impl From<Vec<ResolvedEndpoint>> for ServiceEndpoints {
    fn from(endpoints: Vec<ResolvedEndpoint>) -> Self {
        Self(Box::new(FixedResolver::new(endpoints)))
    }
}

impl<const N: usize> From<[&str; N]> for ServiceEndpoints {
    /// Endpoints of equal weight.
    fn from(endpoints: [&str; N]) -> Self {
        endpoints.map(ResolvedEndpoint::new).to_vec().into()
    }
}

impl fmt::Debug for ServiceEndpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServiceEndpoints").field(&self.0.name()).finish()
    }
}
