//! An exporter's queue settings.

/// An exporter's queue settings; they choose the delivery mode.
///
/// Disabled, or enabled with `wait_for_result`: *end to end*, an export is answered with the destination's answer.
/// Enabled: *memory*, an export is answered once the batch is in the queue; a crash loses what is queued.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueConfig {
    /// Whether there is a queue. Default true.
    pub enabled: bool,
    /// Batches under way at a time, from one queue; at least 1. Default 10.
    pub num_consumers: usize,
    /// Batches waiting, at most; at least 1. Default 1000.
    pub queue_size: usize,
    /// Whether an export waits for the destination's answer, though it goes through the queue. Default false.
    pub wait_for_result: bool,
    /// What happens to a batch when the queue is full. Default [`OnFull::Refuse`].
    pub on_full: OnFull,
}

/// What happens to a batch for which a queue has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnFull {
    /// The sender waits for a slot: the Collector's `block_on_overflow`.
    Block,
    /// It is dropped for this destination alone, and counted; other destinations are not held up. With
    /// `wait_for_result` the same as [`Refuse`](Self::Refuse), since somebody waits for an answer.
    Drop,
    /// It is refused for all destinations of its pipeline, retryably.
    #[default]
    Refuse,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            num_consumers: 10,
            queue_size: 1000,
            wait_for_result: false,
            on_full: OnFull::Refuse,
        }
    }
}
