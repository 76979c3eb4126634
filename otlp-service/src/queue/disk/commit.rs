//! Storing of batches in a queue with several stores: each batch is divided by the classes of its items.

use super::Shared;
use super::places::{Reserved, RoomAmong};
use super::store::{RECORD_BYTES, Room};
use crate::fanout::shutting_down;
use crate::ledger::DropReason;
use crate::queue::{OnFull, QueueEntry, Size, Sizer, Wait};
use futures_util::future::join_all;
use otlp_transport::ExportError;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The items of one class of a batch.
struct Part {
    /// Of the class; the highest has the rank 0.
    rank: usize,
    entry: QueueEntry,
}

// === impl Shared ===

impl Shared {
    /// Stores a batch. Resolves once the device has all of its parts.
    pub(super) async fn commit(
        self: &Arc<Self>,
        entry: QueueEntry,
        room: Reserved,
        wait: Wait,
    ) -> Result<(), ExportError> {
        let mut room = match room {
            Reserved::Alone(room) => return room.store().clone().commit(entry, room).await,
            Reserved::Among(room) => room,
        };
        let mut parts = self.divide(entry)?;
        self.make_room(&mut parts, &mut room).await?;
        let sizes: Vec<_> = parts.iter().map(|part| (part.rank, Size::of(&part.entry.batch))).collect();
        let rooms =
            join_all(sizes.into_iter().map(|(rank, size)| self.room_in_class(rank, size, wait))).await;
        // Without room for one part, none is stored.
        let rooms = rooms.into_iter().collect::<Result<Vec<Room>, _>>()?;
        let stored =
            parts.into_iter().zip(rooms).map(|(part, room)| room.store().clone().commit(part.entry, room));
        join_all(stored).await.into_iter().collect()
    }

    /// Divides a batch by the classes of its items, the highest first.
    fn divide(&self, entry: QueueEntry) -> Result<Vec<Part>, ExportError> {
        let classes = self.disk.classes.as_ref();
        let rest = classes.map_or(0, |classes| classes.all().len() - 1);
        let Some(classes) = classes.filter(|_| entry.answer.is_none() && entry.receipts.is_empty()) else {
            return Ok(vec![Part { rank: rest, entry }]);
        };
        let QueueEntry { batch, mut held, .. } = entry;
        let divided = classes.divide(batch, self.clock.wall())?;
        let mut parts = Vec::with_capacity(divided.len());
        for (rank, batch) in divided {
            let own = held.split_off(batch.items());
            parts.push(Part { rank, entry: QueueEntry::new(batch, own, None) });
        }
        Ok(parts)
    }

    /// Drops segments of a full queue, if the settings say so. Parts for which only segments of higher classes could be dropped are
    /// dropped themselves, unless nothing of the batch would be left.
    async fn make_room(&self, parts: &mut Vec<Part>, room: &mut RoomAmong) -> Result<(), ExportError> {
        let on_full = self.config.on_full;
        if !self.drops() || !self.places.is_over_limit() {
            return Ok(());
        }
        let _making_room = self.places.common.making_room.lock().await;
        while self.places.is_over_limit() {
            let Some(lowest) = parts.last().map(|part| part.rank) else { break };
            if let Some(victim) = self.places.victim(lowest, on_full) {
                if victim.drop_oldest().await {
                    continue;
                }
                break;
            }
            // A batch that is larger than the whole queue is taken when the queue is empty.
            if self.places.bytes() == 0 {
                break;
            }
            if parts.len() == 1 {
                return Err(self.full(parts.iter().map(|part| part.entry.batch.items()).sum()));
            }
            if let Some(part) = parts.pop() {
                room.shrink(part.entry.batch.len() as u64 + RECORD_BYTES);
                self.overflow(part);
            }
        }
        Ok(())
    }

    /// Drops a part that comes in.
    fn overflow(&self, Part { rank, entry }: Part) {
        if let Some(store) = self.places.of_rank(rank) {
            store.monitor.dropped(DropReason::QueueFull, entry.batch.items());
        }
        entry.overflow();
    }

    /// Reserves room in the files of a class, of which the class may have a share only.
    async fn room_in_class(&self, rank: usize, size: Size, wait: Wait) -> Result<Room, ExportError> {
        let Some(store) = self.places.of_rank(rank) else { return Err(shutting_down()) };
        loop {
            let freed = self.places.common.freed.notified();
            if let Some(room) = store.try_reserve(size, (Sizer::Requests, u64::MAX), self.drops()) {
                return Ok(room);
            }
            if wait == Wait::AsConfigured && self.config.on_full != OnFull::Block {
                return Err(self.full(size.items));
            }
            if self.is_draining.load(Ordering::Relaxed) {
                return Err(shutting_down());
            }
            freed.await;
        }
    }
}
