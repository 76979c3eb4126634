//! A holder's line in the ledger.

use super::Answers;
use crate::ledger::{Held, Hop};

/// A holder's line in the ledger. Guards count the items, also if the holder drops them. Cloning shares the line.
#[derive(Clone, Debug)]
pub struct HolderAccount {
    pub(crate) hop: Hop,
    pub(crate) answers: Answers,
}

impl HolderAccount {
    /// Takes responsibility for the items of an incoming batch. With [`Answers::OnAdmission`] the items count as accepted from now
    /// on: answer the batch with `Ok`. With [`Answers::AfterCommit`] they count as accepted when the emitted batch is.
    pub fn hold(&self, items: u64) -> Held {
        match self.answers {
            Answers::OnAdmission => self.hop.hold(items),
            Answers::AfterCommit => self.hop.unaccepted(items),
        }
    }
}
