//! Figures of simulations.

/// What a simulation came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Everything that happened, for comparisons.
    pub(super) events: Vec<String>,
    pub(super) figures: Tally,
}

/// Sums over simulations.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) requests: u64,
    pub(super) refused: u64,
    pub(super) unanswered: u64,
    pub(super) items: u64,
    pub(super) arrivals: u64,
    pub(super) twice: u64,
    pub(super) power_cuts: u64,
    pub(super) kills: u64,
    pub(super) restarts: u64,
    pub(super) reloads: u64,
    pub(super) failed_operations: u64,
    pub(super) changed_bits: u64,
    /// Items of damaged records.
    pub(super) damaged_items: u64,
    pub(super) simulated_seconds: u64,
}

// === impl Tally ===

impl Tally {
    pub(super) fn add(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            refused: self.refused + other.refused,
            unanswered: self.unanswered + other.unanswered,
            items: self.items + other.items,
            arrivals: self.arrivals + other.arrivals,
            twice: self.twice + other.twice,
            power_cuts: self.power_cuts + other.power_cuts,
            kills: self.kills + other.kills,
            restarts: self.restarts + other.restarts,
            reloads: self.reloads + other.reloads,
            failed_operations: self.failed_operations + other.failed_operations,
            changed_bits: self.changed_bits + other.changed_bits,
            damaged_items: self.damaged_items + other.damaged_items,
            simulated_seconds: self.simulated_seconds + other.simulated_seconds,
        }
    }
}
