//! Strings that are not UTF-8 and ids of the wrong length, put right; and what senders are told of items that were taken
//! out for that.

use super::{Intake, refusal};
use crate::counter;
use crate::{BoxExport, Export as _, ExportError};
use bytes::Bytes;
use otlp_protocol::{
    Accepted, Batch, Body, Charge, DecodeError, DecodeErrorKind, Rejected, Repaired, Signal, repair,
};

impl Intake {
    /// Puts U+FFFD where a string is not UTF-8, and takes out what has ids of the wrong length. `charge` holds `plain`
    /// and nothing else.
    pub(super) fn repair(
        &self,
        signal: Signal,
        plain: &Bytes,
        charge: &mut Charge,
    ) -> Result<(Body, Option<Rejected>), ExportError> {
        let len = plain.len();
        // A string of one bad byte, which is three bytes with its tag and length, takes a note or two of 16 bytes and
        // another text. Hardly ever are there so many.
        let wanted = self.limits.max_request_bytes.min(16 * len);
        // The body, and as much again for notes on what changes.
        let held = charge.bytes();
        let most = wanted.min(self.room_beside(held) / 2);
        let mut room = most.min(len + len / 4);
        loop {
            charge.try_grow((held + 2 * room as u64).saturating_sub(charge.bytes()))?;
            match repair(signal, plain, &self.checks, self.repairs, room) {
                Ok(Repaired { body, strings, ids, rejected }) => {
                    charge.shrink_to(body.len() as u64);
                    self.count_repaired(strings);
                    self.count_invalid_ids(ids, rejected.as_ref());
                    return Ok((body, rejected));
                }
                Err(DecodeError { kind: DecodeErrorKind::TooLarge { .. }, .. }) if room < most => {
                    room = most.min(2 * room);
                }
                Err(DecodeError { kind: DecodeErrorKind::TooLarge { .. }, .. }) => {
                    return Err(match most < wanted {
                        true => self.never_fits(held + 2 * room as u64),
                        false => self.too_large("the body with its strings repaired"),
                    });
                }
                Err(error) => return Err(refusal(error)),
            }
        }
    }

    /// Counts a request with `strings` that were put right, and says so once in a while.
    pub(super) fn count_repaired(&self, strings: u64) {
        if strings == 0 {
            return;
        }
        counter::count(&self.stats.repaired_requests);
        counter::add(&self.stats.repaired_strings, strings);
        if let Some(strings) = self.repaired.add(strings, self.context.clock.now()) {
            let receiver = self.refusals.receiver();
            tracing::warn!(receiver, strings, "strings were not UTF-8: U+FFFD replaced the bad bytes");
        }
    }

    /// Counts what the check found in a request, and logs it once in a while: a sender has a fault.
    fn count_invalid_ids(&self, removed: u64, rejected: Option<&Rejected>) {
        let items = rejected.map_or(0, |rejected| rejected.count.items);
        if removed + items == 0 {
            return;
        }
        counter::add(&self.stats.removed_ids, removed);
        counter::add(&self.stats.rejected_items, items);
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
}

/// Tells the receiver of the items that the check took out of a request. Returns the answer for those.
pub(super) fn rejection(export: &BoxExport, batch: &Batch, rejected: Rejected) -> Accepted {
    let Rejected { count, first } = rejected;
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

/// The answer to a request of which the check took out some items, and the pipeline answered for the rest.
pub(super) fn join(mut rejection: Accepted, accepted: Accepted) -> Accepted {
    rejection.rejected = rejection.rejected.saturating_add(accepted.rejected);
    rejection.add_message(&accepted.message);
    rejection
}
