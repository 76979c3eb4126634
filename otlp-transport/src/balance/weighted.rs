//! Smooth weighted round robin: turns in proportion to weights, spread evenly over time.

use super::{Candidate, LoadBalancingStrategy};
use parking_lot::Mutex;
use std::collections::HashMap;

/// Sends requests in proportion to the weights, and spreads the turns of a heavy endpoint among those of the others:
/// weights 5, 1, 1 give `a a b a c a a`. For endpoints of known, different sizes.
///
/// The algorithm of nginx: with each request every candidate gains credit equal to its weight; the candidate with the
/// most credit is picked and loses the sum of the weights.
#[derive(Debug, Default)]
pub struct WeightedRoundRobinStrategy {
    /// Credit of each endpoint, by id.
    credits: Mutex<HashMap<u64, i64>>,
}

// === impl WeightedRoundRobinStrategy ===

impl WeightedRoundRobinStrategy {
    /// Picks among the candidates that `among` accepts. The other candidates neither gain nor lose credit.
    pub(super) fn pick_among(
        &self,
        candidates: &[Candidate],
        among: impl Fn(&Candidate) -> bool,
    ) -> Option<usize> {
        let mut credits = self.credits.lock();
        // Removes endpoints that are gone, but keeps candidates that are left out for a short time.
        if credits.len() > 2 * candidates.len() + KEPT {
            credits.retain(|id, _| candidates.iter().any(|candidate| candidate.id == *id));
        }
        let mut total = 0;
        let mut best: Option<(usize, u64, i64)> = None;
        for (index, candidate) in candidates.iter().enumerate().filter(|(_, candidate)| among(candidate)) {
            let weight = i64::from(candidate.weight.max(1));
            total += weight;
            let credit = credits.entry(candidate.id).or_default();
            *credit += weight;
            if best.is_none_or(|(_, _, most)| *credit > most) {
                best = Some((index, candidate.id, *credit));
            }
        }
        let (index, id, credit) = best?;
        credits.insert(id, credit - total);
        Some(index)
    }
}

impl LoadBalancingStrategy for WeightedRoundRobinStrategy {
    fn name(&self) -> &'static str {
        "weighted_round_robin"
    }

    fn pick(&self, candidates: &[Candidate], _: Option<u64>) -> Option<usize> {
        self.pick_among(candidates, |_| true)
    }
}

/// Endpoints remembered beyond the candidates.
const KEPT: usize = 64;
