//! Smooth weighted round robin: turns by weight, spread evenly over time.

use super::{Candidate, LoadBalancingStrategy};
use parking_lot::Mutex;
use std::collections::HashMap;

/// Requests in proportion to the weights, with the turns of a heavy endpoint spread among the others': weights 5, 1, 1
/// give `a a b a c a a`. For endpoints of known, different size.
///
/// nginx's algorithm: with each request every candidate gains its weight; the one that has most is picked and pays the
/// sum of the weights.
#[derive(Debug, Default)]
pub struct WeightedRoundRobinStrategy {
    /// What each endpoint has, by id.
    credits: Mutex<HashMap<u64, i64>>,
}

// === impl WeightedRoundRobinStrategy ===

impl WeightedRoundRobinStrategy {
    /// Picks among the candidates that `among` admits; the others neither gain nor pay.
    pub(super) fn pick_among(
        &self,
        candidates: &[Candidate],
        among: impl Fn(&Candidate) -> bool,
    ) -> Option<usize> {
        let mut credits = self.credits.lock();
        // Those that left are forgotten, but not one that is passed over for once.
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

/// Endpoints that may be remembered beyond the candidates.
const KEPT: usize = 64;
