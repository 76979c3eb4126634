//! Strings that are not UTF-8, put right.

use super::{Intake, refusal};
use crate::ExportError;
use crate::server::ServerStats;
use bytes::Bytes;
use otlp_protocol::{Charge, Checked, DecodeError, DecodeErrorKind, Repaired, Signal, repair_utf8};

impl Intake {
    /// Puts U+FFFD where a string is not UTF-8. `charge` holds `plain` and nothing else.
    pub(super) fn repair(
        &self,
        signal: Signal,
        plain: &Bytes,
        charge: &mut Charge,
    ) -> Result<(Bytes, Checked), ExportError> {
        let len = plain.len();
        // A string of one bad byte, which is three bytes with its tag and length, takes a note or two of 16 bytes and
        // another text. Hardly ever are there so many.
        let most = self.limits.max_request_bytes.min(16 * len);
        let mut room = most.min(len + len / 4);
        loop {
            // The body, and as much again for notes on what changes.
            charge.try_grow(2 * room as u64)?;
            match repair_utf8(signal, plain, &self.checks, room) {
                Ok(Repaired { body, checked, strings }) => {
                    charge.shrink_to(body.len() as u64);
                    self.count_repaired(strings);
                    return Ok((body, checked));
                }
                Err(DecodeError { kind: DecodeErrorKind::TooLarge { .. }, .. }) if room < most => {
                    charge.shrink_to(len as u64);
                    room = most;
                }
                Err(DecodeError { kind: DecodeErrorKind::TooLarge { .. }, .. }) => {
                    return Err(self.too_large("the body with its strings put right"));
                }
                Err(error) => return Err(refusal(error)),
            }
        }
    }

    /// Counts a request with `strings` that were put right, and says so once in a while.
    pub(super) fn count_repaired(&self, strings: u64) {
        ServerStats::count(&self.stats.repaired_requests);
        ServerStats::add(&self.stats.repaired_strings, strings);
        if let Some(strings) = self.repaired.add(strings, &*self.context.clock) {
            tracing::warn!(strings, "strings were not UTF-8: U+FFFD stands in them now");
        }
    }
}
