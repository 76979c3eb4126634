//! Counters of decisions, by the Collector's names.

use super::decide::{Policy, Verdict};
use super::place::Place;
use crate::component::ProcessorMetrics;
use crate::telemetry::Counter;

/// The counters of a sampler in a pipeline. The default is in no registry.
#[derive(Debug, Default)]
pub(super) struct Stats {
    /// For each policy: items that were dropped, and items that were kept.
    counters: [[Counter; 2]; Policy::ALL.len()],
}

/// Decisions on the items of one request, as in [`Stats`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    counts: [[u64; 2]; Policy::ALL.len()],
}

// === impl Stats ===

impl Stats {
    pub(super) fn new(metrics: &ProcessorMetrics<'_>, place: Place, attribute: &str) -> Self {
        let mut stats = Self::default();
        let name = format!("otelcol_processor_probabilistic_sampler_count_{}_sampled", place.noun);
        for (policy, counters) in Policy::ALL.into_iter().zip(&mut stats.counters) {
            let policy = policy.name(attribute);
            for (sampled, counter) in
                ["false", "true"].into_iter().zip(counters).filter(|_| !policy.is_empty())
            {
                let labels = [("policy", policy), ("sampled", sampled)];
                *counter = metrics.counter(&name, "Items by the decision of a sampler.", &labels);
            }
        }
        stats
    }

    pub(super) fn add(&self, tally: &Tally) {
        let counters = self.counters.as_flattened().iter().zip(tally.counts.as_flattened());
        counters.filter(|(_, count)| **count > 0).for_each(|(counter, count)| counter.add(*count));
    }
}

// === impl Tally ===

impl Tally {
    #[inline]
    pub(super) fn count(&mut self, verdict: Verdict) {
        // Policies are declared in the order of `Policy::ALL`.
        self.counts[verdict.policy as usize][usize::from(verdict.is_sampled)] += 1;
    }
}
