//! Batching: requests joined until they are worth sending.
//!
//! Bodies are concatenated, never decoded. Only requests of the same signal and origin are joined, as far as the settings
//! say that the origin matters; what cannot be joined (a profile's dictionary) passes alone. A batch is cut *between*
//! requests; a request is cut only if it is over a limit by itself.
//!
//! The answer follows the [`Delivery`](crate::Delivery) of what stands behind:
//! * memory: on admission. What is held counts as queued until the next component counts the same items; if that has no
//!   room, the batch waits for it as a task of its own. Open batches occupy no queue slots: a request that opens a batch
//!   or passes alone meets the queue's policy, so that no more is taken in while batches wait for room.
//! * otherwise: when all that a request's data went into has settled. One failure answers all who wait; if any of
//!   several is retryable, so is the answer, and data may arrive twice. If a joined batch is rejected in part, the loss
//!   cannot be attributed: each sender gets the text with a count of 0, and the ledger counts it once. Flushes run as
//!   tasks of their own, so that no sender's leaving cancels them; what they pin is bounded by the byte budget.

mod accumulator;
mod worker;

pub use worker::BatchProcessor;

use crate::fanout::{Delivery, FanOut};
use crate::ledger::Hop;
use crate::telemetry::BatchStats;
use otlp_protocol::SplitLimits;
use std::fmt;
use std::time::Duration;

/// A batch processor's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchConfig {
    /// How long the first request of a batch waits for others; zero sends every request at once. Default 200 ms.
    pub timeout: Duration,
    /// Items that make a batch full. Default 8192; 0 leaves that to the timeout and `max_bytes`.
    pub send_batch_size: u64,
    /// Items that a batch never exceeds: larger requests are split. Default 0: no such limit.
    pub send_batch_max_size: u64,
    /// Encoded bytes that a batch never exceeds, but for a single item larger than that; 0 is no limit. Default 4 MiB,
    /// which servers of gRPC take by default.
    pub max_bytes: usize,
    /// Names of request headers, in lower case: requests that differ in one of them are not joined, and a joined batch has
    /// these of its origin's headers and no others. Receivers must keep them
    /// ([`OriginConfig`](otlp_transport::OriginConfig)). Default none.
    pub metadata_keys: Vec<Box<str>>,
    /// Whether requests of different identities are kept apart, and a joined batch has its senders' identity. Default
    /// false.
    pub by_identity: bool,
    /// Keys of resource attributes: a request is cut by their values, parts that differ in one of them are not joined, and
    /// a joined batch has them in its origin. Default none.
    pub resource_keys: Vec<Box<str>>,
    /// Open batches at a time, each of another origin: for a further one, the batch that has been open for longest is sent
    /// early. Default 1000.
    pub metadata_cardinality_limit: usize,
}

/// What a [`BatchProcessor`] may know of what stands behind, and where it counts.
pub struct BatchOptions {
    delivery: Delivery,
    stats: BatchStats,
    hop: Hop,
    queues: Option<FanOut>,
}

// === impl BatchConfig ===

impl BatchConfig {
    /// What a batch never exceeds.
    fn limits(&self) -> SplitLimits {
        SplitLimits {
            max_items: Some(self.send_batch_max_size).filter(|&items| items > 0),
            max_bytes: Some(self.max_bytes).filter(|&bytes| bytes > 0),
        }
    }
}

// === impl BatchOptions ===

impl BatchOptions {
    /// When what stands behind answers. Default [`Delivery::EndToEnd`]: a sender waits for the answer to all that its
    /// request went into. With [`Delivery::Memory`] a sender is answered once its request is held, and what stands behind
    /// is tried until it takes the batch or refuses it for good.
    #[must_use]
    pub fn with_delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// The counters. Default: counters that are shown nowhere.
    #[must_use]
    pub fn with_stats(mut self, stats: BatchStats) -> Self {
        self.stats = stats;
        self
    }

    /// The accounts of the items that are held, which what stands behind fills as well. Default none.
    #[must_use]
    pub fn with_hop(mut self, hop: Hop) -> Self {
        self.hop = hop;
        self
    }
}

impl fmt::Debug for BatchOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchOptions")
            .field("delivery", &self.delivery)
            .field("hop", &self.hop)
            .finish_non_exhaustive()
    }
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_millis(200),
            send_batch_size: 8192,
            send_batch_max_size: 0,
            max_bytes: 4 << 20,
            metadata_keys: Vec::new(),
            by_identity: false,
            resource_keys: Vec::new(),
            metadata_cardinality_limit: 1000,
        }
    }
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self { delivery: Delivery::EndToEnd, stats: BatchStats::default(), hop: Hop::none(), queues: None }
    }
}
