//! Counters of balancing.

use super::outlier::Outcome;
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counters of a balanced client. All but `endpoints` only grow.
#[derive(Debug)]
pub struct BalanceStats {
    /// Kind of resolver: `static`, `dns`, `file`.
    pub resolver: &'static str,
    /// Successful resolutions.
    pub resolutions: AtomicU64,
    /// Failed resolutions; each leaves the endpoints unchanged.
    pub failed_resolutions: AtomicU64,
    /// Resolutions that changed the endpoints.
    pub updates: AtomicU64,
    /// Endpoints left out: beyond `max_endpoints`, or with an invalid address.
    pub left_out_endpoints: AtomicU64,
    /// Requests sent to another endpoint at once, after an endpoint did not accept them.
    pub failovers: AtomicU64,
    /// Attempts made while every endpoint had asked for a delay.
    pub throttled_requests: AtomicU64,
    endpoints: RwLock<Vec<Arc<EndpointStats>>>,
}

/// Counters of one endpoint. All but `in_flight` only grow.
#[derive(Debug)]
pub struct EndpointStats {
    /// The endpoint's address.
    pub endpoint: String,
    /// Requests sent and not answered yet.
    pub in_flight: AtomicU64,
    /// Requests answered by the endpoint, with success or refusal.
    pub answered: AtomicU64,
    /// Requests that could not reach the endpoint or were not answered in time.
    pub failed: AtomicU64,
    /// Ejections of the endpoint.
    pub ejections: AtomicU64,
    /// Sum of the durations of the endpoint's requests, in milliseconds.
    pub latency_ms: AtomicU64,
    /// Number of requests by duration: one counter for each of [`LATENCY_BOUNDS_MS`], and the last for longer requests.
    pub latency_buckets: [AtomicU64; LATENCY_BOUNDS_MS.len() + 1],
}

/// Upper bounds of the buckets of request durations, in milliseconds.
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

    /// Returns the current endpoints.
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

    /// Counts a request that ended after `latency`.
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
