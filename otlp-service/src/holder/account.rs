//! A holder's line in the ledger.

use super::Answers;
use crate::ledger::{Held, Hop};

/// A holder's line in the ledger, kept by guards: items that a holder forgets are counted all the same. Cloning shares it.
#[derive(Clone, Debug)]
pub struct HolderAccount {
    pub(crate) hop: Hop,
    pub(crate) answers: Answers,
}

impl HolderAccount {
    /// Takes responsibility for items of a batch that came in. With [`Answers::OnAdmission`] they count as accepted from
    /// now on: answer the batch with `Ok`. With [`Answers::AfterCommit`] they count as accepted with what becomes of them.
    pub fn hold(&self, items: u64) -> Held {
        match self.answers {
            Answers::OnAdmission => self.hop.hold(items),
            Answers::AfterCommit => self.hop.unaccepted(items),
        }
    }
}
