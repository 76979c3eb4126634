//! The ledger: counts of all items by pipeline, destination and state.
//!
//! On each line, whenever no item moves between two states:
//! `accepted + produced = sent + rejected + filtered + sampled + dropped{reason} + queued + in_flight`. `refused` is not
//! part of the equation: the sender still has these items. *Accepted* means that the sender was told that the items will be
//! delivered: on admission in memory mode, with the destination's answer end to end. *Produced* items were added by a processor
//! or a holder; *filtered* and *sampled* items were removed by processors as configured.
//!
//! A [`Held`] carries items through the states and counts them when it is dropped: items are never lost uncounted, whatever is
//! cancelled.

mod guard;
mod hop;
mod lines;
mod metrics;
mod snapshot;

pub use hop::{Held, Hop};
pub use snapshot::{LedgerImbalance, LedgerLine, LedgerSnapshot};

pub(crate) use guard::{Guard, HeldSet};
pub(crate) use hop::Unsent;
pub(crate) use lines::Line;

use crate::component::{Reason, Tally};
use lines::Lines;
use otlp_protocol::ErrorKind;
use otlp_transport::ExportError;
use parking_lot::Mutex;
use snapshot::Dropped;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// All lines of the ledger. Cloning shares the lines.
///
/// ```
/// use otlp_service::{Destination, FanOut, Ledger, NopExporter};
/// use otlp_transport::TokioClock;
/// use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), otlp_service::LedgerImbalance> {
/// let ledger = Ledger::new();
/// let account = ledger.account("logs", "nop"); // Pipeline and destination.
/// let fanout = FanOut::new(vec![Destination::direct(account, NopExporter)], Arc::new(TokioClock));
///
/// let snapshot = ledger.snapshot();
/// snapshot.check()?;
/// println!("{snapshot}");
/// # drop(fanout);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Lines>>);

/// Reason for which accepted items were not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The queue's files were damaged where the items were stored.
    Damaged,
    /// The items were in the queue for longer than it keeps items.
    Expired,
    /// The destination refused the items with a final error.
    Permanent,
    /// A processor or a holder dropped the items, or did not account for them.
    Processor,
    /// The queue was full, and is configured to drop items then ([`OnFull::Drop`](crate::OnFull::Drop),
    /// [`OnFull::DropOldest`](crate::OnFull::DropOldest), [`OnFull::DropLowest`](crate::OnFull::DropLowest)).
    QueueFull,
    /// The last retry failed.
    RetriesExhausted,
    /// The gateway stopped before the items were delivered.
    Shutdown,
    /// The destination refused the items because each of them alone, or a part that cannot be cut, is too large.
    TooLarge,
}

/// The counters of one line of the ledger. A [`Hop`] counts in them.
#[derive(Debug)]
pub struct Account {
    pipeline: Arc<str>,
    destination: String,
    accepted: AtomicU64,
    refused: AtomicU64,
    produced: AtomicU64,
    sent: AtomicU64,
    rejected: AtomicU64,
    filtered: AtomicU64,
    sampled: AtomicU64,
    dropped: [AtomicU64; DropReason::ALL.len()],
    queued: AtomicU64,
    in_flight: AtomicU64,
}

// === impl Ledger ===

impl Ledger {
    /// Creates an empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads all lines.
    pub fn snapshot(&self) -> LedgerSnapshot {
        LedgerSnapshot { lines: self.0.lock().snapshot() }
    }

    /// Returns the account of a pipeline and a destination, and creates it first if there is none.
    pub fn account(&self, pipeline: &str, destination: &str) -> Arc<Account> {
        self.0.lock().account(pipeline, destination)
    }
}

// === impl DropReason ===

impl DropReason {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::Damaged,
        Self::Expired,
        Self::Permanent,
        Self::Processor,
        Self::QueueFull,
        Self::RetriesExhausted,
        Self::Shutdown,
        Self::TooLarge,
    ];

    /// Returns the reason for items whose last attempt ended with `error`.
    pub(crate) fn of(error: &ExportError) -> Self {
        match error.kind() {
            _ if error.retry().is_retryable() => Self::RetriesExhausted,
            ErrorKind::TooLarge => Self::TooLarge,
            _ => Self::Permanent,
        }
    }

    /// Returns the value of the metric label `reason`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Expired => "expired",
            Self::Permanent => "permanent",
            Self::Processor => "processor",
            Self::QueueFull => "queue_full",
            Self::RetriesExhausted => "retries_exhausted",
            Self::Shutdown => "shutdown",
            Self::TooLarge => "too_large",
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl Account ===

impl Account {
    fn new(pipeline: &str, destination: &str) -> Self {
        Self {
            pipeline: pipeline.into(),
            destination: destination.into(),
            accepted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            produced: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            filtered: AtomicU64::new(0),
            sampled: AtomicU64::new(0),
            dropped: Default::default(),
            queued: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
        }
    }

    /// Returns the id of the pipeline.
    pub(crate) fn pipeline(&self) -> &Arc<str> {
        &self.pipeline
    }

    fn is_of(&self, pipeline: &str, destination: &str) -> bool {
        *self.pipeline == *pipeline && self.destination == destination
    }

    /// Counts items that processors removed from and added to a batch that was accepted.
    fn settle(&self, tally: &Tally) {
        self.accepted.fetch_add(tally.settled(), Ordering::Relaxed);
        self.take_out(Reason::Filtered, tally.filtered);
        self.take_out(Reason::Sampled, tally.sampled);
        self.take_out(Reason::Dropped, tally.dropped);
        // The next component counted all items as accepted, the produced items among them.
        self.accepted.fetch_sub(tally.produced, Ordering::Relaxed);
        self.produced.fetch_add(tally.produced, Ordering::Relaxed);
    }

    /// Counts removed items.
    fn take_out(&self, reason: Reason, items: u64) {
        let counter = match reason {
            Reason::Dropped => &self.dropped[DropReason::Processor as usize],
            Reason::Filtered => &self.filtered,
            Reason::Sampled => &self.sampled,
        };
        counter.fetch_add(items, Ordering::Relaxed);
    }

    pub(crate) fn line(&self) -> LedgerLine {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LedgerLine {
            pipeline: self.pipeline.to_string(),
            destination: self.destination.clone(),
            accepted: read(&self.accepted),
            refused: read(&self.refused),
            produced: read(&self.produced),
            sent: read(&self.sent),
            rejected: read(&self.rejected),
            filtered: read(&self.filtered),
            sampled: read(&self.sampled),
            dropped: Dropped(std::array::from_fn(|reason| read(&self.dropped[reason]))),
            queued: read(&self.queued),
            in_flight: read(&self.in_flight),
        }
    }
}
