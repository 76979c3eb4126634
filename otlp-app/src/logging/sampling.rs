//! Drops log lines that are repeated too often: `service.telemetry.logs.sampling`.

use crate::config::telemetry::LogSampling;
use otlp_transport::Clock;
use parking_lot::Mutex;
use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;
use std::time::Instant;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Counts lines by level and text, and drops some of those that are repeated in an interval.
pub(super) struct SamplingLayer {
    sampling: LogSampling,
    clock: Arc<dyn Clock>,
    /// By a hash of level and text: lines of the same place are counted together.
    counts: Mutex<Vec<Count>>,
}

/// Lines of an interval.
#[derive(Clone)]
struct Count {
    lines: u64,
    ends: Option<Instant>,
}

/// Hash of a line's text.
#[derive(Default)]
struct TextHash(DefaultHasher);

// === impl SamplingLayer ===

impl SamplingLayer {
    pub(super) fn new(sampling: LogSampling, clock: Arc<dyn Clock>) -> Self {
        Self { sampling, clock, counts: Mutex::new(vec![Count { lines: 0, ends: None }; PLACES]) }
    }

    /// Counts a line of this hash. Returns true if the line is written.
    fn is_written(&self, hash: u64) -> bool {
        let LogSampling { tick, initial, thereafter } = self.sampling;
        let now = self.clock.now();
        let mut counts = self.counts.lock();
        let Some(count) = counts.get_mut((hash % PLACES as u64) as usize) else { return true };
        if count.ends.is_none_or(|ends| now >= ends) {
            *count = Count { lines: 0, ends: Some(now + tick) };
        }
        count.lines += 1;
        match count.lines.checked_sub(initial) {
            None | Some(0) => true,
            Some(further) => thereafter > 0 && further % thereafter == 0,
        }
    }
}

impl<S: Subscriber> Layer<S> for SamplingLayer {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let mut text = TextHash::default();
        text.0.write(event.metadata().level().as_str().as_bytes());
        event.record(&mut text);
        self.is_written(text.0.finish())
    }
}

impl Visit for TextHash {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // A hash takes any text.
            let _ = fmt::write(self, format_args!("{value:?}"));
        }
    }
}

impl fmt::Write for TextHash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// Number of texts that are counted apart, as in the Collector.
const PLACES: usize = 4096;

#[cfg(test)]
mod tests;
