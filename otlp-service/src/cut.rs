//! Cutting one batch in several.

use crate::offload;
use bytes::Bytes;
use otlp_protocol::{Batch, Payload, SplitLimits, split};
use otlp_transport::Clock;
use std::time::Duration;

/// A batch that leaves in parts, in order, each within the limits unless it cannot be cut.
///
/// A batch of many parts is cut in a few large ones first, and each of these when it is its turn: so that there are never
/// more than some dozens, however many there will be.
pub(crate) struct Parts {
    limits: SplitLimits,
    /// What is left; the next one is the last.
    rest: Vec<Rest>,
}

struct Rest {
    batch: Batch,
    /// How many times the limits the cut allowed that this came out of; 1: it is a part.
    factor: u64,
}

/// The batch in parts within the limits, in order; in one if it fits, or cannot be cut. The parts share the charge, and
/// each is charged for what it does not share, if there is room for that.
fn cut(mut batch: Batch, limits: SplitLimits) -> Vec<Batch> {
    let body = batch.body().plain().to_contiguous();
    let parts = match split(batch.signal, &body.clone().into(), limits) {
        Ok(parts) if parts.len() > 1 => parts,
        // An error cannot be: the body was checked at the door. Then it goes as it is.
        Ok(_) | Err(_) => return vec![batch],
    };
    let mut part_of = |(payload, count)| {
        let mut charge = batch.share().take_charge();
        // What has been cut is sent in any case: without it there would be nothing to give back.
        let _ = charge.try_grow(own_bytes(&payload, &body));
        let mut part = Batch::new(batch.signal, payload, count, batch.is_mergeable(), charge);
        part.origin = batch.origin.clone();
        part.deadline = batch.deadline;
        part
    };
    parts.into_iter().map(&mut part_of).collect()
}

/// The same, where it holds up no other task.
pub(crate) async fn cut_aside(mut batch: Batch, limits: SplitLimits) -> Vec<Batch> {
    let shared = batch.share();
    let parts = offload::run(offload::is_large(&batch), move || cut(shared, limits)).await;
    parts.unwrap_or_else(|_| vec![batch])
}

/// How many bytes of a part are not stretches of the body that it was cut from.
pub(crate) fn own_bytes(part: &Payload, body: &Bytes) -> u64 {
    let start = body.as_ptr() as usize;
    let shared = start..start + body.len();
    let own = part.segments().filter(|segment| !shared.contains(&(segment.as_ptr() as usize)));
    own.map(|segment| segment.len() as u64).sum()
}

// === impl Parts ===

impl Parts {
    pub(crate) fn new(batch: Batch, limits: SplitLimits) -> Self {
        Self { limits, rest: vec![Rest { batch, factor: u64::MAX }] }
    }

    /// The next part. If the memory budget has no room for cutting, that is waited for, but not long: the sender may have
    /// been answered, and what waits holds memory itself.
    pub(crate) async fn next(&mut self, clock: &dyn Clock) -> Option<Batch> {
        loop {
            let Rest { batch, factor } = self.rest.pop()?;
            if factor == 1 {
                return Some(batch);
            }
            let factor = (self.count(&batch).div_ceil(MAX_PARTS_AT_ONCE)).min(factor / 2).max(1);
            await_room(&batch, clock).await;
            let parts = cut_aside(batch, self.times(factor)).await;
            self.rest.extend(parts.into_iter().rev().map(|batch| Rest { batch, factor }));
        }
    }

    /// Whether no part is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many parts a batch makes, about.
    fn count(&self, batch: &Batch) -> u64 {
        let of = |value: u64, max: Option<u64>| max.map_or(1, |max| value.div_ceil(max.max(1)));
        let max_bytes = self.limits.max_bytes.map(|bytes| bytes as u64);
        of(batch.items(), self.limits.max_items).max(of(batch.len() as u64, max_bytes))
    }

    fn times(&self, factor: u64) -> SplitLimits {
        let bytes = usize::try_from(factor).unwrap_or(usize::MAX);
        SplitLimits {
            max_items: self.limits.max_items.map(|max| max.saturating_mul(factor)),
            max_bytes: self.limits.max_bytes.map(|max| max.saturating_mul(bytes)),
        }
    }
}

/// Waits a second at most until the budget has room for a copy of the batch.
async fn await_room(batch: &Batch, clock: &dyn Clock) {
    for _ in 0..MAX_ATTEMPTS {
        if batch.charge().another().try_grow(batch.len() as u64).is_ok() {
            return;
        }
        clock.sleep(ATTEMPT_INTERVAL).await;
    }
}

const MAX_PARTS_AT_ONCE: u64 = 16;
const MAX_ATTEMPTS: u32 = 20;
const ATTEMPT_INTERVAL: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests;
