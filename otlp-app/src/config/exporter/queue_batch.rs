//! `sending_queue.batch`: batches made when the queue is read.

use super::delivery::Unit;
use otlp_service::{BatchSizer, GoDuration, QueueBatchConfig, QueueConfig, SettingsError, Sizer};
use serde::Deserialize;

/// Settings of `batch`. Each batch that is sent is joined of what the queue has, as far as it is of one origin.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct QueueBatch {
    /// Longest time between the first part of a batch and its sending, more than 0. Default 200 ms.
    flush_timeout: Option<GoDuration>,
    /// Unit of `min_size` and `max_size`: items, bytes. Default: the queue's `sizer` if it is set and
    /// `batch` is not empty; else items.
    sizer: Option<BatchUnit>,
    /// Size at which a batch is sent; 0: at once. Default 8192.
    min_size: Option<u64>,
    /// Largest size of a batch: larger requests are cut; 0 is no limit. Default 0.
    max_size: Option<u64>,
    partition: Partition,
}

/// Settings of `partition`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Partition {
    /// Names of request headers: requests whose values differ are not joined. The receivers need `include_metadata`.
    metadata_keys: Vec<String>,
}

/// Values of `batch.sizer`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum BatchUnit {
    /// Spans, data points, log records, samples.
    Items,
    /// Encoded bytes.
    Bytes,
}

// === impl QueueBatch ===

impl QueueBatch {
    /// Returns the settings of batches for a queue whose `sizer` is `of_queue`, and adds what is wrong with them; `at` is the path
    /// of the section with a dot.
    pub(super) fn config(
        self,
        of_queue: Option<Unit>,
        at: &str,
        queue: &QueueConfig,
        wrong: &mut Vec<SettingsError>,
    ) -> QueueBatchConfig {
        let mut config = QueueBatchConfig::default();
        let mut refuse = |key: &str, problem: String| {
            wrong.push(SettingsError::at(format!("{at}{key}"), problem));
        };
        // As in the Collector, a section without a key does not follow the queue.
        config.sizer = match (self.sizer, of_queue.filter(|_| !self.is_empty())) {
            (Some(BatchUnit::Bytes), _) | (None, Some(Unit::Bytes)) => BatchSizer::Bytes,
            (None, Some(Unit::Requests)) => {
                refuse("sizer", NO_REQUESTS.into());
                BatchSizer::Items
            }
            _ => BatchSizer::Items,
        };
        if let Some(GoDuration(timeout)) = self.flush_timeout {
            config.flush_timeout = timeout;
            if timeout.is_zero() {
                refuse("flush_timeout", "it must be more than 0; `min_size: 0` sends batches at once".into());
            }
        }
        config.min_size = self.min_size.unwrap_or(config.min_size);
        config.max_size = self.max_size.unwrap_or(config.max_size);
        let QueueBatchConfig { min_size, max_size, .. } = config;
        if (1..min_size).contains(&max_size) {
            refuse("max_size", format!("{max_size} is less than `min_size` ({min_size})"));
        }
        let same_unit = matches!(
            (queue.sizer, config.sizer),
            (Sizer::Items, BatchSizer::Items) | (Sizer::Bytes, BatchSizer::Bytes)
        );
        if same_unit && min_size > queue.queue_size as u64 {
            let problem = format!("{min_size} is more than `queue_size` ({}) can hold", queue.queue_size);
            refuse("min_size", problem);
        }
        let keys = crate::config::processor::keys(
            &format!("{at}partition.metadata_keys"),
            self.partition.metadata_keys,
        );
        match keys {
            Ok(keys) => config.metadata_keys = keys,
            Err(error) => wrong.push(error),
        }
        config.metadata_keys.iter_mut().for_each(|key| key.make_ascii_lowercase());
        config
    }

    fn is_empty(&self) -> bool {
        let Self { flush_timeout, sizer, min_size, max_size, partition } = self;
        flush_timeout.is_none()
            && sizer.is_none()
            && min_size.is_none()
            && max_size.is_none()
            && partition.metadata_keys.is_empty()
    }
}

const NO_REQUESTS: &str =
    "the queue's sizer is requests, but batches have a size in items or bytes: set `batch.sizer`";
