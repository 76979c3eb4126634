//! `sending_queue.backlog`: delivery of what has waited in the files.

use otlp_service::{BacklogConfig, BacklogOrder, QueueConfig, SettingsError, Share};
use serde::Deserialize;
use std::num::NonZeroU64;

/// Settings of `backlog`. With another order than the default, or with a limit, requests that came in within the last ten seconds
/// are delivered first, and those that have waited longer by these settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Backlog {
    /// Order of what has waited: oldest_first, newest_first (the newest segment of the files first). Default oldest_first.
    order: Option<Order>,
    /// Most bytes of uncompressed requests that are taken from the files in a second, for all consumers together. Default no limit.
    max_bytes_per_second: Option<u64>,
    /// Largest part of `num_consumers` that sends what has waited, more than 0 to 1; at least one consumer. Default 1.
    max_share: Option<f64>,
}

/// Values of `order`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    /// The oldest requests first.
    OldestFirst,
    /// The newest segment first.
    NewestFirst,
}

// === impl Backlog ===

impl Backlog {
    /// True if the section has a key.
    pub(super) fn is_given(&self) -> bool {
        self.order.is_some() || self.max_bytes_per_second.is_some() || self.max_share.is_some()
    }

    /// Returns the settings of a queue, and adds what is wrong with them; `at` is the path of the section with a dot.
    pub(super) fn config(
        self,
        at: &str,
        queue: &QueueConfig,
        wrong: &mut Vec<SettingsError>,
    ) -> BacklogConfig {
        let mut refuse = |key: &str, problem: &str| {
            wrong.push(SettingsError::at(format!("{at}{key}"), problem.to_owned()));
        };
        let mut config = BacklogConfig::default();
        config.order = match self.order {
            None | Some(Order::OldestFirst) => BacklogOrder::OldestFirst,
            Some(Order::NewestFirst) => BacklogOrder::NewestFirst,
        };
        config.max_bytes_per_second = self.max_bytes_per_second.and_then(NonZeroU64::new);
        if self.max_bytes_per_second == Some(0) {
            refuse("max_bytes_per_second", "it must be more than 0; leave the key out for no limit");
        }
        config.max_share = self.max_share.and_then(Share::new);
        if self.max_share.is_some() && config.max_share.is_none() {
            refuse("max_share", SHARE);
        }
        if queue.batch.is_some() && config.max_share.is_some() {
            refuse("max_share", JOINED);
        }
        config
    }
}

/// The values of a share.
pub(super) const SHARE: &str = "it must be more than 0, and 1 at most";
const JOINED: &str = "`batch` joins what has waited with what comes in, so no consumer sends one of them alone: limit what has \
                      waited by `max_bytes_per_second`, or leave `batch` out";
