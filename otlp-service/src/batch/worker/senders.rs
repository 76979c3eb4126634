//! Senders of the requests that were joined into a batch: they have their answer, or wait for that of the batch.

use crate::ledger::{Held, Unsent};
use otlp_transport::ExportResult;
use tokio::sync::oneshot;

/// Senders of an open batch.
pub(super) enum Senders {
    /// The senders have their answer.
    Admitted(Held),
    /// The senders wait for the answer.
    Waiting(Vec<Waiter>, Unsent),
}

pub(crate) type Waiter = oneshot::Sender<ExportResult>;

impl Senders {
    pub(super) fn new(unsent: Unsent, waiter: Option<Waiter>) -> Self {
        match waiter {
            None => Self::Admitted(unsent.hold()),
            Some(waiter) => Self::Waiting(vec![waiter], unsent),
        }
    }

    pub(super) fn add(&mut self, unsent: Unsent, waiter: Option<Waiter>) {
        match self {
            Self::Admitted(held) => held.add(unsent.hold()),
            Self::Waiting(waiters, all) => {
                waiters.extend(waiter);
                all.add(unsent);
            }
        }
    }
}

/// Sends the answer to a batch to all its waiting senders.
pub(crate) fn answer_all(mut waiters: Vec<Waiter>, mut result: ExportResult) {
    if let (Ok(accepted), 2..) = (&mut result, waiters.len()) {
        // The senders of the rejected items are unknown.
        accepted.rejected = 0;
    }
    let last = waiters.pop();
    for waiter in waiters {
        // A sender that went away needs no answer.
        drop(waiter.send(result.clone()));
    }
    if let Some(waiter) = last {
        drop(waiter.send(result));
    }
}
