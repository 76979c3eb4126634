//! The accounts of a section of a pipeline, and the guards that carry items through the states of the ledger.

use super::{Account, DropReason};
use crate::component::{Reason, Tally};
use crate::retry::PartlyDelivered;
use otlp_transport::ExportError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The accounts of one section of a pipeline: from a receiver or a holder to the next holder or to the destinations. Cloning
/// shares the accounts.
///
/// Items are counted on every account of the hop: each destination is to get every item.
#[derive(Clone, Debug)]
pub struct Hop(Arc<[Arc<Account>]>);

/// Items that the sender still has, unless they are [sent](Self::send): dropping the guard counts them as refused.
#[derive(Debug)]
pub(crate) struct Unsent {
    hop: Hop,
    items: u64,
}

/// A guard of items that wait for their outcome. Dropping the guard counts accepted items as dropped for
/// [`DropReason::Shutdown`], since only a shutdown cancels accepted work; items that were not accepted yet count as refused.
/// Items that are stored on disk stay there: dropping their guard counts them as not yet accepted.
#[derive(Debug)]
pub struct Held {
    hop: Hop,
    items: u64,
    state: HeldState,
    /// True if the items are stored on disk until their outcome is final.
    is_stored: bool,
}

/// Items of a batch by outcomes other than sent.
#[derive(Clone, Copy)]
pub(super) struct Shares {
    pub(super) failed: u64,
    /// Refused with a final error, but not for their size.
    pub(super) refused: u64,
    /// Refused for their size.
    pub(super) too_large: u64,
    pub(super) rejected: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HeldState {
    /// The sender has no answer yet.
    Unaccepted,
    /// The sender has an answer, and another guard counts the items until these are accepted.
    Covered,
    Queued,
    InFlight,
}

// === impl Hop ===

impl Hop {
    /// Creates a hop that counts in these accounts.
    pub fn of(accounts: impl IntoIterator<Item = Arc<Account>>) -> Self {
        Self(accounts.into_iter().collect())
    }

    /// Creates a hop without accounts: nothing is counted.
    pub fn none() -> Self {
        Self::of([])
    }

    /// Returns the accounts, in order.
    pub(crate) fn accounts(&self) -> &[Arc<Account>] {
        &self.0
    }

    /// Creates a guard of items that are refused if it is dropped.
    pub(crate) fn unsent(&self, items: u64) -> Unsent {
        Unsent { hop: self.clone(), items }
    }

    /// Accepts items: the caller is responsible for them from now on.
    pub fn hold(&self, items: u64) -> Held {
        let mut held = self.unaccepted(items);
        held.admit();
        held
    }

    /// Creates a guard of items that are accepted with the destination's answer, or once a queue has them.
    pub(crate) fn unaccepted(&self, items: u64) -> Held {
        Held { hop: self.clone(), items, state: HeldState::Unaccepted, is_stored: false }
    }

    /// Creates a guard of items that another guard counts until they are accepted.
    pub(crate) fn covered(&self, items: u64) -> Held {
        Held { hop: self.clone(), items, state: HeldState::Covered, is_stored: false }
    }

    /// Counts refused items: the sender still has them.
    pub(crate) fn refuse(&self, items: u64) {
        self.each(|account| add(&account.refused, items));
    }

    /// Counts items that processors removed from and added to a batch that was accepted.
    pub(crate) fn settle(&self, tally: &Tally) {
        self.each(|account| account.settle(tally));
    }

    fn each(&self, count: impl Fn(&Account)) {
        self.0.iter().for_each(|account| count(account));
    }
}

// === impl Unsent ===

impl Unsent {
    /// Adds the items of another guard of the same hop.
    pub(crate) fn add(&mut self, other: Self) {
        self.items += other.leave();
    }

    /// Moves up to `items` items to a new guard.
    pub(crate) fn split_off(&mut self, items: u64) -> Self {
        let items = items.min(self.items);
        self.items -= items;
        self.hop.unsent(items)
    }

    /// Releases the items to the next component, which counts them from now on.
    pub(crate) fn send(self) {
        self.leave();
    }

    /// Accepts the items.
    pub(crate) fn hold(self) -> Held {
        let hop = self.hop.clone();
        hop.hold(self.leave())
    }

    fn leave(mut self) -> u64 {
        std::mem::take(&mut self.items)
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        if self.items > 0 {
            self.hop.refuse(self.items);
        }
    }
}

// === impl Held ===

impl Held {
    /// Returns the number of items.
    pub fn items(&self) -> u64 {
        self.items
    }

    /// Moves up to `items` items to a new guard.
    #[must_use]
    pub fn split_off(&mut self, items: u64) -> Self {
        let items = items.min(self.items);
        self.items -= items;
        Self { hop: self.hop.clone(), items, ..*self }
    }

    /// Adds the items of another guard of the same holder. A guard of another holder is dropped.
    pub fn join(&mut self, other: Self) {
        drop(self.try_join(other));
    }

    /// Adds the items of another guard, if both count in the same accounts and in the same state. Returns the other guard otherwise.
    pub(crate) fn try_join(&mut self, other: Self) -> Option<Self> {
        let is_same = Arc::ptr_eq(&self.hop.0, &other.hop.0)
            && (self.state, self.is_stored) == (other.state, other.is_stored);
        if !is_same {
            return Some(other);
        }
        self.add(other);
        None
    }

    /// Adjusts the guard to a batch of `items` items that the holder emits for the items it held. Held items beyond `items` count
    /// as dropped, since the holder did not account for them; further items count as produced. Returns the number of produced
    /// items that the caller settles once the batch is accepted.
    pub(crate) fn cover(&mut self, items: u64) -> u64 {
        self.settle(Reason::Dropped, self.items.saturating_sub(items));
        let produced = items.saturating_sub(self.items);
        self.items += produced;
        if self.state != HeldState::Queued {
            return produced;
        }
        self.hop.each(|account| {
            add(&account.produced, produced);
            add(&account.queued, produced);
        });
        0
    }

    /// Takes back the produced items that [`cover`](Self::cover) returned: the batch was not accepted.
    pub(crate) fn uncover(&mut self, produced: u64) {
        self.items = self.items.saturating_sub(produced);
    }

    pub(crate) fn hop(&self) -> &Hop {
        &self.hop
    }

    /// Adds the items of another guard of the same hop and in the same state.
    pub(crate) fn add(&mut self, mut other: Self) {
        self.items += std::mem::take(&mut other.items);
    }

    /// Counts up to `items` of the items as removed, for that reason.
    pub fn settle(&mut self, reason: Reason, items: u64) {
        let mut settled = self.split_off(items);
        let items = settled.leave();
        settled.accept_late(items);
        settled.hop.each(|account| account.take_out(reason, items));
    }

    /// Accepts the items, unless they are accepted already: they are queued now. For holders that answer once their state is on
    /// disk.
    pub fn admit(&mut self) {
        if matches!(self.state, HeldState::Unaccepted | HeldState::Covered) {
            self.hop.each(|account| {
                add(&account.accepted, self.items);
                add(&account.queued, self.items);
            });
            self.state = HeldState::Queued;
        }
    }

    /// Uncounts the items, also as accepted: a component behind has accepted the same items.
    pub(crate) fn withdraw(mut self) {
        self.uncount();
    }

    /// Says that the items are stored on disk until their outcome is final.
    pub(crate) fn store(&mut self) {
        self.is_stored = true;
    }

    /// Uncounts items that stay on disk until the next start: they are counted as accepted again then.
    fn leave_stored(&mut self) {
        self.uncount();
    }

    /// Counts the items as in flight.
    pub(crate) fn start(&mut self) {
        if self.state == HeldState::Queued {
            self.state = HeldState::InFlight;
            self.hop.each(|account| {
                add(&account.in_flight, self.items);
                sub(&account.queued, self.items);
            });
        }
    }

    /// Counts the items as sent, and `rejected` of them as rejected by the destination.
    pub(crate) fn accept(mut self, rejected: u64) {
        let items = self.leave();
        let rejected = rejected.min(items);
        self.accept_late(items);
        self.hop.each(|account| {
            add(&account.sent, items - rejected);
            add(&account.rejected, rejected);
        });
    }

    /// Counts the items as dropped or refused after the last attempt failed.
    pub(crate) fn fail(self, error: &ExportError) {
        self.drop_for(DropReason::of(error));
    }

    /// Counts the items of a batch that was sent in parts by their outcomes.
    pub(crate) fn settle_parts(self, outcomes: &PartlyDelivered) {
        let PartlyDelivered { failed, refused, too_large, rejected, .. } = *outcomes;
        let shares = Shares { failed, refused: refused.saturating_sub(too_large), too_large, rejected };
        self.settle_shares(shares, failed == 0);
    }

    /// Counts shares of the items by their outcomes, and the others as sent. `is_final`: the sender gets no retryable answer.
    pub(super) fn settle_shares(mut self, shares: Shares, is_final: bool) {
        self.split_off(shares.failed).drop_for(DropReason::RetriesExhausted);
        let mut refused = self.split_off(shares.refused.saturating_add(shares.too_large));
        if self.state == HeldState::Unaccepted && is_final {
            // The answer to the sender is a partial success.
            let items = refused.items;
            refused.accept(items);
        } else {
            refused.split_off(shares.too_large).drop_for(DropReason::TooLarge);
            refused.drop_for(DropReason::Permanent);
        }
        self.accept(shares.rejected);
    }

    /// Counts the items as dropped, or as refused if they were not accepted yet.
    pub(crate) fn drop_for(mut self, reason: DropReason) {
        self.give_up(reason);
    }

    fn give_up(&mut self, reason: DropReason) {
        let items = self.leave();
        match self.state {
            HeldState::Unaccepted => self.hop.refuse(items),
            HeldState::Covered => {}
            HeldState::Queued | HeldState::InFlight => {
                self.hop.each(|account| add(&account.dropped[reason as usize], items));
            }
        }
    }

    /// Uncounts all items, also as accepted.
    fn uncount(&mut self) {
        let is_accepted = matches!(self.state, HeldState::Queued | HeldState::InFlight);
        let items = self.leave();
        if is_accepted {
            self.hop.each(|account| sub(&account.accepted, items));
        }
    }

    /// Subtracts all items from the gauge of their state, and returns their number.
    fn leave(&mut self) -> u64 {
        let items = std::mem::take(&mut self.items);
        match self.state {
            HeldState::Unaccepted | HeldState::Covered => {}
            HeldState::Queued => self.hop.each(|account| sub(&account.queued, items)),
            HeldState::InFlight => self.hop.each(|account| sub(&account.in_flight, items)),
        }
        items
    }

    /// Counts items as accepted, unless they were accepted already.
    fn accept_late(&self, items: u64) {
        if matches!(self.state, HeldState::Unaccepted | HeldState::Covered) {
            self.hop.each(|account| add(&account.accepted, items));
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.items > 0 && self.is_stored {
            self.leave_stored();
        } else if self.items > 0 {
            self.give_up(DropReason::Shutdown);
        }
    }
}

fn add(counter: &AtomicU64, items: u64) {
    counter.fetch_add(items, Ordering::Relaxed);
}

fn sub(counter: &AtomicU64, items: u64) {
    counter.fetch_sub(items, Ordering::Relaxed);
}
