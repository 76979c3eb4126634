//! Memory for what is made of a batch to send it: charged to the byte budget, or, where that is used up, one at a time.
//!
//! A budget may be full of batches that wait to be sent. If sending failed for want of room, none of them would ever leave;
//! so a client may always have what it makes of one batch outside the budget. Who waits for that place holds nothing that its holder needs:
//! the holder goes on as soon as its own request is answered or given up.

use otlp_protocol::{ByteBudget, Charge};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Gives out room. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Rooms {
    budget: ByteBudget,
    outside: Arc<Semaphore>,
}

/// Room for what is made of a batch, given back on drop.
pub(crate) enum Room {
    Charged(Charge),
    Outside(Place),
}

/// The one place outside the budget, free again with the last clone. Without a permit only if the semaphore were closed.
#[derive(Clone)]
pub(crate) struct Place {
    _permit: Option<Arc<OwnedSemaphorePermit>>,
}

// === impl Rooms ===

impl Rooms {
    pub(crate) fn new(budget: ByteBudget) -> Self {
        Self { budget, outside: Arc::new(Semaphore::new(1)) }
    }

    /// Room for `bytes`. If the budget has none, that is the place outside, which is waited for unless the caller holds it.
    pub(crate) async fn take(&self, bytes: u64, held: Option<&Place>) -> Room {
        match self.budget.try_charge(bytes) {
            Ok(charge) => Room::Charged(charge),
            Err(_) => self.outside(held).await,
        }
    }

    /// Makes `room` one for `bytes`.
    pub(crate) async fn resize(&self, room: &mut Room, bytes: u64, held: Option<&Place>) {
        let Room::Charged(charge) = room else { return };
        let more = bytes.saturating_sub(charge.bytes());
        charge.shrink_to(bytes);
        if charge.try_grow(more).is_err() {
            *room = self.outside(held).await;
        }
    }

    async fn outside(&self, held: Option<&Place>) -> Room {
        if let Some(place) = held {
            return Room::Outside(place.clone());
        }
        Room::Outside(Place { _permit: self.outside.clone().acquire_owned().await.ok().map(Arc::new) })
    }
}

#[cfg(test)]
mod tests;
