//! Producers, and what becomes of items that the pipeline does not take.

use super::backlog::Waiting;
use super::{PipelineItem, Shared, Size};
use std::fmt;
use std::sync::Arc;
use tokio::sync::{SemaphorePermit, TryAcquireError};

/// Sends items into a [`ProducerConsumerPipeline`](super::ProducerConsumerPipeline). A clone is the same producer: where the
/// pipeline keeps an order a producer, the order is that in which the sends of all clones were admitted.
pub struct Producer<T> {
    shared: Arc<Shared<T>>,
    id: u64,
}

/// An item that a pipeline did not take.
#[derive(PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError<T> {
    /// The pipeline is full. Only of [`Producer::try_send`].
    Full(T),
    /// The item alone is over a limit of the pipeline.
    TooLarge(T),
    /// The pipeline drains.
    Draining(T),
}

/// Room for an item, given back unless it is kept.
struct Reserved<'a> {
    items: SemaphorePermit<'a>,
    bytes: SemaphorePermit<'a>,
}

// === impl Producer ===

impl<T: PipelineItem> Producer<T> {
    pub(super) fn new(shared: Arc<Shared<T>>, id: u64) -> Self {
        Self { shared, id }
    }

    /// Sends an item, and waits for room while the pipeline is full. Producers that wait are served in the order in which they
    /// came. Dropping the future before it is ready drops the item, which then was not sent.
    ///
    /// # Errors
    /// If the item alone is over a limit, or the pipeline drains.
    pub async fn send(&self, item: T) -> Result<(), SendError<T>> {
        let Some(size) = self.size(&item) else { return Err(self.refused(SendError::TooLarge(item))) };
        let reserved = match self.try_reserve(size) {
            Ok(reserved) => Some(reserved),
            Err(TryAcquireError::Closed) => None,
            Err(TryAcquireError::NoPermits) => {
                self.shared.state.lock().counts.blocked += 1;
                self.reserve(size).await
            }
        };
        self.put(item, size, reserved)
    }

    /// Sends an item if there is room.
    ///
    /// # Errors
    /// If the pipeline is full or drains, or the item alone is over a limit.
    pub fn try_send(&self, item: T) -> Result<(), SendError<T>> {
        let Some(size) = self.size(&item) else { return Err(self.refused(SendError::TooLarge(item))) };
        match self.try_reserve(size) {
            Ok(reserved) => self.put(item, size, Some(reserved)),
            Err(TryAcquireError::Closed) => self.put(item, size, None),
            Err(TryAcquireError::NoPermits) => Err(self.refused(SendError::Full(item))),
        }
    }

    /// Returns the size of an item; `None` if it is over a limit.
    fn size(&self, item: &T) -> Option<Size> {
        let (items, room) = (item.items(), &self.shared.room);
        // An item that counts as none takes room, too: else their number had no limit.
        let need_items = u32::try_from(items.max(1)).ok().filter(|&need| need <= room.max_items)?;
        let need_bytes = u32::try_from(item.bytes()).ok().filter(|&need| need <= room.max_bytes)?;
        Some(Size { items, room: (need_items, need_bytes) })
    }

    fn try_reserve(&self, Size { room: (items, bytes), .. }: Size) -> Result<Reserved<'_>, TryAcquireError> {
        let room = &self.shared.room;
        let items = room.items.try_acquire_many(items)?;
        Ok(Reserved { items, bytes: room.bytes.try_acquire_many(bytes)? })
    }

    /// Waits for room; `None` if the pipeline drains. All producers wait for items first, so that none waits for another.
    async fn reserve(&self, Size { room: (items, bytes), .. }: Size) -> Option<Reserved<'_>> {
        let room = &self.shared.room;
        let items = room.items.acquire_many(items).await.ok()?;
        Some(Reserved { items, bytes: room.bytes.acquire_many(bytes).await.ok()? })
    }

    fn put(&self, item: T, size: Size, reserved: Option<Reserved<'_>>) -> Result<(), SendError<T>> {
        let mut state = self.shared.state.lock();
        let Some(Reserved { items, bytes }) = reserved.filter(|_| !state.is_draining) else {
            drop(state);
            return Err(self.refused(SendError::Draining(item)));
        };
        items.forget();
        bytes.forget();
        state.counts.sent += size.items;
        state.backlog.push(Waiting { producer: self.id, item, size });
        drop(state);
        self.shared.ready.notify_one();
        Ok(())
    }

    /// Counts an item that is not taken.
    fn refused(&self, error: SendError<T>) -> SendError<T> {
        self.shared.state.lock().counts.refused += error.item().items();
        error
    }
}

impl<T> Clone for Producer<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), id: self.id }
    }
}

impl<T> fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("id", &self.id).finish_non_exhaustive()
    }
}

// === impl SendError ===

impl<T> SendError<T> {
    /// Returns the item.
    pub fn into_item(self) -> T {
        match self {
            Self::Full(item) | Self::TooLarge(item) | Self::Draining(item) => item,
        }
    }

    fn item(&self) -> &T {
        match self {
            Self::Full(item) | Self::TooLarge(item) | Self::Draining(item) => item,
        }
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the pipeline is full",
            Self::TooLarge(_) => "the item alone is over max_items or max_bytes of the pipeline",
            Self::Draining(_) => "the pipeline is being drained",
        })
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Full(_) => "Full",
            Self::TooLarge(_) => "TooLarge",
            Self::Draining(_) => "Draining",
        };
        f.debug_tuple(name).finish_non_exhaustive()
    }
}

impl<T> std::error::Error for SendError<T> {}
