//! Batching: joins requests until a batch is full or a timeout has passed.
//!
//! Bodies are concatenated, never decoded. Only requests of the same signal and origin are joined, as far as the settings
//! say that the origin matters. Requests that cannot be joined (profiles with a dictionary) are sent alone. A batch is cut
//! *between* requests; a request is cut only if the request itself is over a limit.
//!
//! The time of the answer follows the [`Delivery`](crate::Delivery) of the next component:
//! * memory mode: on admission. The items of an open batch count as queued until the next component counts them. If the next
//!   component has no room, a task waits with the batch. Open batches occupy no queue slots: a request that opens a batch
//!   or is sent alone first asks the queues for room, so that no requests are admitted while batches wait for room.
//! * otherwise: when all batches with data of the request have settled. The failure of a batch is the answer to all its
//!   senders; if any of several failures is retryable, the answer is retryable, and data may arrive twice. If the destination
//!   rejects items of a joined batch, the sender of these items is unknown: each sender gets the message with a count of 0,
//!   and the ledger counts the items once. Flushes run as tasks, so that a sender that goes away does not cancel them; the
//!   byte budget bounds their memory.

mod accumulator;
mod adaptive;
mod adaptive_processor;
mod feedback;
mod worker;

pub use adaptive::AdaptiveBatchConfig;
pub use adaptive_processor::AdaptiveBatchProcessor;
pub use feedback::{AttemptFeedback, MeasuredAttempt};
pub use worker::BatchProcessor;

pub(crate) use accumulator::{Accumulator, Limits, Open, Placement, Ready, narrow};
pub(crate) use worker::answer_all;

use crate::fanout::{Delivery, FanOut};
use crate::ledger::Hop;
use crate::telemetry::BatchStats;
use std::fmt;
use std::time::Duration;

/// A batch processor's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchConfig {
    /// Longest time between the first request of a batch and its flush; zero sends every request at once. Default 200 ms.
    pub timeout: Duration,
    /// Number of items at which a batch is sent. Default 8192; 0: no such number.
    pub send_batch_size: u64,
    /// Largest number of items of a batch: larger requests are split. Default 0: no limit.
    pub send_batch_max_size: u64,
    /// Largest encoded length of a batch, in bytes; only a single item may be larger. 0: no limit. Default 4 MiB, the default
    /// limit of gRPC servers.
    pub max_bytes: usize,
    /// Names of request headers, in lower case: requests that differ in one of these headers are not joined, and a joined batch
    /// keeps these headers and no others in its origin. Receivers must keep the headers
    /// ([`OriginConfig`](otlp_transport::OriginConfig)). Default none.
    pub metadata_keys: Vec<Box<str>>,
    /// Keeps requests of different identities apart, and the identity in the origin of the joined batch. Default false.
    pub by_identity: bool,
    /// Keys of resource attributes: requests are cut by the values of these attributes, parts with different values are not
    /// joined, and a joined batch keeps the values in its origin. Default none.
    pub resource_keys: Vec<Box<str>>,
    /// Largest number of open batches, each of another origin: a further origin sends the oldest open batch early. Default 1000.
    pub metadata_cardinality_limit: usize,
    /// Lets the size of batches follow the latency of the destinations: [`AdaptiveBatchProcessor`]. The size takes the place of
    /// `send_batch_size` and of `send_batch_max_size`, whose own values have no effect then. Default `None`.
    pub adaptive: Option<AdaptiveBatchConfig>,
}

/// Options of a [`BatchProcessor`]: the delivery mode of the next component, counters and accounts.
pub struct BatchOptions {
    delivery: Delivery,
    stats: BatchStats,
    hop: Hop,
    queues: Option<FanOut>,
    /// Of the attempts behind. Empty: the batch processor measures its exports.
    feedback: Vec<AttemptFeedback>,
}

// === impl BatchOptions ===

impl BatchOptions {
    /// Sets the delivery mode. Default [`Delivery::EndToEnd`]: a sender waits for the answers to all batches with data of its
    /// request. With [`Delivery::Memory`] a sender is answered on admission, and exports of the batch are repeated until the
    /// next component accepts the batch or refuses it with a final error.
    #[must_use]
    pub fn with_delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// Sets the counters. Default: counters outside of any registry.
    #[must_use]
    pub fn with_stats(mut self, stats: BatchStats) -> Self {
        self.stats = stats;
        self
    }

    /// Sets the accounts that count items in open batches; the next component counts in the same accounts. Default none.
    #[must_use]
    pub fn with_hop(mut self, hop: Hop) -> Self {
        self.hop = hop;
        self
    }

    /// Sets the feedback of the exporters behind `next`, for adaptive settings. Without it the batch processor measures its exports.
    #[must_use]
    pub(crate) fn with_feedback(mut self, feedback: Vec<AttemptFeedback>) -> Self {
        self.feedback = feedback;
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
            adaptive: None,
        }
    }
}

impl Default for BatchOptions {
    fn default() -> Self {
        let (stats, hop, feedback) = (BatchStats::default(), Hop::none(), Vec::new());
        Self { delivery: Delivery::EndToEnd, stats, hop, queues: None, feedback }
    }
}
