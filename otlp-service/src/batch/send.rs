//! How what a batch processor sends leaves it: whole or in parts, answered for or not.

use super::worker::Waiter;
use crate::cut::Parts;
use crate::fanout::{caught, join_answers};
use crate::ledger::{DropReason, Held, Unsent};
use crate::tasks::export_until_taken;
use crate::telemetry::BatchStats;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use otlp_protocol::{Accepted, Batch};
use otlp_transport::{BoxExport, Clock, Export, ExportResult};
use std::sync::Arc;

/// Sends batches to what stands behind the batch processor. Shared with the tasks that do so.
pub(super) struct Sender {
    pub(super) next: BoxExport,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stats: BatchStats,
}

impl Sender {
    /// Sends a batch whose senders have their answer: tries until it is taken. `held` counts the items meanwhile.
    pub(super) async fn hand_over(&self, batch: Batch, held: Held) {
        let items = batch.items();
        match export_until_taken(&self.next, batch, &*self.clock).await {
            // In the same poll in which the next component counted the items.
            Ok(_) => {
                held.withdraw();
                self.stats.sent(items);
            }
            Err(error) => {
                tracing::warn!(items, reason = ?error.message(), "a batch is dropped: it was refused for good");
                held.drop_for(DropReason::Permanent);
            }
        }
    }

    /// Sends the parts of one request whose sender has an answer: each is cut when the one before was taken.
    pub(super) async fn hand_over_parts(&self, mut parts: Parts, mut held: Held) {
        while let Some(part) = parts.next(&*self.clock).await {
            let own = held.split_off(part.items());
            self.hand_over(part, own).await;
        }
    }

    /// Exports a batch whose senders wait.
    pub(super) async fn export(&self, batch: Batch, unsent: Unsent) -> ExportResult {
        self.stats.sent(batch.items());
        unsent.send();
        caught(self.next.export(batch)).await
    }

    /// Exports the parts of one request whose sender waits, some at a time; what is rejected of them adds up.
    pub(super) async fn export_parts(&self, mut parts: Parts, mut unsent: Unsent) -> ExportResult {
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

/// Gives all who wait for a batch its answer.
pub(super) fn answer_all(mut waiters: Vec<Waiter>, mut result: ExportResult) {
    if let (Ok(accepted), 2..) = (&mut result, waiters.len()) {
        // Whose items were rejected, nobody can tell.
        accepted.rejected = 0;
    }
    let last = waiters.pop();
    for waiter in waiters {
        // A sender that went away does not need its answer any more.
        drop(waiter.send(result.clone()));
    }
    if let Some(waiter) = last {
        drop(waiter.send(result));
    }
}

/// As many as a queue has consumers by default.
const MAX_PARTS_AT_A_TIME: usize = 10;
