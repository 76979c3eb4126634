//! Requests that are larger than the limits of a batch: sent in parts.

use super::senders::{Senders, answer_all};
use super::{Flusher, Shared};
use crate::cut::Parts;
use crate::fanout::join_answers;
use crate::ledger::{Held, Unsent};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use otlp_protocol::{Accepted, Batch, SplitLimits};
use otlp_transport::ExportResult;

impl Shared {
    /// Starts a task that cuts a request and sends the parts one after the other as the next component has room.
    pub(super) fn send_in_parts(&self, batch: Batch, senders: Senders, limits: SplitLimits) {
        let (flusher, permit) = (self.flusher.clone(), self.room.clone().try_acquire_owned());
        let parts = Parts::new(batch, limits);
        self.flushes.spawn(async move {
            match senders {
                Senders::Admitted(held) => flusher.hand_over_parts(parts, held).await,
                Senders::Waiting(waiters, unsent) => {
                    answer_all(waiters, flusher.export_parts(parts, unsent).await);
                }
            }
            drop(permit);
        });
    }
}

impl Flusher {
    /// Sends the parts of one request whose sender has an answer. Each part is cut once the part before was accepted.
    async fn hand_over_parts(&self, mut parts: Parts, mut held: Held) {
        while let Some(part) = parts.next(&*self.clock).await {
            let own = held.split_off(part.items());
            self.hand_over(part, own).await;
        }
    }

    /// Exports the parts of one request whose sender waits, some at a time, and adds up the rejected items.
    async fn export_parts(&self, mut parts: Parts, mut unsent: Unsent) -> ExportResult {
        let mut joined = Ok(Accepted::FULL);
        let mut exports = FuturesUnordered::new();
        loop {
            while exports.len() < MAX_PARTS_AT_A_TIME
                && let Some(part) = parts.next(&*self.clock).await
            {
                let own = unsent.split_off(part.items());
                exports.push(self.export(part, own));
            }
            let Some(answer) = exports.next().await else { return joined };
            joined = join_answers([joined, answer], u64::saturating_add);
        }
    }
}

/// The default number of consumers of a queue.
const MAX_PARTS_AT_A_TIME: usize = 10;
