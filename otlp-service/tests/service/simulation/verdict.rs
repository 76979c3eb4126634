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
    /// Bits that changed in segments, by exporter.
    pub(super) rotten: &'a [u64],
}

/// Items that were acknowledged, and never arrived.
struct Lost {
    at_stops: u64,
    /// By exporter.
    damaged: Vec<u64>,
}

// === impl Verdict ===

impl Verdict<'_> {
    pub(super) fn check(&self) -> Tally {
        let mut tally = Tally { items: self.items.len() as u64, ..Tally::default() };
        let mut lost = Lost { at_stops: 0, damaged: vec![0; self.backends.len()] };
        for (number, item) in (0..).zip(self.items) {
            for exporter in &self.plan.pipelines[item.pipeline].exporters {
                self.backends[*exporter].with_state(|state| {
                    let arrivals = state.arrivals.get(&number).map(Vec::as_slice).unwrap_or_default();
                    if arrivals.is_empty() && !state.refused.contains(&number) {
                        self.check_loss(number, item, *exporter, &mut lost);
                    }
                    self.check_copies(number, item, *exporter, arrivals, state);
                    tally.arrivals += arrivals.len() as u64;
                    tally.twice += (arrivals.len() as u64).saturating_sub(1);
                });
            }
        }
        let dropped: u64 = self.fates.iter().map(|fate| fate.dropped).sum();
        assert!(lost.at_stops <= dropped, "{} items are lost, {dropped} were reported", lost.at_stops);
        for (plan, (damaged, bits)) in self.plan.exporters.iter().zip(lost.damaged.iter().zip(self.rotten)) {
            // A bit damages one record.
            let most = bits * MOST_STORED;
            assert!(*damaged <= most, "{damaged} items never reached {}, after {bits} changed bits", plan.id);
            tally.damaged_items += damaged;
        }
        tally
    }

    /// Counts an item that has not arrived. Panics if the item was acknowledged, and nothing explains the loss.
    fn check_loss(&self, number: u64, item: &Item, exporter: usize, lost: &mut Lost) {
        let Some(run) = item.acked else { return };
        let fate = &self.fates[run];
        let plan = &self.plan.exporters[exporter];
        let is_last = run + 1 == self.fates.len();
        if plan.kind == Kind::Memory && !is_last {
            lost.at_stops += u64::from(fate.ending == Ending::Stop);
            return;
        }
        assert!(
            self.rotten[exporter] > 0,
            "item {number} was acknowledged in run {run}, and never reached {}: {item:?}, {fate:?}",
            plan.id
        );
        lost.damaged[exporter] += 1;
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

/// Items of the largest record: a batch that is one item short of being full, and a request of 60.
const MOST_STORED: u64 = 79;
