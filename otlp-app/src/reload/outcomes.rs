//! Metrics of reloads.

use otlp_service::{Counter, MetricKind, Registration, Registry};
use otlp_transport::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

/// Counts the outcomes of reloads.
pub(super) struct Outcomes {
    clock: Arc<dyn Clock>,
    applied: Counter,
    unchanged: Counter,
    failed: Counter,
    last: Arc<Last>,
    _gauges: [Registration; 2],
}

/// Outcome of the last load, the start included.
struct Last {
    succeeded: AtomicBool,
    /// Time of the last success, in seconds since 1970.
    success_seconds: AtomicU64,
}

impl Outcomes {
    /// Registers the metrics. The start of the gateway counts as the first success.
    pub(super) fn new(registry: &Registry, clock: Arc<dyn Clock>) -> Self {
        let counter = |outcome| {
            let help = "Reloads of the configuration, by outcome.";
            registry.counter("otlp_config_reloads", help, &[("outcome", outcome)])
        };
        let success_seconds = AtomicU64::new(seconds(&*clock));
        let last = Arc::new(Last { succeeded: AtomicBool::new(true), success_seconds });
        let (succeeded, success) = (last.clone(), last.clone());
        let gauges = [
            registry.observe(
                MetricKind::Gauge,
                "otlp_config_last_reload_successful",
                "1 if the last reload succeeded, or there was no reload; 0 if the last reload failed.",
                &[],
                move || f64::from(u8::from(succeeded.succeeded.load(Ordering::Relaxed))),
            ),
            registry.observe(
                MetricKind::Gauge,
                "otlp_config_last_reload_success_timestamp_seconds",
                "Time of the last successful reload, or of the start, in seconds since 1970.",
                &[],
                move || success.success_seconds.load(Ordering::Relaxed) as f64,
            ),
        ];
        Self {
            applied: counter("applied"),
            unchanged: counter("unchanged"),
            failed: counter("failed"),
            clock,
            last,
            _gauges: gauges,
        }
    }

    /// Counts a reload that changed the gateway.
    pub(super) fn applied(&self) {
        self.applied.add(1);
        self.succeeded();
    }

    /// Counts a reload without a change.
    pub(super) fn unchanged(&self) {
        self.unchanged.add(1);
        self.succeeded();
    }

    /// Counts a reload that failed.
    pub(super) fn failed(&self) {
        self.failed.add(1);
        self.last.succeeded.store(false, Ordering::Relaxed);
    }

    fn succeeded(&self) {
        self.last.succeeded.store(true, Ordering::Relaxed);
        self.last.success_seconds.store(seconds(&*self.clock), Ordering::Relaxed);
    }
}

fn seconds(clock: &dyn Clock) -> u64 {
    clock.wall().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
