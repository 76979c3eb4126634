//! Repair of strings that are not UTF-8 and of ids of the wrong length, and the answer to the sender about removed items.

use super::{Intake, refusal};
use crate::counter;
use crate::{BoxExport, Export as _, ExportError};
use bytes::Bytes;
use otlp_protocol::{
    Accepted, Batch, Body, Charge, DecodeError, DecodeErrorKind, Rejected, Repaired, Signal, repair,
};

impl Intake {
    /// Replaces invalid UTF-8 by U+FFFD, and removes ids of the wrong length or their items. `charge` holds `plain` and
    /// nothing else.
    pub(super) fn repair(
        &self,
        signal: Signal,
        plain: &Bytes,
        charge: &mut Charge,
    ) -> Result<(Body, Option<Rejected>), ExportError> {
        let len = plain.len();
        // A string of one invalid byte, which is three bytes with its tag and length, takes one or two notes of 16 bytes
        // and another text. Few bodies have many such strings.
        let wanted = self.limits.max_request_bytes.min(16 * len);
        // The body, and as much again for notes on the changes.
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

    /// Counts a request with `strings` repaired strings, with a log line once a minute.
    pub(super) fn count_repaired(&self, strings: u64) {
        if strings == 0 {
            return;
        }
        counter::count(&self.stats.repaired_requests);
        counter::add(&self.stats.repaired_strings, strings);
        if let Some(strings) = self.repaired.add(strings, self.context.clock.now()) {
            let receiver = self.refusals.receiver();
            tracing::warn!(receiver, strings, "invalid UTF-8 in strings was replaced by U+FFFD");
        }
    }

    /// Counts removed ids and rejected items, with a log line once a minute.
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

/// Tells the receiver of the items that the check removed. Returns the answer for these items.
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

/// Joins the answer for removed items with the pipeline's answer for the others.
pub(super) fn join(mut rejection: Accepted, accepted: Accepted) -> Accepted {
    rejection.rejected = rejection.rejected.saturating_add(accepted.rejected);
    rejection.add_message(&accepted.message);
    rejection
}
