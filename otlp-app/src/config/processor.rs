//! The processors: `batch` and `memory_limiter` here, the others below.

mod actions;
mod filter;
mod group_by_attrs;
mod matching;
mod probabilistic_sampler;
mod redaction;
mod resource_detection;
mod span;
mod transform;

pub(crate) use actions::{ATTRIBUTES_RULES, attributes, resource};
pub(crate) use filter::{FILTER_RULES, filter};
pub(crate) use group_by_attrs::group_by_attrs;
pub(crate) use probabilistic_sampler::probabilistic_sampler;
pub(crate) use redaction::redaction;
pub(crate) use resource_detection::{RESOURCE_DETECTION_RULES, resource_detection};
pub(crate) use span::span;
pub(crate) use transform::{TRANSFORM_RULES, transform};

use crate::memory::{Limit, memory_bytes, process_limit};
use otlp_service::{
    AdaptiveBatchConfig, BatchConfig, BuildContext, GoDuration, KeyRule, SettingsError, StagePart,
};
use serde::Deserialize;

/// Settings of the processor `batch`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Batch {
    /// Longest time that a batch stays open for further requests; 0 sends each request at once. Default 200 ms.
    timeout: Option<GoDuration>,
    /// Number of items from which on a batch is sent; 0: only `timeout` and bytes count. Default 8192.
    send_batch_size: Option<u64>,
    /// Largest number of items in a batch; 0 is no limit. Default 0.
    send_batch_max_size: Option<u64>,
    /// Names of request headers: requests whose values differ are not joined. The receivers need `include_metadata`.
    metadata_keys: Vec<String>,
    /// Keys of resource attributes: requests are cut by the values, and parts whose values differ are not joined. Not a key of
    /// the Collector.
    resource_keys: Vec<String>,
    /// Largest number of open batches with different values of `metadata_keys` or `resource_keys`; over this number the
    /// oldest open batch is sent early. 0 is the default here, no limit in the Collector. Default 1000.
    metadata_cardinality_limit: u64,
    /// Lets the number of items follow the latency of the exporters.
    adaptive: Option<Adaptive>,
}

/// Settings of `adaptive`, in place of `send_batch_size` and `send_batch_max_size`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Adaptive {
    /// Longest latency of an attempt to send a batch: over it the number of items is reduced by a fifth, under half of it
    /// raised by a fifth. Should be several times the round trip. Default 50 ms. Not a key of the Collector.
    target_latency: Option<GoDuration>,
    /// Least number of items from which on a batch is sent, at least 1. Default 512. Not a key of the Collector.
    min_batch_size: Option<u64>,
    /// Largest number of items in a batch, with which the gateway starts. Default 8192. Not a key of the Collector.
    max_batch_size: Option<u64>,
}

/// Settings of the processor `memory_limiter`. One of the limits is required.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MemoryLimiter {
    /// Memory limit for request bodies in the whole process, in MiB.
    limit_mib: u64,
    /// Memory limit as a percentage of the memory that the process may use: the least of the limits of its cgroups,
    /// `RLIMIT_AS`, `RLIMIT_DATA` and the machine's memory.
    limit_percentage: u64,
}

/// Keys of the Collector's `memory_limiter` that have no effect here.
pub(crate) const MEMORY_LIMITER_RULES: &[KeyRule] = &[
    KeyRule::ignored("check_interval", "memory is charged when it is taken, not checked at intervals"),
    KeyRule::ignored("spike_limit_mib", NO_SPIKES),
    KeyRule::ignored("spike_limit_percentage", NO_SPIKES),
    KeyRule::ignored("min_gc_interval_when_soft_limited", NO_COLLECTOR),
    KeyRule::ignored("min_gc_interval_when_hard_limited", NO_COLLECTOR),
];

/// Makes `batch`.
pub(crate) fn batch(batch: Batch, _: &BuildContext<'_>) -> Result<BatchConfig, SettingsError> {
    let mut config = BatchConfig::default();
    if let Some(GoDuration(timeout)) = batch.timeout {
        config.timeout = timeout;
    }
    config.send_batch_size = batch.send_batch_size.unwrap_or(config.send_batch_size);
    config.send_batch_max_size = batch.send_batch_max_size.unwrap_or(config.send_batch_max_size);
    if let Ok(limit @ 1..) = usize::try_from(batch.metadata_cardinality_limit) {
        config.metadata_cardinality_limit = limit;
    }
    config.metadata_keys = keys("metadata_keys", batch.metadata_keys)?;
    config.metadata_keys.iter_mut().for_each(|key| key.make_ascii_lowercase());
    config.resource_keys = keys("resource_keys", batch.resource_keys)?;
    if let Some(adaptive) = batch.adaptive {
        for (key, given) in
            [("send_batch_size", batch.send_batch_size), ("send_batch_max_size", batch.send_batch_max_size)]
        {
            if given.is_some() {
                let error = SettingsError::at(key, "it has no effect beside adaptive");
                return Err(error.help("set adaptive.min_batch_size and adaptive.max_batch_size instead"));
            }
        }
        config.adaptive = Some(adaptive.config()?);
        return Ok(config);
    }
    if config.send_batch_max_size > 0 && config.send_batch_max_size < config.send_batch_size {
        // A maximum that is given alone must not be refused because of the default of the other.
        if batch.send_batch_size.is_some() {
            let problem = "it must not be less than send_batch_size";
            return Err(SettingsError::at("send_batch_max_size", problem));
        }
        config.send_batch_size = config.send_batch_max_size;
    }
    Ok(config)
}

// === impl Adaptive ===

impl Adaptive {
    fn config(self) -> Result<AdaptiveBatchConfig, SettingsError> {
        let mut config = AdaptiveBatchConfig::default();
        if let Some(GoDuration(latency)) = self.target_latency {
            config.target_latency = latency;
        }
        // A limit that is given alone must not be refused because of the default of the other.
        (config.min_batch_size, config.max_batch_size) = match (self.min_batch_size, self.max_batch_size) {
            (Some(min), Some(max)) => (min, max),
            (Some(min), None) => (min, config.max_batch_size.max(min)),
            (None, Some(max)) => (config.min_batch_size.min(max), max),
            (None, None) => (config.min_batch_size, config.max_batch_size),
        };
        let wrong = if config.target_latency.is_zero() {
            ("target_latency", "it must be more than 0")
        } else if self.min_batch_size == Some(0) {
            ("min_batch_size", "it must be at least 1")
        } else if self.max_batch_size == Some(0) {
            ("max_batch_size", "it must be at least 1")
        } else if config.max_batch_size < config.min_batch_size {
            ("max_batch_size", "it must not be less than min_batch_size")
        } else {
            return Ok(config);
        };
        Err(SettingsError::at(format!("adaptive.{}", wrong.0), wrong.1))
    }
}

/// Checks keys by which batches are kept apart: not empty, none listed twice.
pub(super) fn keys(path: &str, keys: Vec<String>) -> Result<Vec<Box<str>>, SettingsError> {
    let mut known: Vec<Box<str>> = Vec::with_capacity(keys.len());
    for (index, key) in keys.into_iter().enumerate() {
        let problem = match known.iter().any(|known| known.eq_ignore_ascii_case(&key)) {
            true => "it is listed twice",
            false if key.is_empty() => "it is empty",
            false => {
                known.push(key.into());
                continue;
            }
        };
        return Err(SettingsError::at(format!("{path}.{index}"), problem));
    }
    Ok(known)
}

/// Makes `memory_limiter`, which sets the limit of the process and does nothing to batches.
pub(crate) fn memory_limiter(
    MemoryLimiter { limit_mib, limit_percentage }: MemoryLimiter,
    _: &BuildContext<'_>,
) -> Result<StagePart, SettingsError> {
    let limit_bytes = match (limit_mib, limit_percentage) {
        (0, 0) => {
            let problem = "limit_mib or limit_percentage is required";
            return Err(SettingsError::at("limit_mib", problem).help("such as `limit_mib: 512`"));
        }
        (0, 1..=100) => memory_bytes() / 100 * limit_percentage,
        (0, _) => {
            return Err(SettingsError::at("limit_percentage", "it must be 1 to 100"));
        }
        (mib, _) => mib.saturating_mul(1 << 20),
    };
    match process_limit().and_then(|limit| exceeded(limit_bytes, limit)) {
        Some(error) => Err(error),
        None => Ok(StagePart::memory_limit(limit_bytes)),
    }
}

/// Returns an error for a limit above the memory that the process may use: the system would end the process first.
fn exceeded(limit_bytes: u64, limit: Limit) -> Option<SettingsError> {
    let Limit { bytes, by, remedy } = limit;
    let may_use = bytes >> 20;
    let problem =
        format!("{} MiB is more than the {may_use} MiB that the process may use ({by})", limit_bytes >> 20);
    let help =
        format!("set at most {}, which leaves room for the rest of the process; or {remedy}", may_use / 2);
    (limit_bytes > bytes).then(|| SettingsError::at("limit_mib", problem).help(help))
}

const NO_SPIKES: &str = "memory is charged before it is used, so nothing exceeds the limit";
const NO_COLLECTOR: &str = "there is no garbage to collect";
