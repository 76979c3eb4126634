//! Settings of an exporter's queue.

use super::Sizer;

/// Settings of an exporter's queue, which choose the delivery mode.
///
/// Disabled, or enabled with `wait_for_result`: *end to end*, an export is answered with the destination's answer.
/// Enabled: *memory*, an export is answered once the batch is in the queue; a crash loses the batches in the queue.
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
    /// The batch is refused for all destinations of its pipeline, with a retryable error.
    #[default]
    Refuse,
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
        }
    }
}
