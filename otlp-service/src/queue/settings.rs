//! Settings of an exporter's queue.

use super::{DiskConfig, Sizer};
use crate::batch::Limits;
use otlp_protocol::SplitLimits;
use std::time::Duration;

/// Settings of an exporter's queue, which choose the delivery mode.
///
/// Disabled, or enabled with `wait_for_result`: *end to end*, an export is answered with the destination's answer.
/// Enabled: *memory*, an export is answered once the batch is in the queue; a crash loses the batches in the queue. With `storage`:
/// *disk*, an export is answered once the batch is on the device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueConfig {
    /// Puts a queue in front of the exporter. Default true.
    pub enabled: bool,
    /// Number of batches that are sent concurrently; at least 1. Default 10.
    pub num_consumers: usize,
    /// Largest size of the batches that wait in the queue, in the unit of [`sizer`](Self::sizer); at least 1. Default 1000. A
    /// batch that is larger alone is taken when the queue is empty.
    pub queue_size: usize,
    /// Unit of [`queue_size`](Self::queue_size). Default [`Sizer::Requests`].
    pub sizer: Sizer,
    /// Answers an export with the destination's answer although the batch goes through the queue. Default false.
    pub wait_for_result: bool,
    /// Treatment of a batch when the queue is full. Default [`OnFull::Refuse`].
    pub on_full: OnFull,
    /// Keeps the batches in files. [`queue_size`](Self::queue_size) then limits the batches beside the size of the files. Default
    /// none: the queue is in memory.
    pub storage: Option<DiskConfig>,
    /// Joins the batches as they are taken out of the queue. Default `None`: each batch is sent as it was queued.
    pub batch: Option<QueueBatchConfig>,
}

/// Settings of the batches that are made when a queue is read.
///
/// Batches of the same origin are joined until they reach [`min_size`](Self::min_size) or
/// [`flush_timeout`](Self::flush_timeout) has passed. A batch that is larger than [`max_size`](Self::max_size) alone is cut, and
/// its parts are sent one after the other. Batches keep their room in the queue until they are sent: what is joined counts as
/// queued.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueBatchConfig {
    /// Longest time between the first part of a batch and its sending, unless all consumers are busy. Default 200 ms.
    pub flush_timeout: Duration,
    /// Unit of `min_size` and `max_size`. Default [`BatchSizer::Items`].
    pub sizer: BatchSizer,
    /// Size at which a batch is sent; 0: at once. Default 8192.
    pub min_size: u64,
    /// Largest size of a batch; only a single item may be larger. 0: no limit. Default 0.
    pub max_size: u64,
    /// Names of request headers, in lower case: requests that differ in one of these headers are not joined, and a joined batch
    /// keeps these headers and no others in its origin. Default none.
    pub metadata_keys: Vec<Box<str>>,
    /// Keeps requests of different identities apart, and the identity in the origin of the joined batch. Default false.
    pub by_identity: bool,
    /// Largest number of open batches, each of another origin: a further origin sends the oldest open batch early. Default 1000.
    pub max_partitions: usize,
}

/// Unit of the sizes in [`QueueBatchConfig`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchSizer {
    /// Number of items.
    #[default]
    Items,
    /// Encoded length.
    Bytes,
}

/// Treatment of a batch when the queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnFull {
    /// The export waits until the queue has room: the Collector's `block_on_overflow`.
    Block,
    /// The batch is dropped for this destination alone, and counted; other destinations get the batch. With
    /// `wait_for_result` the same as [`Refuse`](Self::Refuse), since the sender waits for an answer.
    Drop,
    /// The oldest batches are dropped for this destination alone, and counted, until the new batch fits: in a queue on disk the
    /// oldest segment, an eighth of the queue at most. A queue in memory treats this as [`Refuse`](Self::Refuse).
    DropOldest,
    /// In a queue on disk with [classes](crate::DiskConfig::classes), the oldest segment of the lowest class is dropped, and so on up to
    /// the class of the new batch; a batch that finds files of higher classes alone is refused, and a part of a batch is dropped. A
    /// class over its share drops its own oldest segment. Without classes the same as [`DropOldest`](Self::DropOldest).
    DropLowest,
    /// The batch is refused for all destinations of its pipeline, with a retryable error.
    #[default]
    Refuse,
}

impl QueueBatchConfig {
    /// Returns the sizes and times at which batches are sent.
    pub(super) fn limits(&self) -> Limits {
        let max_size = Some(self.max_size).filter(|&size| size > 0);
        let largest = match self.sizer {
            BatchSizer::Items => SplitLimits { max_items: max_size, max_bytes: None },
            BatchSizer::Bytes => {
                let max_bytes = max_size.map(|size| usize::try_from(size).unwrap_or(usize::MAX));
                SplitLimits { max_items: None, max_bytes }
            }
        };
        let (full_items, full_bytes) = match self.sizer {
            BatchSizer::Items => (self.min_size, 0),
            BatchSizer::Bytes => (0, self.min_size),
        };
        // Without a least size every batch is full at once.
        let timeout = if self.min_size == 0 { Duration::ZERO } else { self.flush_timeout };
        Limits { timeout, full_items, full_bytes, largest, max_open: self.max_partitions }
    }
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            num_consumers: 10,
            queue_size: 1000,
            sizer: Sizer::Requests,
            wait_for_result: false,
            on_full: OnFull::Refuse,
            storage: None,
            batch: None,
        }
    }
}

impl Default for QueueBatchConfig {
    fn default() -> Self {
        Self {
            flush_timeout: Duration::from_millis(200),
            sizer: BatchSizer::Items,
            min_size: 8192,
            max_size: 0,
            metadata_keys: Vec::new(),
            by_identity: false,
            max_partitions: 1000,
        }
    }
}
