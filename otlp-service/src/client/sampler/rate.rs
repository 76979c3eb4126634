//! Sampling of a number of spans a second.

use super::{SamplerError, Sampling};
use crate::client::TraceContext;
use std::sync::atomic::{AtomicU64, Ordering};

/// Keeps up to a number of spans a second.
///
/// Spans that are not kept in one second may be kept in the next: up to one second's number at once. Usually the
/// [`root`](super::ParentBased::root) of a [`ParentBased`](super::ParentBased), so that traces are kept whole. `th` is erased: nobody
/// knows how many spans a kept one stands for.
#[derive(Debug)]
pub struct RateLimit {
    spans_per_second: f64,
    /// Time that a kept span takes from the budget.
    interval_nanos: u64,
    /// Time that the budget may hold beyond the next span.
    burst_nanos: u64,
    /// The time at which the budget is full.
    full_at: AtomicU64,
}

// === impl RateLimit ===

impl RateLimit {
    /// Makes a sampler that keeps up to this number of spans a second; `None` for 0.
    pub fn new(spans_per_second: f64) -> Result<Option<Self>, SamplerError> {
        if !(0.0..f64::INFINITY).contains(&spans_per_second) {
            return Err(SamplerError::Rate(spans_per_second));
        }
        if spans_per_second == 0.0 {
            return Ok(None);
        }
        let interval = (SECOND_NANOS as f64 / spans_per_second).round().clamp(1.0, MAX_INTERVAL_NANOS as f64);
        let interval_nanos = interval as u64;
        let burst_nanos = SECOND_NANOS.saturating_sub(interval_nanos);
        Ok(Some(Self { spans_per_second, interval_nanos, burst_nanos, full_at: AtomicU64::new(0) }))
    }

    /// The number of spans a second that was asked for.
    pub fn spans_per_second(&self) -> f64 {
        self.spans_per_second
    }

    pub(super) fn decide(&self, parent: Option<&TraceContext>, now_unix_nanos: u64) -> Sampling {
        let take = |full_at: u64| self.take(full_at, now_unix_nanos);
        match self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
            Ok(_) => Sampling::kept(parent),
            Err(_) => Sampling::dropped(parent),
        }
    }

    /// Takes a span from the budget; returns the next time at which the budget is full, or `None` if the budget is empty.
    fn take(&self, full_at: u64, now: u64) -> Option<u64> {
        let latest = now.saturating_add(self.burst_nanos);
        // No span could have set a later time, unless the clock was set back: the budget starts anew.
        let is_stale = full_at > latest.saturating_add(self.interval_nanos).saturating_add(SECOND_NANOS);
        let full_at = if is_stale { now } else { full_at.max(now) };
        (full_at <= latest).then(|| full_at.saturating_add(self.interval_nanos))
    }
}

const SECOND_NANOS: u64 = 1_000_000_000;
/// A hundred years: the lowest rate.
const MAX_INTERVAL_NANOS: u64 = 100 * 365 * 24 * 3600 * SECOND_NANOS;
