//! Least connections: the endpoint that has the least to do.

use super::{Candidate, LoadBalancingStrategy, WeightedRoundRobinStrategy};
use std::cmp::Ordering;

/// Each request to the endpoint with the fewest requests in flight for its weight; equals take turns by weight. For
/// endpoints or requests that differ in ways nobody wrote down: a slow endpoint gets less by itself.
///
/// It counts requests, not connections: HTTP/2 carries all of them on a few. All candidates are looked at, since there
/// are few of them and what each has in flight is known exactly; two random choices would do with less only where asking
/// costs.
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

/// Compares requests in flight for each unit of weight, without dividing.
fn compare(a: &Candidate, b: &Candidate) -> Ordering {
    let load = |of: &Candidate, other: &Candidate| u128::from(of.in_flight) * u128::from(other.weight.max(1));
    load(a, b).cmp(&load(b, a))
}
