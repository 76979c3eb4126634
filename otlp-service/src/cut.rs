//! Splits a batch into parts.

use otlp_protocol::{Batch, Body, Charge, SplitLimits, SplitPart, parts};
use otlp_transport::{Clock, offload};
use std::collections::VecDeque;
use std::time::Duration;

/// The parts of a batch, in order, each within the limits unless a single item is larger. Parts are cut on demand, a few at a
/// time, on a thread for blocking work if the batch is large.
pub(crate) struct Parts {
    /// The batch without its charge.
    whole: Batch,
    charge: Charge,
    state: State,
    /// Parts that are cut, but not charged yet.
    ready: VecDeque<SplitPart>,
}

enum State {
    Uncut(SplitLimits),
    Cutting(Box<otlp_protocol::Parts>),
    Done,
}

// === impl Parts ===

impl Parts {
    pub(crate) fn new(mut batch: Batch, limits: SplitLimits) -> Self {
        let charge = batch.take_charge();
        Self { whole: batch, charge, state: State::Uncut(limits), ready: VecDeque::new() }
    }

    /// Returns the next part, charged for the bytes that were copied. If the byte budget has no room, the part waits for a
    /// second at most and then goes on without a charge: the sender may have its answer already, and a waiting batch holds
    /// memory itself.
    pub(crate) async fn next(&mut self, clock: &dyn Clock) -> Option<Batch> {
        if self.ready.is_empty() {
            self.cut_some(clock).await;
        }
        let SplitPart { body, copied_bytes, is_linked } = self.ready.pop_front()?;
        let mut charge = if is_linked { self.charge.share() } else { self.charge.another() };
        grow(&mut charge, copied_bytes, clock).await;
        Some(self.whole.part(body, charge))
    }

    async fn cut_some(&mut self, clock: &dyn Clock) {
        let is_uncut = matches!(self.state, State::Uncut(_));
        let body = self.whole.body().clone();
        let state = std::mem::replace(&mut self.state, State::Done);
        let cut = offload::run(offload::is_large(&self.whole), move || state.cut_some(&body)).await;
        // The work is cancelled only when the runtime shuts down.
        let Ok((state, ready)) = cut else { return };
        if let State::Cutting(parts) = &state
            && is_uncut
        {
            grow(&mut self.charge, parts.copied_bytes(), clock).await;
        }
        (self.state, self.ready) = (state, ready);
    }
}

// === impl State ===

impl State {
    /// Cuts parts up to the limits of one piece of work.
    fn cut_some(self, body: &Body) -> (Self, VecDeque<SplitPart>) {
        let mut ready = VecDeque::new();
        let mut cutting = match self {
            Self::Done => return (Self::Done, ready),
            Self::Cutting(parts) => parts,
            Self::Uncut(limits) => Box::new(parts(body, limits)),
        };
        let mut bytes = 0;
        while ready.len() < MAX_READY_PARTS && bytes < MAX_READY_BYTES {
            let Some(part) = cutting.next() else { return (Self::Done, ready) };
            bytes += part.body.len();
            ready.push_back(part);
        }
        (Self::Cutting(cutting), ready)
    }
}

/// Charges `bytes` more; gives up after a second.
async fn grow(charge: &mut Charge, bytes: usize, clock: &dyn Clock) {
    for _ in 0..MAX_ATTEMPTS {
        if charge.try_grow(bytes as u64).is_ok() {
            return;
        }
        clock.sleep(ATTEMPT_INTERVAL).await;
    }
}

/// Limits of one piece of work: moving work to another thread costs as much as cutting a few parts.
const MAX_READY_PARTS: usize = 64;
const MAX_READY_BYTES: usize = 256 << 10;
const MAX_ATTEMPTS: u32 = 20;
const ATTEMPT_INTERVAL: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests;
