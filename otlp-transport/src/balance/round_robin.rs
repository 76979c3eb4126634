//! Round robin: endpoints in turn.

use super::{Candidate, LoadBalancingStrategy};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Sends each request to the next endpoint, without weights. For endpoints of equal size and requests of equal cost.
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
