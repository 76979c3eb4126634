//! State of the endpoints of a balanced client, for display.

use super::stats::EndpointStats;
use std::sync::Arc;
use std::time::Duration;

/// An endpoint of a balanced client at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EndpointStatus {
    /// The endpoint's address, without user and password.
    pub endpoint: String,
    /// The endpoint's share of the requests, relative to the other endpoints' weights.
    pub weight: u32,
    /// Use of the endpoint.
    pub state: EndpointState,
    /// Counters of the endpoint.
    pub stats: Arc<EndpointStats>,
}

/// Use of an endpoint by a balanced client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointState {
    /// The endpoint gets its share of the requests.
    InUse,
    /// The endpoint is left out after failures, for this time; at zero, the next request probes the endpoint.
    Ejected(Duration),
    /// The endpoint is left out after failures, and one request probes the endpoint now.
    Probing,
    /// The endpoint has asked for a delay, of which this time is left.
    Throttled(Duration),
}
