//! The accounts of a stretch of a pipeline, and the guards that carry items through the ledger's states.

use super::{Account, DropReason};
use crate::component::{Reason, Tally};
use crate::retry::PartlyDelivered;
use otlp_transport::ExportError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The accounts that one stretch of a pipeline fills: from a receiver, or from a stage that holds data, to the next stage
/// that holds data, or to the destinations. Cloning shares the accounts.
///
/// Whatever is counted is counted on every account of the hop: each destination is to get every item.
#[derive(Clone, Debug)]
pub struct Hop(Arc<[Arc<Account>]>);

/// Items that stay the sender's unless they are [sent](Self::send): dropping the guard counts them as refused.
#[derive(Debug)]
pub(crate) struct Unsent {
    hop: Hop,
    items: u64,
}

/// Items that somebody must settle. A guard that is dropped unsettled counts accepted items as dropped for
/// [`DropReason::Shutdown`], since nothing but a shutdown cancels work that was accepted; items that were not accepted yet
/// count as refused.
#[derive(Debug)]
pub struct Held {
    hop: Hop,
    items: u64,
    state: HeldState,
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
    /// The hop that fills these accounts.
    pub fn of(accounts: impl IntoIterator<Item = Arc<Account>>) -> Self {
        Self(accounts.into_iter().collect())
    }

    /// No accounts: nothing is counted.
    pub fn none() -> Self {
        Self::of([])
    }

    /// The accounts, in order.
    pub(crate) fn accounts(&self) -> &[Arc<Account>] {
        &self.0
    }

    /// Items that are refused if the guard is dropped.
    pub(crate) fn unsent(&self, items: u64) -> Unsent {
        Unsent { hop: self.clone(), items }
    }

    /// Accepts items: the caller answers for them from here on, whether they wait in memory or on disk.
    pub fn hold(&self, items: u64) -> Held {
        let mut held = self.unaccepted(items);
        held.admit();
        held
    }

    /// Items that are accepted only by the destination's answer, or once a queue has them.
    pub(crate) fn unaccepted(&self, items: u64) -> Held {
        Held { hop: self.clone(), items, state: HeldState::Unaccepted }
    }

    /// Items that another guard counts until these are accepted.
    pub(crate) fn covered(&self, items: u64) -> Held {
        Held { hop: self.clone(), items, state: HeldState::Covered }
    }

    /// Counts items that stay the sender's.
    pub(crate) fn refuse(&self, items: u64) {
        self.each(|account| add(&account.refused, items));
    }

    /// Counts what processors did to items of a batch whose rest was accepted.
    pub(crate) fn settle(&self, tally: &Tally) {
        self.each(|account| account.settle(tally));
    }

    fn each(&self, count: impl Fn(&Account)) {
        self.0.iter().for_each(|account| count(account));
    }
}

// === impl Unsent ===

impl Unsent {
    /// Takes in the items of another guard of the same hop.
    pub(crate) fn add(&mut self, other: Self) {
        self.items += other.leave();
    }

    /// Moves up to `items` items to a guard of their own.
    pub(crate) fn split_off(&mut self, items: u64) -> Self {
        let items = items.min(self.items);
        self.items -= items;
        self.hop.unsent(items)
    }

    /// Gives the items up to the next component, which counts them from here on.
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
    /// How many items are held.
    pub fn items(&self) -> u64 {
        self.items
    }

    /// Moves up to `items` items to a guard of their own.
    #[must_use]
    pub fn split_off(&mut self, items: u64) -> Self {
        let items = items.min(self.items);
        self.items -= items;
        Self { hop: self.hop.clone(), items, state: self.state }
    }

    /// Takes in the items of another guard of the same holder. Items of a guard that counts elsewhere are given up.
    pub fn join(&mut self, other: Self) {
        if Arc::ptr_eq(&self.hop.0, &other.hop.0) && self.state == other.state {
            self.add(other);
        }
    }

    /// Makes the guard hold the items of a batch that is emitted for what came in. Items held beyond these count as dropped,
    /// since the holder did not mention them; items beyond those held as produced. Returns the produced items that are to
    /// be settled once the batch is accepted, because nothing of it has been yet.
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

    pub(crate) fn hop(&self) -> &Hop {
        &self.hop
    }

    /// Takes in the items of another guard of the same hop and in the same state.
    pub(crate) fn add(&mut self, mut other: Self) {
        self.items += std::mem::take(&mut other.items);
    }

    /// Counts up to `items` of the items as taken out, for that reason: they do not go on.
    pub fn settle(&mut self, reason: Reason, items: u64) {
        let mut settled = self.split_off(items);
        let items = settled.leave();
        settled.accept_late(items);
        settled.hop.each(|account| account.take_out(reason, items));
    }

    /// Accepts the items, if that has not happened yet: they wait now. For those who answer once their state is on disk.
    pub fn admit(&mut self) {
        if matches!(self.state, HeldState::Unaccepted | HeldState::Covered) {
            self.hop.each(|account| {
                add(&account.accepted, self.items);
                add(&account.queued, self.items);
            });
            self.state = HeldState::Queued;
        }
    }

    /// Takes the items back, also from what was accepted: somebody behind has accepted the same items.
    pub(crate) fn withdraw(mut self) {
        let is_accepted = matches!(self.state, HeldState::Queued | HeldState::InFlight);
        let items = self.leave();
        if is_accepted {
            self.hop.each(|account| sub(&account.accepted, items));
        }
    }

    /// Starts the way to the destination.
    pub(crate) fn start(&mut self) {
        if self.state == HeldState::Queued {
            self.state = HeldState::InFlight;
            self.hop.each(|account| {
                add(&account.in_flight, self.items);
                sub(&account.queued, self.items);
            });
        }
    }

    /// Counts the items as sent, but for `rejected` items that the destination rejected.
    pub(crate) fn accept(mut self, rejected: u64) {
        let items = self.leave();
        let rejected = rejected.min(items);
        self.accept_late(items);
        self.hop.each(|account| {
            add(&account.sent, items - rejected);
            add(&account.rejected, rejected);
        });
    }

    /// Gives the items up: the destination did not accept them, and no attempt follows.
    pub(crate) fn fail(self, error: &ExportError) {
        let retryable = error.retry().is_retryable();
        self.drop_for(if retryable { DropReason::RetriesExhausted } else { DropReason::Permanent });
    }

    /// Settles items of which parts had different fates.
    pub(crate) fn settle_parts(mut self, fates: &PartlyDelivered) {
        self.split_off(fates.failed).drop_for(DropReason::RetriesExhausted);
        let refused = self.split_off(fates.refused);
        if self.state == HeldState::Unaccepted && fates.failed == 0 {
            // The sender is told with the rest, by a partial success.
            let items = refused.items;
            refused.accept(items);
        } else {
            refused.drop_for(DropReason::Permanent);
        }
        self.accept(fates.rejected);
    }

    /// Gives the items up: refused if they were not accepted yet.
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

    /// Takes all items out of the gauge of their state.
    fn leave(&mut self) -> u64 {
        let items = std::mem::take(&mut self.items);
        match self.state {
            HeldState::Unaccepted | HeldState::Covered => {}
            HeldState::Queued => self.hop.each(|account| sub(&account.queued, items)),
            HeldState::InFlight => self.hop.each(|account| sub(&account.in_flight, items)),
        }
        items
    }

    /// Counts items as accepted that were not when they left.
    fn accept_late(&self, items: u64) {
        if matches!(self.state, HeldState::Unaccepted | HeldState::Covered) {
            self.hop.each(|account| add(&account.accepted, items));
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.items > 0 {
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
