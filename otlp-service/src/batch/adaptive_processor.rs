//! The batch processor whose size always follows the destinations.

use super::{BatchConfig, BatchOptions, BatchProcessor};
use crate::fanout::FanOut;
use crate::telemetry::BatchStats;
use otlp_protocol::Batch;
use otlp_transport::{Clock, Export, ExportResult};
use std::sync::Arc;
use std::time::Instant;

/// A [`BatchProcessor`] whose batch size follows the latency of its destinations: with
/// [`adaptive`](BatchConfig::adaptive) of its settings, whose default is used if there is none.
///
/// In front of an export made by hand the batch processor measures the exports; in front of a fan-out the exporters measure
/// their attempts ([`AttemptFeedback`](crate::AttemptFeedback)). In front of an export that answers before it sends, the size stays at
/// its maximum.
///
/// ```
/// use otlp_protocol::{Accepted, Batch, Charge, Count, Signal};
/// use otlp_service::{AdaptiveBatchConfig, AdaptiveBatchProcessor, BatchConfig};
/// use otlp_transport::{Clock, Export, ExportResult, TokioClock};
/// use std::{sync::Arc, time::Duration};
///
/// /// Takes 10 µs for each item.
/// struct Slow;
///
/// impl Export for Slow {
///     async fn export(&self, batch: Batch) -> ExportResult {
///         TokioClock.sleep(Duration::from_micros(10 * batch.items())).await;
///         Ok(Accepted::FULL)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut adaptive = AdaptiveBatchConfig::default();
/// adaptive.target_latency = Duration::from_millis(40);
/// let mut config = BatchConfig::default();
/// config.adaptive = Some(adaptive);
/// let batcher = AdaptiveBatchProcessor::start(config, Slow, Arc::new(TokioClock));
///
/// for _ in 0..10 {
///     let items = batcher.batch_size(); // Requests that make a batch full.
///     let count = Count { items, entries: items };
///     batcher.export(Batch::unchecked(Signal::LOGS, vec![], count, true, Charge::none())).await?;
/// }
/// assert!((2000..=4000).contains(&batcher.batch_size()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AdaptiveBatchProcessor(BatchProcessor);

impl AdaptiveBatchProcessor {
    /// Starts a batch processor in front of `next`, as [`BatchProcessor::start`] does.
    pub fn start(config: BatchConfig, next: impl Export, clock: Arc<dyn Clock>) -> Self {
        Self::start_with(config, next, clock, BatchOptions::default())
    }

    /// Starts a batch processor in front of a pipeline's destinations, as [`BatchProcessor::start_before`] does.
    pub fn start_before(
        config: BatchConfig,
        next: &FanOut,
        clock: Arc<dyn Clock>,
        stats: BatchStats,
    ) -> Self {
        Self(BatchProcessor::start_before(adaptive(config), next, clock, stats))
    }

    /// Starts a batch processor in front of `next`, as [`BatchProcessor::start_with`] does.
    pub fn start_with(
        config: BatchConfig,
        next: impl Export,
        clock: Arc<dyn Clock>,
        options: BatchOptions,
    ) -> Self {
        Self(BatchProcessor::start_with(adaptive(config), next, clock, options))
    }

    /// Returns the current size, in items.
    pub fn batch_size(&self) -> u64 {
        self.0.batch_size()
    }

    /// Sends what is held, as [`BatchProcessor::drain`] does.
    pub async fn drain(&self, deadline: Instant) {
        self.0.drain(deadline).await;
    }
}

impl Export for AdaptiveBatchProcessor {
    async fn export(&self, batch: Batch) -> ExportResult {
        self.0.export(batch).await
    }
}

fn adaptive(mut config: BatchConfig) -> BatchConfig {
    config.adaptive.get_or_insert_default();
    config
}
