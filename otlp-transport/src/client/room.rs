//! Memory for what is made of a batch to send it: charged to the byte budget, or, where that is used up, one at a time.
//!
//! A budget may be full of batches that wait to be sent. If sending failed for want of room, none of them would ever leave;
//! so a client may always have one text outside the budget. Who waits for that place holds nothing that its holder needs:
//! the holder goes on as soon as its own request is answered or given up.

use otlp_protocol::{ByteBudget, Charge};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Gives out room. Cloning shares it.
#[derive(Clone)]
pub(super) struct Rooms {
    budget: ByteBudget,
    outside: Arc<Semaphore>,
}

/// Room for a text, given back on drop.
pub(super) enum Room {
    Charged(Charge),
    /// The one place outside the budget; `None` only if the semaphore were closed.
    Outside {
        _place: Option<OwnedSemaphorePermit>,
    },
}

// === impl Rooms ===

impl Rooms {
    pub(super) fn new(budget: ByteBudget) -> Self {
        Self { budget, outside: Arc::new(Semaphore::new(1)) }
    }

    /// Room for `bytes`; waits for the place outside the budget if the budget has none.
    pub(super) async fn take(&self, bytes: u64) -> Room {
        match self.budget.try_charge(bytes) {
            Ok(charge) => Room::Charged(charge),
            Err(_) => self.outside().await,
        }
    }

    /// Makes `room` one for `bytes`.
    pub(super) async fn resize(&self, room: &mut Room, bytes: u64) {
        let Room::Charged(charge) = room else { return };
        let more = bytes.saturating_sub(charge.bytes());
        charge.shrink_to(bytes);
        if charge.try_grow(more).is_err() {
            *room = self.outside().await;
        }
    }

    async fn outside(&self) -> Room {
        Room::Outside { _place: self.outside.clone().acquire_owned().await.ok() }
    }
}

#[cfg(test)]
mod tests;
