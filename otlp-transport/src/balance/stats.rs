//! What balancing has counted, read by the owner at will.

use super::outlier::Outcome;
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A balanced client's counters: monotone, but for `endpoints`.
#[derive(Debug)]
pub struct BalanceStats {
    /// How endpoints are found: `static`, `dns`.
    pub resolver: &'static str,
    /// Answers of the resolver.
    pub resolutions: AtomicU64,
    /// Questions that it could not answer; the endpoints stay as they were.
    pub failed_resolutions: AtomicU64,
    /// Answers that changed the endpoints.
    pub updates: AtomicU64,
    /// Endpoints left out: over `max_endpoints`, or with an address that cannot be one.
    pub left_out_endpoints: AtomicU64,
    /// Requests taken to another endpoint at once, since one did not take them.
    pub failovers: AtomicU64,
    /// Attempts while every endpoint had asked for a delay.
    pub throttled_requests: AtomicU64,
    endpoints: RwLock<Vec<Arc<EndpointStats>>>,
}

/// The counters of one endpoint: monotone, but for `in_flight`.
#[derive(Debug)]
pub struct EndpointStats {
    /// Its address.
    pub endpoint: String,
    /// Requests sent and not answered.
    pub in_flight: AtomicU64,
    /// Requests it answered, whatever it said.
    pub answered: AtomicU64,
    /// Requests it could not be reached for or did not answer in time.
    pub failed: AtomicU64,
    /// How often it was left out for failing.
    pub ejections: AtomicU64,
    /// Milliseconds from start to end of its requests.
    pub latency_ms: AtomicU64,
    /// How many requests ended within each of [`LATENCY_BOUNDS_MS`]; the last is for those above.
    pub latency_buckets: [AtomicU64; LATENCY_BOUNDS_MS.len() + 1],
}

/// Upper bounds of the ranges in which latency is counted, in milliseconds.
pub const LATENCY_BOUNDS_MS: [u64; 12] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000];

// === impl BalanceStats ===

impl BalanceStats {
    pub(super) fn new(resolver: &'static str) -> Self {
        Self {
            resolver,
            resolutions: AtomicU64::new(0),
            failed_resolutions: AtomicU64::new(0),
            updates: AtomicU64::new(0),
            left_out_endpoints: AtomicU64::new(0),
            failovers: AtomicU64::new(0),
            throttled_requests: AtomicU64::new(0),
            endpoints: RwLock::default(),
        }
    }

    /// The endpoints there are now.
    pub fn endpoints(&self) -> Vec<Arc<EndpointStats>> {
        self.endpoints.read().clone()
    }

    pub(super) fn show(&self, endpoints: Vec<Arc<EndpointStats>>) {
        *self.endpoints.write() = endpoints;
    }
}

// === impl EndpointStats ===

impl EndpointStats {
    pub(super) fn new(endpoint: String) -> Self {
        Self {
            endpoint,
            in_flight: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            ejections: AtomicU64::new(0),
            latency_ms: AtomicU64::new(0),
            latency_buckets: [const { AtomicU64::new(0) }; LATENCY_BOUNDS_MS.len() + 1],
        }
    }

    /// A request ended after `latency`.
    pub(super) fn count(&self, outcome: Outcome, latency: Duration) {
        let counter = match outcome {
            Outcome::Answered => &self.answered,
            Outcome::Failed => &self.failed,
            Outcome::Unknown => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        self.latency_ms.fetch_add(latency_ms, Ordering::Relaxed);
        let bucket = LATENCY_BOUNDS_MS.partition_point(|&bound| bound < latency_ms);
        if let Some(bucket) = self.latency_buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }
}
