//! Batches of spans and of log records.

use std::time::Duration;

/// Settings of the batches of spans or log records.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchSettings {
    /// Longest time that an item waits before it is sent. Default 5 s for spans, 1 s for log records.
    pub schedule_delay: Duration,
    /// Time limit of the export of a batch, with its retries, beside the destination's timeout; the shorter one counts. Zero is no
    /// limit. Default 30 s.
    pub export_timeout: Duration,
    /// Items that wait in memory at most. `None`, the default, is no limit beside that of the client in bytes; the specification's
    /// default of 2048 is the work of 10 ms at full speed.
    pub max_queue_size: Option<usize>,
    /// Number of items at which a batch is sent at once. Default 512.
    pub max_export_batch_size: usize,
}

// === impl BatchSettings ===

impl BatchSettings {
    /// The defaults for spans.
    pub fn spans() -> Self {
        Self {
            schedule_delay: Duration::from_secs(5),
            export_timeout: Duration::from_secs(30),
            max_queue_size: None,
            max_export_batch_size: 512,
        }
    }

    /// The defaults for log records.
    pub fn log_records() -> Self {
        Self { schedule_delay: Duration::from_secs(1), ..Self::spans() }
    }
}
