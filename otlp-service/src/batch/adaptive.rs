//! The size of adaptive batches: a controller without a clock, tasks or locks.
//!
//! The controller has a size for each destination, and the batch processor uses the least of them. The rule: an attempt over
//! the target latency multiplies the size by 0.8, an attempt under half of the target by 1.2, and other attempts change
//! nothing.
//!
//! An attempt need not have the current size: batches wait in queues and are under way while the size changes, batches are
//! sent after the timeout before they are full, and other pipelines send to the same destination. Therefore an attempt
//! counts as far as it says something about a batch of the *current* size. The latency of `n` items is taken to be a fixed time plus
//! a time for each item, so that the latency of `size` items is
//! * at least `latency × min(1, size / n)`: if that is over the target, the size is too large;
//! * at most `latency × max(1, size / n)`: if that is under half of the target, the size may grow.
//!
//! From this follows that the size settles. Ten attempts with 8192 items that were made before a change reduce the size only
//! as far as each of them shows the reduced size to be too large. A small batch that was quick says nothing about a size at
//! which its latency, in proportion, is no longer short.

use std::time::Duration;

/// Settings of a batch size that follows the latency of the destinations.
///
/// The size starts at `max_batch_size`, and is both the number of items at which a batch is sent and the largest number of
/// items in a batch: a larger request is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdaptiveBatchConfig {
    /// Largest latency of an attempt to send a batch. An attempt over this latency reduces the size by a fifth, an attempt
    /// under half of the latency raises the size by a fifth. Should be several times the round trip to the destination.
    /// Default 50 ms.
    pub target_latency: Duration,
    /// Least size, in items; at least 1. Default 512, the batch size of the SDKs: smaller batches would be smaller than most
    /// requests.
    pub min_batch_size: u64,
    /// Largest size, in items; at least `min_batch_size`. Default 8192, the default of
    /// [`send_batch_size`](super::BatchConfig::send_batch_size): a destination that is quick enough gets the batches
    /// that it would get without adaptation.
    pub max_batch_size: u64,
}

/// Finds the batch size at which attempts take no longer than the target latency.
#[derive(Debug)]
pub(crate) struct BatchSizeController {
    config: AdaptiveBatchConfig,
    /// For each destination. Fractions are kept, so that small sizes can grow.
    sizes: Vec<f64>,
}

/// An attempt to send a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observation {
    /// Index of the destination.
    pub(crate) destination: usize,
    pub(crate) items: u64,
    pub(crate) latency: Duration,
    /// False if the attempt ended with its time limit: the answer would have taken longer.
    pub(crate) is_answered: bool,
}

// === impl BatchSizeController ===

impl BatchSizeController {
    pub(crate) fn new(mut config: AdaptiveBatchConfig, destinations: usize) -> Self {
        config.min_batch_size = config.min_batch_size.clamp(1, MAX_SIZE);
        config.max_batch_size = config.max_batch_size.clamp(config.min_batch_size, MAX_SIZE);
        Self { sizes: vec![config.max_batch_size as f64; destinations.max(1)], config }
    }

    /// Returns the current size: that of the slowest destination.
    pub(crate) fn size(&self) -> u64 {
        self.sizes.iter().copied().fold(self.config.max_batch_size as f64, f64::min) as u64
    }

    /// Takes an attempt into account.
    pub(crate) fn observe(&mut self, Observation { destination, items, latency, is_answered }: Observation) {
        let Some(size) = self.sizes.get_mut(destination) else { return };
        let (latency, target) = (latency.as_secs_f64(), self.config.target_latency.as_secs_f64());
        let ratio = *size / items.max(1) as f64;
        let (least, most) = (latency * ratio.min(1.0), latency * ratio.max(1.0));
        let factor = if least > target {
            DECREASE
        } else if is_answered && most < target / 2.0 {
            INCREASE
        } else {
            return;
        };
        let (min, max) = (self.config.min_batch_size as f64, self.config.max_batch_size as f64);
        *size = (*size * factor).clamp(min, max);
    }
}

impl Default for AdaptiveBatchConfig {
    fn default() -> Self {
        Self { target_latency: Duration::from_millis(50), min_batch_size: 512, max_batch_size: 8192 }
    }
}

const DECREASE: f64 = 0.8;
const INCREASE: f64 = 1.2;
/// Numbers up to here are exact as `f64`.
const MAX_SIZE: u64 = 1 << 53;

#[cfg(test)]
mod tests;
