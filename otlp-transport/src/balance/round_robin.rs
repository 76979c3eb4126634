//! Round robin: one after the other.

use super::{Candidate, LoadBalancingStrategy};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Each request to the next endpoint, whatever the weights. For endpoints that are alike and requests that cost alike.
#[derive(Debug, Default)]
pub struct RoundRobinStrategy {
    next: AtomicUsize,
}

impl LoadBalancingStrategy for RoundRobinStrategy {
    fn name(&self) -> &'static str {
        "round_robin"
    }

    fn pick(&self, candidates: &[Candidate], _: Option<u64>) -> Option<usize> {
        self.next.fetch_add(1, Ordering::Relaxed).checked_rem(candidates.len())
    }
}
