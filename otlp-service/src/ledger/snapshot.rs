//! The ledger at one moment: its lines, their balance, and their text.

use super::DropReason;
use std::fmt;

/// The ledger at one moment: a line for each pipeline and destination. `Display` is a table with a row for each line.
///
/// ```
/// # use otlp_protocol::encode::{LogRecords, RequestWriter};
/// # use otlp_protocol::{Batch, Charge, Signal, ValidateLimits};
/// # use otlp_service::{Destination, FanOut, Ledger, NopExporter};
/// # use otlp_transport::{Export, TokioClock};
/// # use std::sync::Arc;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let ledger = Ledger::new();
/// # let nop = Destination::direct(ledger.account("logs", "nop"), NopExporter);
/// # let fanout = FanOut::new(vec![nop], Arc::new(TokioClock));
/// # let mut body = Vec::new();
/// # RequestWriter::<LogRecords>::new(&mut body).resource_group(|group| {
/// #     group.scope_group(|scope| {
/// #         scope.log_record(|record| { record.body("one"); }).log_record(|record| { record.body("two"); });
/// #     });
/// # });
/// # let batch = Batch::checked(Signal::LOGS, body, &ValidateLimits::default(), Charge::none())?;
/// # fanout.export(batch).await?;
/// let snapshot = ledger.snapshot();
/// snapshot.check()?;
/// let line = snapshot.line("logs", "nop").ok_or("no such line")?;
/// assert_eq!((line.accepted, line.sent, line.dropped_items()), (2, 2, 0));
/// assert_eq!(line.to_string(), "logs -> nop: accepted 2, sent 2");
/// println!("{snapshot}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LedgerSnapshot {
    /// One line for each pipeline and destination, in the order of their making. Last, under the names `(removed)`, the sum
    /// of all lines that reloads have removed, if there are any.
    pub lines: Vec<LedgerLine>,
}

/// Counts of the items that one pipeline had for one destination, by state. `Display` is one line of text with all counts
/// that are not 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerLine {
    /// Pipeline id.
    pub pipeline: String,
    /// Id of the exporter, connector or holder.
    pub destination: String,
    /// Items that the pipeline accepted: the sender has been told that they will be delivered.
    pub accepted: u64,
    /// Items that the pipeline did not accept, or that failed end to end: the sender still has them. Counted after the
    /// pipeline's processors.
    pub refused: u64,
    /// Items that processors or holders added to the accepted items.
    pub produced: u64,
    /// Items that the destination accepted.
    pub sent: u64,
    /// Items that the destination rejected in a partial success.
    pub rejected: u64,
    /// Accepted items that a processor removed as filtered.
    pub filtered: u64,
    /// Accepted items that a processor removed by sampling.
    pub sampled: u64,
    /// Accepted items that wait in a batch or a queue.
    pub queued: u64,
    /// Accepted items of requests that are being sent to the destination or wait for a retry.
    pub in_flight: u64,
    pub(super) dropped: Dropped,
}

/// Accepted items that were not delivered, by reason.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Dropped(pub(super) [u64; DropReason::ALL.len()]);

/// A line of the ledger whose counts do not add up: items were lost or counted twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the ledger does not balance: {line}: {came} items came in (accepted + produced), {known} are accounted for (all other \
     states but refused)",
    came = line.incoming(), known = line.accounted()
)]
#[non_exhaustive]
pub struct LedgerImbalance {
    /// The line.
    pub line: Box<LedgerLine>,
}

// === impl LedgerSnapshot ===

impl LedgerSnapshot {
    /// The line of a pipeline and a destination.
    pub fn line(&self, pipeline: &str, destination: &str) -> Option<&LedgerLine> {
        self.lines.iter().find(|line| line.pipeline == pipeline && line.destination == destination)
    }

    /// Checks the equation `accepted + produced = sent + rejected + filtered + sampled + dropped + queued + in_flight` on
    /// every line. While items move between states on other threads, a line may differ by these items.
    ///
    /// # Errors
    /// The first line that does not balance.
    pub fn check(&self) -> Result<(), LedgerImbalance> {
        match self.lines.iter().find(|line| !line.is_balanced()) {
            Some(line) => Err(LedgerImbalance { line: Box::new(line.clone()) }),
            None => Ok(()),
        }
    }
}

impl fmt::Display for LedgerSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |title: &str, text: fn(&LedgerLine) -> &str| {
            let lens = self.lines.iter().map(|line| text(line).chars().count());
            lens.max().unwrap_or_default().max(title.len())
        };
        let pipelines = width("pipeline", |line| &line.pipeline);
        let destinations = width("destination", |line| &line.destination);
        write!(f, "{:pipelines$}  {:destinations$}", "pipeline", "destination")?;
        let states = LedgerLine::default().states().map(|(state, _)| state);
        states.iter().try_for_each(|state| write!(f, "  {state:>MIN_COLUMN$}"))?;
        for line in &self.lines {
            write!(f, "\n{:pipelines$}  {:destinations$}", line.pipeline, line.destination)?;
            for (state, items) in line.states() {
                write!(f, "  {items:>width$}", width = state.len().max(MIN_COLUMN))?;
            }
            if line.dropped_items() > 0 {
                write!(f, "  ({})", line.dropped)?;
            }
        }
        Ok(())
    }
}

// === impl LedgerLine ===

impl LedgerLine {
    /// Adds the items of another line.
    pub(super) fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.produced += other.produced;
        self.sent += other.sent;
        self.rejected += other.rejected;
        self.filtered += other.filtered;
        self.sampled += other.sampled;
        self.queued += other.queued;
        self.in_flight += other.in_flight;
        for (sum, items) in self.dropped.0.iter_mut().zip(other.dropped.0) {
            *sum += items;
        }
    }

    /// True if every accepted or produced item is in exactly one state.
    pub fn is_balanced(&self) -> bool {
        self.incoming() == self.accounted()
    }

    /// Items dropped for one reason.
    pub fn dropped_for(&self, reason: DropReason) -> u64 {
        self.dropped.0[reason as usize]
    }

    /// Items dropped, whatever the reason.
    pub fn dropped_items(&self) -> u64 {
        self.dropped.0.iter().sum()
    }

    /// Items dropped by reason, for all reasons with items.
    pub fn dropped(&self) -> impl Iterator<Item = (DropReason, u64)> + use<> {
        self.dropped.reasons()
    }

    fn incoming(&self) -> u64 {
        self.accepted + self.produced
    }

    fn accounted(&self) -> u64 {
        let removed = self.filtered + self.sampled + self.dropped_items();
        self.sent + self.rejected + removed + self.queued + self.in_flight
    }

    /// Items by state, in the order in which they are shown.
    fn states(&self) -> [(&'static str, u64); 10] {
        [
            ("accepted", self.accepted),
            ("refused", self.refused),
            ("produced", self.produced),
            ("sent", self.sent),
            ("rejected", self.rejected),
            ("filtered", self.filtered),
            ("sampled", self.sampled),
            ("queued", self.queued),
            ("in_flight", self.in_flight),
            ("dropped", self.dropped_items()),
        ]
    }
}

impl fmt::Display for LedgerLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}:", self.pipeline, self.destination)?;
        let mut separator = " ";
        for (state, items) in self.states().into_iter().filter(|(_, items)| *items > 0) {
            write!(f, "{separator}{state} {items}")?;
            separator = ", ";
        }
        match (self.dropped_items(), separator) {
            (0, " ") => f.write_str(" no items"),
            (0, _) => Ok(()),
            _ => write!(f, " ({})", self.dropped),
        }
    }
}

// === impl Dropped ===

impl Dropped {
    fn reasons(self) -> impl Iterator<Item = (DropReason, u64)> {
        DropReason::ALL.into_iter().zip(self.0).filter(|(_, items)| *items > 0)
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reasons().enumerate().try_for_each(|(index, (reason, items))| {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{reason} {items}")
        })
    }
}

impl fmt::Debug for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.reasons().map(|(reason, items)| (reason.name(), items))).finish()
    }
}

/// Width of a column of counts.
const MIN_COLUMN: usize = 8;

#[cfg(test)]
mod tests;
