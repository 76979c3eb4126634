//! Ids of the wrong length: what senders are told of the items that have some, and what is counted.

use super::Intake;
use crate::server::ServerStats;
use crate::{BoxExport, Export as _};
use otlp_protocol::{Accepted, Batch, Rejected};

impl Intake {
    /// Counts what the check found in a request, and logs it once in a while: a sender has a fault.
    pub(super) fn count_invalid_ids(&self, removed: u64, rejected: Option<&Rejected>) {
        let items = rejected.map_or(0, |rejected| rejected.count.items);
        if removed + items == 0 {
            return;
        }
        ServerStats::add(&self.stats.removed_ids, removed);
        ServerStats::add(&self.stats.rejected_items, items);
        if let Some(ids) = self.invalid_ids.add(removed + items, self.context.clock.now()) {
            let first = rejected.map(|rejected| rejected.first.path.as_str()).unwrap_or_default();
            let receiver = self.refusals.receiver();
            tracing::warn!(
                receiver,
                ids,
                first,
                "trace or span ids of the wrong length: spans were rejected, ids of other items removed"
            );
        }
    }

    /// Tells the receiver of the items that the check took out of a request. Returns the answer for those.
    pub(super) fn count_rejected(&self, export: &BoxExport, batch: &mut Batch) -> Accepted {
        let Some(rejected) = batch.rejected.take() else { return Accepted::FULL };
        let Rejected { count, first } = *rejected;
        export.refuse(count.items);
        let all = batch.items() + count.items;
        let message = format!(
            "{} of {all} {} rejected; the first: {}: {}",
            count.items,
            batch.signal().items_noun,
            first.path,
            first.kind
        );
        Accepted { rejected: count.rejectable(batch.signal()), message }
    }
}

/// The answer to a request of which the check took out some items, and the pipeline answered for the rest.
pub(super) fn join(mut rejection: Accepted, accepted: Accepted) -> Accepted {
    if !rejection.is_partial() {
        return accepted;
    }
    rejection.rejected = rejection.rejected.saturating_add(accepted.rejected);
    if !accepted.message.is_empty() {
        rejection.message.push_str("; ");
        rejection.message.push_str(&accepted.message);
    }
    rejection
}
