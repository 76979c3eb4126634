//! Guards of the items of one batch: a single guard, or the guards of all requests that were joined into the batch.

use super::Held;
use super::hop::Shares;
use crate::retry::PartlyDelivered;
use otlp_transport::ExportError;

/// A guard of all items of a batch that is exported.
pub(crate) trait Guard: Send {
    /// Counts the items as in flight.
    fn start(&mut self);

    /// Counts the items as sent, and `rejected` of them as rejected by the destination.
    fn accept(self, rejected: u64);

    /// Counts the items as dropped or refused after the last attempt failed.
    fn fail(self, error: &ExportError);

    /// Counts the items of a batch that was sent in parts by their outcomes.
    fn settle_parts(self, outcomes: &PartlyDelivered);
}

/// The guards of the requests in a joined batch: a guard for each set of accounts and each state.
///
/// It is unknown which items of a joined batch the destination rejected or refused: they are counted for the first guards.
#[derive(Debug, Default)]
pub(crate) struct HeldSet(Vec<Held>);

// === impl HeldSet ===

impl HeldSet {
    /// Adds the guard of a request.
    pub(crate) fn add(&mut self, mut held: Held) {
        for known in &mut self.0 {
            held = match known.try_join(held) {
                None => return,
                Some(other) => other,
            };
        }
        self.0.push(held);
    }

    /// Moves up to `items` items to a new set.
    pub(crate) fn split_off(&mut self, items: u64) -> Self {
        let mut left = items;
        Self(self.0.iter_mut().map(|held| held.split_off(take(&mut left, held.items()))).collect())
    }

    /// Returns the number of items.
    pub(crate) fn items(&self) -> u64 {
        self.0.iter().map(Held::items).sum()
    }
}

impl Guard for HeldSet {
    fn start(&mut self) {
        self.0.iter_mut().for_each(Held::start);
    }

    fn accept(self, mut rejected: u64) {
        for held in self.0 {
            let own = take(&mut rejected, held.items());
            held.accept(own);
        }
    }

    fn fail(self, error: &ExportError) {
        self.0.into_iter().for_each(|held| held.fail(error));
    }

    fn settle_parts(self, outcomes: &PartlyDelivered) {
        let PartlyDelivered { mut failed, refused, mut too_large, mut rejected, .. } = *outcomes;
        let mut refused = refused.saturating_sub(too_large);
        for held in self.0 {
            let mut left = held.items();
            let mut share = |of: &mut u64| {
                let share = take(of, left);
                left -= share;
                share
            };
            let (failed, refused) = (share(&mut failed), share(&mut refused));
            let too_large = share(&mut too_large);
            let shares = Shares { failed, refused, too_large, rejected: share(&mut rejected) };
            held.settle_shares(shares, outcomes.failed == 0);
        }
    }
}

impl Guard for Held {
    fn start(&mut self) {
        Self::start(self);
    }

    fn accept(self, rejected: u64) {
        Self::accept(self, rejected);
    }

    fn fail(self, error: &ExportError) {
        Self::fail(self, error);
    }

    fn settle_parts(self, outcomes: &PartlyDelivered) {
        Self::settle_parts(self, outcomes);
    }
}

/// Takes up to `most` out of `left`.
fn take(left: &mut u64, most: u64) -> u64 {
    let taken = most.min(*left);
    *left -= taken;
    taken
}
