//! The rules of delivery, checked when everything is over: what was acknowledged has arrived, and what arrived twice has a reason.

use super::backend::{Arrival, Backend, State};
use super::items::Item;
use super::plan::{Kind, MAX_JOINED, Plan};
use super::tally::Tally;
use std::collections::BTreeSet;

/// The end of a run of the gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ending {
    #[default]
    Stop,
    Kill,
    PowerCut,
}

/// What became of a run of the gateway.
#[derive(Clone, Debug, Default)]
pub(super) struct Fate {
    pub(super) ending: Ending,
    /// Items that the stop reported as dropped.
    pub(super) dropped: u64,
    pub(super) reloads: u64,
    /// Exporters whose deliveries could not be written to the cursor or read from the cursor, by number.
    pub(super) has_broken_cursor: BTreeSet<usize>,
}

pub(super) struct Verdict<'a> {
    pub(super) plan: &'a Plan,
    pub(super) items: &'a [Item],
    pub(super) backends: &'a [Backend],
    pub(super) fates: &'a [Fate],
}

// === impl Verdict ===

impl Verdict<'_> {
    pub(super) fn check(&self) -> Tally {
        let mut tally = Tally { items: self.items.len() as u64, ..Tally::default() };
        let mut lost_at_stops = 0;
        for (number, item) in (0..).zip(self.items) {
            for exporter in &self.plan.pipelines[item.pipeline].exporters {
                self.backends[*exporter].with_state(|state| {
                    let arrivals = state.arrivals.get(&number).map(Vec::as_slice).unwrap_or_default();
                    let has_arrived = !arrivals.is_empty() || state.refused.contains(&number);
                    lost_at_stops += u64::from(!has_arrived && self.is_lost(number, item, *exporter));
                    self.check_copies(number, item, *exporter, arrivals, state);
                    tally.arrivals += arrivals.len() as u64;
                    tally.twice += (arrivals.len() as u64).saturating_sub(1);
                });
            }
        }
        let dropped: u64 = self.fates.iter().map(|fate| fate.dropped).sum();
        assert!(lost_at_stops <= dropped, "{lost_at_stops} items are lost, {dropped} were reported");
        tally
    }

    /// True if an item that has not arrived may have been dropped at the end of a run that was stopped. Panics if it was acknowledged,
    /// and nothing explains the loss.
    fn is_lost(&self, number: u64, item: &Item, exporter: usize) -> bool {
        let Some(run) = item.acked else { return false };
        let fate = &self.fates[run];
        let plan = &self.plan.exporters[exporter];
        let is_last = run + 1 == self.fates.len();
        assert!(
            plan.kind == Kind::Memory && !is_last,
            "item {number} was acknowledged in run {run}, and never reached {}: {item:?}, {fate:?}",
            plan.id
        );
        fate.ending == Ending::Stop
    }

    /// Checks that each arrival after the first has a reason.
    fn check_copies(&self, number: u64, item: &Item, exporter: usize, arrivals: &[Arrival], state: &State) {
        let is_large = self.plan.exporters[exporter].kind == Kind::Joined
            && (item.request_items > MAX_JOINED || self.plan.pipelines[item.pipeline].has_batch);
        let is_explained = |arrival: &&Arrival| {
            let fate = &self.fates[arrival.run];
            let is_answered = state.attempts[arrival.attempt].is_answered;
            // Parts of a request that is refused or too large arrive one after the other: a run may end in between.
            let is_cut = (state.cut.contains(&number) || is_large)
                && (arrival.run + 1 < self.fates.len() || fate.reloads > 0);
            let later = &self.fates[arrival.run..];
            let is_forgotten = fate.ending == Ending::PowerCut
                || later.iter().any(|fate| fate.has_broken_cursor.contains(&exporter));
            !is_answered || is_cut || is_forgotten
        };
        let allowed = item.sent + arrivals.iter().filter(is_explained).count() as u64;
        assert!(
            arrivals.len() as u64 <= allowed,
            "item {number} reached {} {} times, {allowed} times are explained: {item:?}, {arrivals:?}, {:?}",
            self.plan.exporters[exporter].id,
            arrivals.len(),
            self.fates
        );
    }
}
