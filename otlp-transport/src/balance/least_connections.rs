//! Least connections: requests go to the endpoint with the fewest requests in flight.

use super::{Candidate, LoadBalancingStrategy, WeightedRoundRobinStrategy};
use std::cmp::Ordering;

/// Sends each request to the endpoint with the fewest requests in flight for its weight; endpoints with equally many take
/// turns by weight. For endpoints or requests of different and unknown cost: a slow endpoint gets fewer requests.
///
/// Requests are counted, not connections, since HTTP/2 carries all requests on few connections. Every pick compares all
/// candidates: they are few, and the requests in flight of each are known exactly.
#[derive(Debug, Default)]
pub struct LeastConnectionsStrategy {
    turns: WeightedRoundRobinStrategy,
}

impl LoadBalancingStrategy for LeastConnectionsStrategy {
    fn name(&self) -> &'static str {
        "least_requests"
    }

    fn pick(&self, candidates: &[Candidate], _: Option<u64>) -> Option<usize> {
        let least = *candidates.iter().min_by(|a, b| compare(a, b))?;
        self.turns.pick_among(candidates, |candidate| compare(candidate, &least).is_eq())
    }
}

/// Compares requests in flight per unit of weight, without a division.
fn compare(a: &Candidate, b: &Candidate) -> Ordering {
    let load = |of: &Candidate, other: &Candidate| u128::from(of.in_flight) * u128::from(other.weight.max(1));
    load(a, b).cmp(&load(b, a))
}
