//! Queues between a pipeline and an exporter: their contract, and the queue in memory, which is bounded, first in first out, and
//! has a fixed number of consumers.

mod classes;
mod consumers;
mod disk;
mod entry;
mod future;
mod joining;
mod memory;
mod metrics;
mod settings;
mod size;

pub use classes::{QueueClass, QueueClassError, QueueClasses};
pub use disk::{
    BacklogConfig, BacklogOrder, DiskCompression, DiskConfig, FileReport, QueueFiles, QueueName,
    QueueSummary, QueueView, Share, StoredRequest, StoredRequests,
};
pub use entry::{QueueEntry, Receipt};
pub use future::QueueFuture;
pub use memory::MemoryQueue;
pub use settings::{BatchSizer, OnFull, QueueBatchConfig, QueueConfig};
pub use size::{Size, Sizer};

pub(crate) use disk::{DiskQueue, StorageCheck, Stores, escaped};
pub(crate) use metrics::register_queue;

use crate::fanout::Delivery;
use otlp_transport::ExportError;
use std::time::Instant;

/// A queue between a pipeline and an exporter, for one signal.
///
/// A batch enters the queue in two steps, so that a fan-out commits to several queues or to none:
///
/// 1. [`reserve`](Self::reserve) asks for room, which may be refused or take time. Dropping the [`Slot`] gives the room
///    back.
/// 2. [`Slot::commit`] puts the batch into the queue. The commit may take time, and may fail.
///
/// The [`QueueEntry`] of a batch counts the outcome: the batch is [admitted](QueueEntry::admit) once it is stored, then
/// [delivered](QueueEntry::deliver), or dropped.
pub trait Queue: Send + Sync + 'static {
    /// Reserves room for one batch of this size. Cancel-safe: dropping the future gives the room back.
    ///
    /// # Errors
    /// If the queue is full and refuses batches then, or if the queue is being drained.
    fn reserve(&self, size: Size, wait: Wait) -> QueueFuture<'_, Result<Box<dyn Slot>, ExportError>>;

    /// Returns the time at which an export through this queue is answered. Never changes.
    fn delivery(&self) -> Delivery;

    /// Returns the number of batches in the queue.
    fn len(&self) -> usize;

    /// Returns true if no batch is in the queue.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the unit of the queue's size. Default [`Sizer::Requests`]. Never changes.
    fn sizer(&self) -> Sizer {
        Sizer::Requests
    }

    /// Returns the size of the queue, in the unit of its [`Sizer`].
    fn size(&self) -> u64;

    /// Returns the largest size of the queue, in the unit of its [`Sizer`].
    fn capacity(&self) -> u64;

    /// Refuses new batches and delivers the batches in the queue. Entries that are left at `deadline` are dropped.
    fn drain(&self, deadline: Instant) -> QueueFuture<'_, ()>;
}

/// Room for one batch in a [`Queue`]. Dropping the slot gives the room back.
pub trait Slot: Send {
    /// Puts a batch into the queue. Not cancel-safe: after the future is dropped, the batch may be in the queue or not; the entry
    /// counts its items in either case.
    ///
    /// # Errors
    /// If the batch is not in the queue: the entry was dropped before it was [admitted](QueueEntry::admit). A retryable
    /// error means that another commit may succeed.
    fn commit(self: Box<Self>, entry: QueueEntry) -> QueueFuture<'static, Result<(), ExportError>>;
}

/// Behaviour of a reservation when the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Follows the queue's settings ([`OnFull`]).
    AsConfigured,
    /// Waits until there is room, since the sender has its answer; only a drain refuses. A queue with
    /// [`OnFull::Drop`] drops the batch.
    ForRoom,
}
