//! How what a batch processor sends leaves it: whole or in parts, answered for or not.

use super::worker::Waiter;
use crate::cut::Parts;
use crate::fanout::{Admission, FanOut, Unsent, join_answers};
use crate::telemetry::BatchStats;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use otlp_protocol::Accepted;
use otlp_transport::{Clock, Export, ExportResult};

/// Puts the parts of one request, which was accepted, into the queues: the first one where its room was reserved, the
/// others as there is room for them. What finds none before the queues are drained is dropped with them.
pub(super) async fn commit_parts(
    fanout: &FanOut,
    mut parts: Parts,
    mut admission: Admission,
    stats: &BatchStats,
    clock: &dyn Clock,
) {
    let mut next = parts.next(clock).await;
    while let Some(part) = next {
        let items = part.items();
        stats.sent(items);
        let admitted = admission.split_off(items);
        fanout.commit(part, admitted);
        next = parts.next(clock).await;
        if next.is_some() {
            match fanout.reserve_more().await {
                Ok(reservation) => admission.renew(reservation),
                Err(_) => return,
            }
        }
    }
}

/// Exports the parts of one request, some at a time; what is rejected of them adds up.
pub(super) async fn export_parts(
    fanout: &FanOut,
    mut parts: Parts,
    mut unsent: Unsent<FanOut>,
    stats: &BatchStats,
    clock: &dyn Clock,
) -> ExportResult {
    let mut joined = Ok(Accepted::FULL);
    let mut exports = FuturesUnordered::new();
    loop {
        while exports.len() < MAX_PARTS_AT_A_TIME
            && let Some(part) = parts.next(clock).await
        {
            stats.sent(part.items());
            let own = unsent.split_off(part.items());
            exports.push(async move {
                own.send();
                fanout.export(part).await
            });
        }
        let Some(answer) = exports.next().await else { return joined };
        joined = join_answers([joined, answer], u64::saturating_add);
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
