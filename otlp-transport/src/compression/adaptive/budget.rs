//! Probes that may be made: on average one in 64 requests of a destination.

/// Budget of probes. Half of it is spent at once, in turns; the other half goes into a reserve for shifts of the traffic, until
/// the reserve is full.
#[derive(Debug)]
pub(super) struct ProbeBudget {
    /// Requests since the last probe that was not taken from the reserve.
    requests: u32,
    /// Requests that the reserve is made of: [`PROBE_COST`] for each probe.
    reserve: u32,
}

// === impl ProbeBudget ===

impl ProbeBudget {
    /// A budget with a full reserve, since everything is to be measured.
    pub(super) fn new() -> Self {
        Self { requests: 0, reserve: MAX_RESERVE }
    }

    /// Counts a request.
    pub(super) fn count(&mut self) {
        self.requests = self.requests.saturating_add(1);
        self.reserve = (self.reserve + 1).min(MAX_RESERVE);
    }

    /// True if it is time for a probe that is not urgent.
    pub(super) fn is_due(&self) -> bool {
        let interval = if self.reserve == MAX_RESERVE { PROBE_COST / 2 } else { PROBE_COST };
        self.requests >= interval
    }

    /// Takes a probe, from the reserve if it `is_urgent`. Returns false if there is none.
    pub(super) fn take(&mut self, is_urgent: bool) -> bool {
        if is_urgent && self.reserve >= PROBE_COST {
            self.reserve -= PROBE_COST;
            return true;
        }
        let is_due = self.is_due();
        if is_due {
            self.requests = 0;
        }
        is_due
    }
}

/// Requests that pay for a probe, as long as half of the budget goes into the reserve.
const PROBE_COST: u32 = 128;
/// Four size classes can be measured anew at once.
const MAX_RESERVE: u32 = 24 * PROBE_COST;
