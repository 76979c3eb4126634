//! Cutting one batch in several.

use crate::offload;
use otlp_protocol::{Batch, SplitLimits, split};
use otlp_transport::Clock;
use std::collections::VecDeque;
use std::time::Duration;

/// A batch that leaves in parts, each within the limits unless it cannot be cut. The parts share the batch's charge, and
/// each is charged for the bytes of its own.
pub(crate) struct Parts {
    whole: Option<Batch>,
    limits: SplitLimits,
    cut: VecDeque<Batch>,
}

/// The batch in parts within the limits, in order; in one if it fits, or cannot be cut. The parts share the charge.
fn cut(mut batch: Batch, limits: SplitLimits) -> VecDeque<Batch> {
    let parts = match split(batch.signal, batch.body().plain(), limits) {
        Ok(parts) if parts.len() > 1 => parts,
        // An error cannot be: the body was checked at the door. Then it goes as it is.
        Ok(_) | Err(_) => return VecDeque::from([batch]),
    };
    let mut part_of = |(payload, count)| {
        let (_, _, charge) = batch.share().into_parts();
        let mut part = Batch::new(batch.signal, payload, count, batch.is_mergeable(), charge);
        part.origin = batch.origin.clone();
        part.deadline = batch.deadline;
        part
    };
    parts.into_iter().map(&mut part_of).collect()
}

/// The same, where it holds up no other task.
pub(crate) async fn cut_aside(mut batch: Batch, limits: SplitLimits) -> VecDeque<Batch> {
    let shared = batch.share();
    let parts = offload::run(offload::is_large(&batch), move || cut(shared, limits)).await;
    parts.unwrap_or_else(|_| VecDeque::from([batch]))
}

// === impl Parts ===

impl Parts {
    pub(crate) fn new(batch: Batch, limits: SplitLimits) -> Self {
        Self { whole: Some(batch), limits, cut: VecDeque::new() }
    }

    /// The next part. If the memory budget has no room for it, that is waited for, but not long: the sender may have been
    /// answered, and what waits holds memory itself.
    pub(crate) async fn next(&mut self, clock: &dyn Clock) -> Option<Batch> {
        if let Some(whole) = self.whole.take() {
            self.cut = cut_aside(whole, self.limits).await;
            if self.cut.len() == 1 {
                return self.cut.pop_front();
            }
        }
        let mut part = self.cut.pop_front()?;
        let mut charge = part.take_charge();
        for _ in 0..MAX_CHARGE_ATTEMPTS {
            if charge.try_grow(part.len() as u64).is_ok() {
                break;
            }
            clock.sleep(CHARGE_INTERVAL).await;
        }
        let (payload, count) = (part.body().clone(), part.count());
        Some(part.with_body(payload, count, charge))
    }

    /// Whether no part is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.whole.is_none() && self.cut.is_empty()
    }
}

/// A part waits for a second in all.
const MAX_CHARGE_ATTEMPTS: u32 = 20;
const CHARGE_INTERVAL: Duration = Duration::from_millis(50);
