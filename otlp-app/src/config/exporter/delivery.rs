//! Settings `sending_queue` and `retry_on_failure`, which every exporter that sends has.

use super::backlog::Backlog;
use super::queue_batch::QueueBatch;
use super::queue_classes::Class;
use otlp_service::{
    BuildContext, DiskCompression, DiskConfig, ExtensionRef, GoDuration, KeyRule, OnFull, QueueConfig,
    RetryConfig, SettingsError, Sizer,
};
use otlp_transport::codec;
use serde::Deserialize;

/// Settings of `sending_queue`: one queue a signal.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SendingQueue {
    /// Answers requests once they are in the queue; false: with the destination's answer, without a queue. Default true.
    enabled: Option<bool>,
    /// Largest number of batches sent at a time, at least 1. Default 10.
    num_consumers: Option<u64>,
    /// Largest size of what waits in the queue, in the unit of `sizer`; at least 1. A request that is larger alone is taken
    /// when the queue is empty. Default 1000.
    queue_size: Option<u64>,
    /// Unit of `queue_size`: requests, items, bytes. Default requests.
    sizer: Option<Unit>,
    /// Waits for room in a full queue instead of refusing the request. Default false.
    block_on_overflow: bool,
    /// Answers with the destination's answer although there is a queue. Default false.
    wait_for_result: bool,
    /// Extension that keeps the queue in files: requests are answered once the device has them, and what is left is delivered after
    /// the next start. `queue_size` limits such a queue only if it is set. Default none: the queue is in memory.
    storage: Option<String>,
    /// Largest size of the files, in bytes, with `storage`. Default: `max_size` of the extension. Not a key of the Collector.
    max_bytes: Option<u64>,
    /// Time after which what waits in the files is dropped. Default never. Not a key of the Collector.
    max_age: Option<GoDuration>,
    /// Effect of a full queue in files: refuse (senders are told to retry), drop_oldest (the oldest eighth of the queue is dropped
    /// for what is new), drop_lowest (the oldest of the lowest of the `classes` is dropped, down to the class of what is new). Default
    /// refuse. Not a key of the Collector.
    overflow: Overflow,
    /// Compression of what is stored in the files: none, zstd (about a fifth of the room, for more work). What is in the files already is
    /// read in any case. Default none. Not a key of the Collector.
    compression: Stored,
    /// Delivery of what has waited in the files, with `storage`. Not a section of the Collector.
    backlog: Backlog,
    /// Classes of what is in the files, the highest first, with `storage`. Not a section of the Collector.
    classes: Vec<Class>,
    /// Joins what is in the queue into batches as it is sent; without the section each request is sent as it was queued.
    batch: Option<QueueBatch>,
}

/// Values of `sizer`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unit {
    /// Requests: batches of any size.
    Requests,
    /// Spans, data points, log records, samples.
    Items,
    /// Encoded bytes.
    Bytes,
}

/// Values of `overflow`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Overflow {
    /// Senders are told to retry.
    #[default]
    Refuse,
    /// The oldest batches are dropped.
    DropOldest,
    /// The oldest batches of the lowest class are dropped.
    DropLowest,
}

/// Values of `compression`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Stored {
    /// Requests are stored as they are.
    #[default]
    None,
    /// Each request is a zstd frame.
    Zstd,
}

/// Settings of `retry_on_failure`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Retry {
    /// Retries attempts that failed and may succeed later. Default true.
    enabled: Option<bool>,
    /// Time before the second attempt. Default 5 s.
    initial_interval: Option<GoDuration>,
    /// Random share of each wait, 0 to 1. Default 0.5.
    randomization_factor: Option<f64>,
    /// Factor by which each wait is longer than the last, at most 1000; below 1 all waits are equal. Default 1.5.
    multiplier: Option<f64>,
    /// Longest time between two attempts. Default 30 s.
    max_interval: Option<GoDuration>,
    /// Time after which no attempt starts any more; 0 is no limit. Default 300 s; none for queues in files.
    max_elapsed_time: Option<GoDuration>,
    /// Retries RESOURCE_EXHAUSTED also if the destination names no delay. Default false. Not a key of the Collector.
    retry_resource_exhausted: bool,
}

/// Keys of the Collector's `sending_queue` that have no effect here or that may be turned off.
pub(crate) const QUEUE_RULES: &[KeyRule] =
    &[KeyRule::optional("sending_queue.batch"), KeyRule::on_if_there("sending_queue.batch")];

// === impl SendingQueue ===

impl SendingQueue {
    /// Returns the queue's settings; `at` is the path before `sending_queue`.
    pub(crate) fn config(self, at: &str, context: &BuildContext<'_>) -> Result<QueueConfig, SettingsError> {
        let mut config = QueueConfig::default();
        let enabled = self.enabled.unwrap_or(true);
        let mut wrong = Vec::new();
        let counts = [
            ("num_consumers", self.num_consumers, MAX_CONSUMERS, &mut config.num_consumers),
            ("queue_size", self.queue_size, MAX_QUEUE_SIZE, &mut config.queue_size),
        ];
        for (key, given, max, count) in counts {
            match given {
                // Without a queue these settings have no effect.
                Some(given) if enabled && !(1..=max).contains(&given) => {
                    let path = format!("{at}sending_queue.{key}");
                    wrong.push(SettingsError::at(path, format!("it must be 1 to {max}")));
                }
                Some(given) if enabled => *count = usize::try_from(given).unwrap_or(usize::MAX),
                _ => {}
            }
        }
        config.sizer = self.sizer.map_or(Sizer::Requests, Sizer::from);
        let batch = format!("{at}sending_queue.batch.");
        if enabled && self.is_stored() {
            if self.compression == Stored::Zstd && codec("zstd").is_none() {
                let absent = "zstd is not compiled in: build with the feature `zstd`";
                wrong.push(SettingsError::at(format!("{at}sending_queue.compression"), absent));
            }
            config.storage = Some(self.disk());
            if self.queue_size.is_none() {
                config.queue_size = usize::MAX;
            }
            config.on_full = match self.overflow {
                Overflow::Refuse => OnFull::Refuse,
                Overflow::DropOldest => OnFull::DropOldest,
                Overflow::DropLowest => OnFull::DropLowest,
            };
        }
        if let Some(batches) = self.batch.filter(|_| enabled) {
            config.batch = Some(batches.config(self.sizer, &batch, &config, &mut wrong));
        }
        if self.backlog.is_given() {
            let at = format!("{at}sending_queue.backlog");
            let backlog = self.backlog.config(&format!("{at}."), &config, &mut wrong);
            match &mut config.storage {
                Some(storage) => storage.backlog = backlog,
                None if enabled => wrong.push(SettingsError::at(at, NO_FILES)),
                None => {}
            }
        }
        if enabled {
            let at = format!("{at}sending_queue");
            let refused = match (&config.storage, self.classes.is_empty()) {
                (_, true) if self.overflow == Overflow::DropLowest => Some(("overflow", NO_CLASSES)),
                (None, false) => Some(("classes", NO_FILES)),
                (Some(_), false) if self.wait_for_result => Some(("classes", WAITING)),
                _ => None,
            };
            wrong.extend(refused.map(|(key, problem)| SettingsError::at(format!("{at}.{key}"), problem)));
            let classes = Class::all(self.classes, &format!("{at}.classes"), &mut wrong);
            if let Some(storage) = &mut config.storage {
                storage.classes = classes;
            }
        }
        config.enabled = enabled;
        config.wait_for_result = self.wait_for_result;
        if self.block_on_overflow {
            config.on_full = OnFull::Block;
        }
        context.check(wrong)?;
        Ok(config)
    }

    /// Returns the reference to the extension that keeps the queue; `at` is the path before `sending_queue`.
    pub(crate) fn storage(&self, at: &str) -> Option<ExtensionRef> {
        let id = self.storage.clone().filter(|_| self.enabled != Some(false) && self.is_stored())?;
        Some(ExtensionRef { id, path: format!("{at}sending_queue.storage") })
    }

    fn is_stored(&self) -> bool {
        self.storage.as_ref().is_some_and(|id| !id.is_empty())
    }

    /// Returns the limits of the files. The extension has the directory.
    fn disk(&self) -> DiskConfig {
        let mut disk = DiskConfig::new("");
        disk.max_bytes = self.max_bytes;
        disk.max_age = self.max_age.and_then(GoDuration::given);
        if self.compression == Stored::Zstd {
            disk.compression = DiskCompression::Zstd;
        }
        disk
    }
}

impl From<Unit> for Sizer {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Requests => Self::Requests,
            Unit::Items => Self::Items,
            Unit::Bytes => Self::Bytes,
        }
    }
}

// === impl Retry ===

impl Retry {
    /// Returns the retry's settings; `at` is the path before `retry_on_failure`. Retries of what is stored have no time limit unless
    /// one is set.
    pub(crate) fn config(self, at: &str, is_stored: bool) -> Result<RetryConfig, SettingsError> {
        let mut config = RetryConfig::default();
        config.max_elapsed_time = config.max_elapsed_time.filter(|_| !is_stored);
        config.enabled = self.enabled.unwrap_or(true);
        config.retry_resource_exhausted = self.retry_resource_exhausted;
        config.randomization_factor = self.randomization_factor.unwrap_or(config.randomization_factor);
        config.multiplier = self.multiplier.unwrap_or(config.multiplier);
        if let Some(GoDuration(interval)) = self.initial_interval {
            config.initial_interval = interval;
        }
        if let Some(GoDuration(interval)) = self.max_interval {
            config.max_interval = interval;
        }
        if let Some(GoDuration(time)) = self.max_elapsed_time {
            config.max_elapsed_time = (!time.is_zero()).then_some(time);
        }
        let wrong = if !config.enabled {
            None
        } else if !(0.0..=1.0).contains(&config.randomization_factor) {
            Some(("randomization_factor", "it must be 0 to 1"))
        } else if !(0.0..=MAX_MULTIPLIER).contains(&config.multiplier) {
            Some(("multiplier", "it must be 0 to 1000"))
        } else {
            None
        };
        match wrong {
            Some((key, problem)) => Err(SettingsError::at(format!("{at}retry_on_failure.{key}"), problem)),
            None => Ok(config),
        }
    }
}

const NO_FILES: &str =
    "a queue in memory has no files: name an extension `file_storage` by `sending_queue.storage`";
const NO_CLASSES: &str =
    "without `classes` no class is the lowest: use drop_oldest, or add `sending_queue.classes`";
const WAITING: &str = "with `wait_for_result` senders wait for the destination, so that no request can wait for a higher class: \
                       leave `wait_for_result` out, or `classes`";
const MAX_CONSUMERS: u64 = 1_000_000;
/// Limit of the Collector. No memory is reserved for the queue.
const MAX_QUEUE_SIZE: u64 = i64::MAX as u64;
const MAX_MULTIPLIER: f64 = 1000.0;
