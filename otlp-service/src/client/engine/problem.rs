//! Reports of losses: a hook of the program, or a line on stderr.

use super::losses::LossReason;
use crate::client::MetricProblem;
use otlp_protocol::Signal;
use parking_lot::Mutex;
use std::fmt;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Telemetry that was lost.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientProblem {
    /// Signal of the items.
    pub signal: Signal,
    /// Number of items that were lost.
    pub items: u64,
    /// Reason of the loss.
    pub reason: LossReason,
    /// Error of the destination, or the setting that limits the client.
    pub message: String,
}

/// A function that is told of losses.
pub(crate) type OnProblem = Arc<dyn Fn(&ClientProblem) + Send + Sync>;

/// A function that is told of problems with instruments.
type OnMetricProblem = Arc<dyn Fn(&MetricProblem) + Send + Sync>;

/// The receiver of problems: functions of the program; without them, lines on stderr, at most one each 30 s.
#[derive(Clone, Default)]
pub(crate) struct ErrorHook {
    pub(crate) call: Option<OnProblem>,
    metric_call: Option<OnMetricProblem>,
    last_line: Arc<Mutex<Option<Instant>>>,
}

/// Time between two lines on stderr, at least.
const LINE_INTERVAL: Duration = Duration::from_secs(30);

// === impl ClientProblem ===

impl fmt::Display for ClientProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signal, items, reason, message } = self;
        write!(f, "lost {items} items of {signal} ({reason}): {message}")
    }
}

// === impl ErrorHook ===

impl ErrorHook {
    /// Calls a function for each loss.
    pub(crate) fn set_call(&mut self, call: impl Fn(&ClientProblem) + Send + Sync + 'static) {
        self.call = Some(Arc::new(call));
    }

    /// Calls a function for each problem with an instrument.
    pub(crate) fn set_metric_call(&mut self, call: impl Fn(&MetricProblem) + Send + Sync + 'static) {
        self.metric_call = Some(Arc::new(call));
    }

    /// Reports a problem. A panic of the program's function ends here.
    pub(crate) fn report(&self, problem: &ClientProblem, now: Instant) {
        if let Some(call) = &self.call {
            let _ = catch_unwind(AssertUnwindSafe(|| call(problem)));
            return;
        }
        self.write(problem, now);
    }

    /// Reports a problem with an instrument. A panic of the program's function ends here.
    pub(crate) fn report_metric(&self, problem: &MetricProblem, now: Instant) {
        match &self.metric_call {
            Some(call) => drop(catch_unwind(AssertUnwindSafe(|| call(problem)))),
            None => self.write(problem, now),
        }
    }

    /// Writes a line on stderr, unless the last line is too young.
    fn write(&self, problem: &dyn fmt::Display, now: Instant) {
        let Some(mut last) = self.last_line.try_lock() else {
            return;
        };
        if last.is_none_or(|last| now.saturating_duration_since(last) >= LINE_INTERVAL) {
            *last = Some(now);
            let _ = writeln!(std::io::stderr(), "otlp client: {problem}");
        }
    }
}

impl fmt::Debug for ErrorHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorHook").field("is_set", &self.call.is_some()).finish()
    }
}
