//! Items on their way through the ledger's states.

use super::{Account, DropReason};
use crate::retry::PartlyDelivered;
use otlp_transport::ExportError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Items for which somebody must still answer. Dropped unsettled, they are refused if they were not accepted yet, and
/// dropped for [`DropReason::Shutdown`] if they were: nothing but a shutdown cancels work that was accepted.
#[derive(Debug)]
pub(crate) struct Holding {
    account: Arc<Account>,
    items: u64,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The answer is still out: end_to_end.
    Unaccepted,
    Queued,
    InFlight,
}

impl Holding {
    /// Items that are accepted only by the destination's answer.
    pub(crate) fn unaccepted(account: &Arc<Account>, items: u64) -> Self {
        Self { account: account.clone(), items, stage: Stage::Unaccepted }
    }

    /// Accepts items into memory.
    pub(crate) fn admitted(account: &Arc<Account>, items: u64) -> Self {
        let mut holding = Self { account: account.clone(), items: 0, stage: Stage::Queued };
        holding.admit(items);
        holding
    }

    /// Accepts more items, into a batch that already waits.
    pub(crate) fn admit(&mut self, items: u64) {
        add(&self.account.accepted, items);
        add(&self.account.queued, items);
        self.items += items;
    }

    /// Parts with up to `items` of them, in the same stage.
    pub(crate) fn split_off(&mut self, items: u64) -> Self {
        let items = items.min(self.items);
        self.items -= items;
        Self { account: self.account.clone(), items, stage: self.stage }
    }

    /// Leaves the queue for the destination.
    pub(crate) fn start(&mut self) {
        if self.stage == Stage::Queued {
            self.stage = Stage::InFlight;
            add(&self.account.in_flight, self.items);
            sub(&self.account.queued, self.items);
        }
    }

    /// The destination accepted the items but for `rejected` ones.
    pub(crate) fn accept(mut self, rejected: u64) {
        let items = self.leave();
        let rejected = rejected.min(items);
        if self.stage == Stage::Unaccepted {
            add(&self.account.accepted, items);
        }
        add(&self.account.sent, items - rejected);
        add(&self.account.rejected, rejected);
    }

    /// The destination did not accept the items, and nobody will try again.
    pub(crate) fn fail(self, error: &ExportError) {
        let retryable = error.retry().is_retryable();
        self.drop_for(if retryable { DropReason::RetriesExhausted } else { DropReason::Permanent });
    }

    /// Parts of the items had different fates.
    pub(crate) fn settle(mut self, fates: &PartlyDelivered) {
        self.split_off(fates.failed).drop_for(DropReason::RetriesExhausted);
        let refused = self.split_off(fates.refused);
        if self.stage == Stage::Unaccepted && fates.failed == 0 {
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
        match self.stage {
            Stage::Unaccepted => add(&self.account.refused, items),
            Stage::Queued | Stage::InFlight => add(&self.account.dropped[reason as usize], items),
        }
    }

    /// Takes all items out of their stage's gauge.
    fn leave(&mut self) -> u64 {
        let items = std::mem::take(&mut self.items);
        match self.stage {
            Stage::Unaccepted => {}
            Stage::Queued => sub(&self.account.queued, items),
            Stage::InFlight => sub(&self.account.in_flight, items),
        }
        items
    }
}

impl Drop for Holding {
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
