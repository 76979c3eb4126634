//! Reports of losses: a hook of the program, or a line on stderr.

use super::losses::LossReason;
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

/// The receiver of problems: a function of the program; without a function, lines on stderr, at most one each 30 s.
#[derive(Clone, Default)]
pub(crate) struct ErrorHook {
    pub(crate) call: Option<OnProblem>,
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
    /// Makes a hook that calls a function.
    pub(crate) fn new(call: impl Fn(&ClientProblem) + Send + Sync + 'static) -> Self {
        Self { call: Some(Arc::new(call)), ..Self::default() }
    }

    /// Reports a problem. A panic of the program's function ends here.
    pub(crate) fn report(&self, problem: &ClientProblem, now: Instant) {
        if let Some(call) = &self.call {
            let _ = catch_unwind(AssertUnwindSafe(|| call(problem)));
            return;
        }
        let mut last = self.last_line.lock();
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
