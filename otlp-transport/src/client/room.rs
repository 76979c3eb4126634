//! Memory for the bytes made of a batch to send it, such as JSON: charged to the byte budget, or outside the budget for
//! one batch at a time.
//!
//! A budget may be full of batches that wait to be sent. If sending failed for lack of memory, these batches would never
//! leave. So a client may hold the bytes of one batch outside the budget. A task that waits for the place outside holds
//! nothing that its holder needs: the holder goes on as soon as its own request is answered or given up.

use otlp_protocol::{ByteBudget, Charge};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Grants room. Clones share the place outside the budget.
#[derive(Clone)]
pub(crate) struct Rooms {
    budget: ByteBudget,
    outside: Arc<Semaphore>,
}

/// Memory for the bytes made of a batch. Dropping it releases the memory.
pub(crate) enum Room {
    Charged(Charge),
    Outside(Place),
}

/// The one place outside the budget. Dropping the last clone frees the place. Has no permit only if the semaphore is
/// closed.
#[derive(Clone)]
pub(crate) struct Place {
    _permit: Option<Arc<OwnedSemaphorePermit>>,
}

// === impl Rooms ===

impl Rooms {
    pub(crate) fn new(budget: ByteBudget) -> Self {
        Self { budget, outside: Arc::new(Semaphore::new(1)) }
    }

    /// Takes room for `bytes`: in the budget, or else outside. Waits for the place outside unless the caller holds it.
    pub(crate) async fn take(&self, bytes: u64, held: Option<&Place>) -> Room {
        match self.budget.try_charge(bytes) {
            Ok(charge) => Room::Charged(charge),
            Err(_) => self.outside(held).await,
        }
    }

    /// Changes `room` to hold `bytes`.
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
